"""How long a training step takes where networks are small and the machine is fast: a GPU.

    python benchmarks/steps.py --models compact large

Patch classifiers are trained on synthetic patches with the recipe of the bundled model. On a GPU
every network is trained twice: with CUDA graphs and kernel by kernel (`cuda_graphs: false`). The
time of a step is that of an epoch without validation over its batches; the first epoch, with its
start-up cost, is left out. The losses of the last epoch should agree.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from agri_classify.training.networks.networks import names
from agri_classify.training.train import fit_plan
from agri_core.bands import Band
from agri_core.legend import Legend
from agri_data.store.stats import compute
from agri_data.store.store import ChipRecord, ChipStore, StoreInfo, StoreWriter, rewrite_table
from agri_train.run.history import read_history
from recipe import recipe

BANDS = ("B04", "B03", "B02")
SIDE = 64


def main() -> None:
    """Train every network, then print one table."""
    args = parse()
    gpu = torch.cuda.is_available()
    device = torch.cuda.get_device_name() if gpu else f"{torch.get_num_threads()} threads"
    lines = [f"{'network':<18}{'graphs':>8}{'ms a step':>11}{'images/s':>10}{'loss':>9}"]
    with tempfile.TemporaryDirectory(prefix="agri-bench-") as folder:
        store = make_store(Path(folder, "chips"), args.patches)
        for model in args.models:
            for graphs in (True, False) if gpu else (False,):
                plan, config = recipe(args.epochs, seed=7)
                config = replace(
                    config, batch_size=args.batch_size, cuda_graphs=graphs, workers=args.workers
                )
                out = Path(folder, f"{model}-{graphs}")
                fit_plan(replace(plan, model=model, bands=BANDS), store, config, out)
                rows = read_history(out / "history.csv")
                rate = statistics.median([row["rate"] for row in rows[1:] or rows])
                step, loss = 1000 * args.batch_size / rate, rows[-1]["train_loss"]
                used = "yes" if graphs else "no"
                lines.append(f"{model:<18}{used:>8}{step:>11.1f}{rate:>10.0f}{loss:>9.4f}")
    print(f"{device}, batch {args.batch_size}, {args.epochs} epochs, torch {torch.__version__}")
    print("\n".join(lines))


def make_store(path: Path, patches: int) -> ChipStore:
    """Write noisy patches of ten colours, a tenth of them in the validation split."""
    rng = np.random.default_rng(0)
    legend = Legend.of({f"class {number}": f"#{number}0{number}0{number}0" for number in range(10)})
    colours = rng.integers(60, 180, (10, 3))
    info = StoreInfo(
        "steps", "made up", "CC0", tuple(Band(name, None, "uint8") for name in BANDS), SIDE, 10.0,
        legend, None,
    )  # fmt: skip
    with StoreWriter(path, info) as writer:
        for number in range(patches):
            label, part = number % 10, "val" if number % 100 < 10 else "train"
            image = colours[label] + rng.integers(-40, 41, (SIDE, SIDE, 3))
            record = ChipRecord(f"p{number}", "made up", label=legend.names[label], split=part)
            writer.add(record, image.astype(np.uint8), None)
    store = ChipStore.open(path)
    table = compute(store, store.indices("train"))
    rewrite_table(path, store.table, split={"method": "made up"}, stats=table)
    return ChipStore.open(path)


def parse() -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["compact"], choices=names())
    parser.add_argument("--patches", type=int, default=8640, help="a tenth of them is val")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--workers", type=int, default=0, help="processes that read; 0 = automatic")
    return parser.parse_args()


if __name__ == "__main__":
    main()
