"""Ablation of the recipe of the bundled model: the recipe, and with single settings changed.

    python benchmarks/recipe.py EuroSAT_RGB.zip --share 0.2 --epochs 60 --runs runs

Every row is trained on the same share of the labels (sampled by class) and evaluated on the same
validation split, which also selected its epoch: compare rows with each other, not with other
tables. Finished rows are kept in the folder of the runs, so an interrupted benchmark resumes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import fields, replace
from pathlib import Path

from agri_classify.training.study.study import Case, study
from agri_classify.training.study.study_report import table
from agri_classify.training.study.subset import Size, subset
from agri_classify.training.train import Plan
from agri_core.files.params import load_params
from agri_train.config import TrainConfig
from eurosat import make_store

FILE = Path(__file__).parent.parent / "packages/agri-classify/recipes/compact.yaml"


def recipe(epochs: int, seed: int) -> tuple[Plan, TrainConfig]:
    """Read the recipe: the options of `agri-classify train` that its file sets."""
    given = load_params(FILE)["classify"]
    own = {field.name for field in fields(Plan)}
    plan = Plan(name="recipe", **{key: value for key, value in given.items() if key in own})
    settings = {key: value for key, value in given.items() if key not in own}
    return plan, TrainConfig.from_dict(
        {**settings, "epochs": epochs, "seed": seed, "sample_rows": 0}
    )


def variants(plan: Plan, config: TrainConfig) -> dict[str, tuple[Plan, TrainConfig]]:
    """Return the rows: a plan and its settings by name."""
    return {
        "the recipe": (plan, config),
        "without mixing": (plan, replace(config, mix="none")),
        "mixup alone": (plan, replace(config, mix="mixup")),
        "cutmix alone": (plan, replace(config, mix="cutmix")),
        "with label smoothing 0.1": (plan, replace(config, label_smoothing=0.1)),
        "smoothing instead of mixing": (plan, replace(config, label_smoothing=0.1, mix="none")),
        "the last weights, not their EMA": (plan, replace(config, ema_decay=0.0)),
        "with photometric changes and rotations": (plan, replace(config, augment_strength=0.3)),
        "half the epochs": (plan, replace(config, epochs=max(config.epochs // 2, 1))),
        "2 views at inference": (replace(plan, views=2), config),
        "8 views at inference": (replace(plan, views=8), config),
        "the large network": (replace(plan, model="large"), config),
        "ResNet-18": (replace(plan, model="resnet18", hidden=0), config),
    }


def main() -> None:
    """Train every row that is asked for, then print one table."""
    args = parse()
    rows = variants(*recipe(args.epochs, args.seed))
    unknown = [name for name in args.only or () if name not in rows]
    if unknown:
        sys.exit(f"there is no row {unknown[0]!r}; the rows are {', '.join(rows)}")
    if args.only:
        rows = {name: rows[name] for name in args.only}
    with tempfile.TemporaryDirectory(prefix="agri-bench-") as folder:
        whole = make_store(args.photos, Path(folder, "chips"), args.seed)
        store = subset(whole, Size(share=args.share), args.seed)
        # The whole validation split is used, because rows differ by tenths of a percent.
        store.table["split"] = store.table["split"].where(whole.table["split"] != "val", "val")
        cases = [Case(name, plan, store, settings) for name, (plan, settings) in rows.items()]
        print(table(study(cases, "val", args.runs), f"{args.epochs} epochs, seed {args.seed}"))


def parse() -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "photos", type=Path, help="EuroSAT RGB: the .zip, its folder, or a store of it"
    )
    parser.add_argument("--share", type=float, default=0.2, help="share of the labels")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--runs", type=Path, required=True, help="folder of the trainings")
    parser.add_argument("--only", nargs="*", help="names of rows; all when omitted")
    return parser.parse_args()


if __name__ == "__main__":
    main()
