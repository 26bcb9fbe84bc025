"""What earns its place in the recipe of the model in the box: the recipe, and without each part.

    python benchmarks/recipe.py EuroSAT_RGB.zip --share 0.2 --epochs 60 --runs runs

Every row trains on the same share of the labels (drawn class by class) and is judged on the same
part, which also chose its epoch: compare rows with each other, not with other tables. What is
finished is kept in the folder of the runs, so a stopped benchmark goes on.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from agri_classify.training.study import Case, study
from agri_classify.training.study_report import table
from agri_classify.training.subset import Size, subset
from agri_classify.training.train import Plan
from agri_data.store import ChipStore
from agri_train.config import TrainConfig

RECIPE = TrainConfig(
    epochs=100, batch=128, lr=0.003, decay=0.05, warmup=3, schedule="cosine", mix="both",
    average=0.999, patience=0, monitor="accuracy", samples=0,
)  # fmt: skip
PLAN = Plan(model="compact", name="recipe", dropout=0.2)


def variants(config: TrainConfig) -> dict[str, tuple[Plan, TrainConfig]]:
    """Return the rows: a plan and its settings by name."""
    return {
        "the recipe": (PLAN, config),
        "without mixing": (PLAN, replace(config, mix="none")),
        "mixup alone": (PLAN, replace(config, mix="mixup")),
        "cutmix alone": (PLAN, replace(config, mix="cutmix")),
        "with label smoothing 0.1": (PLAN, replace(config, smooth=0.1)),
        "smoothing instead of mixing": (PLAN, replace(config, smooth=0.1, mix="none")),
        "the last weights, not their running mean": (PLAN, replace(config, average=0.0)),
        "with changes of light and free turns": (PLAN, replace(config, strength=0.3)),
        "half the epochs": (PLAN, replace(config, epochs=config.epochs // 2)),
        "2 views in use": (replace(PLAN, views=2), config),
        "8 views in use": (replace(PLAN, views=8), config),
        "ResNet-18": (replace(PLAN, model="resnet18", hidden=0), config),
    }


def main() -> None:
    """Train every row that is asked for, then print one table."""
    args = parse()
    config = replace(RECIPE, epochs=args.epochs, seed=args.seed)
    rows = variants(config)
    if args.only:
        rows = {name: rows[name] for name in args.only}
    with tempfile.TemporaryDirectory(prefix="agri-bench-") as folder:
        path = Path(folder, "chips")
        parts = ["--method", "random", "--val", "0.1", "--test", "0", "--seed", str(args.seed)]
        for words in (["chips", args.photos, "--out", path], ["split", path, *parts]):
            subprocess.run(["agri-data", *words], check=True, stdout=subprocess.DEVNULL)
        whole = ChipStore.open(path)
        store = subset(whole, Size(share=args.share), args.seed)
        # Few labels teach, but all of the val part judges: rows differ by tenths of a percent.
        store.table["split"] = store.table["split"].where(whole.table["split"] != "val", "val")
        cases = [Case(name, plan, store, settings) for name, (plan, settings) in rows.items()]
        print(table(study(cases, "val", args.runs), f"{args.epochs} epochs, seed {args.seed}"))


def parse() -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, help="EuroSAT RGB: the .zip, or its folder")
    parser.add_argument("--share", type=float, default=0.2, help="share of the labels")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--runs", type=Path, required=True, help="folder of the trainings")
    parser.add_argument("--only", nargs="*", help="names of rows; all when omitted")
    return parser.parse_args()


if __name__ == "__main__":
    main()
