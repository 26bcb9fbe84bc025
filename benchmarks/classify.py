"""A classifier against a stock torchvision loop and simple baselines, in one run on one CPU.

    python benchmarks/classify.py EuroSAT_RGB.zip --share 0.2 --epochs 5

The loops train the same network on the same patches for the same number of epochs, with flips:

- stock: torchvision's ImageFolder, ToTensor and Normalize behind a DataLoader with two processes,
  Adam, float32, as in its tutorials;
- ours: `agri-classify train` on a chip store with its automatic settings;
- ours, compact: the same with our own network for small patches.

Accuracy is that of the validation split. The stock loop uses its last epoch; for ours, that split
selected the epoch. The rate is training images per second, without the first epoch of each loop,
which includes its start-up, if there is more than one.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from agri_classify.training.networks.networks import build, parameters
from agri_classify.training.study.subset import Size, subset
from agri_classify.training.train import Plan, train
from agri_data.sources.readers.archive import extract
from agri_data.store.store import ChipStore
from agri_train.baselines.patches import score_baselines
from agri_train.config import TrainConfig
from agri_train.engine.seed import seed_all
from agri_train.run.history import read_history
from eurosat import make_store
from torch import nn
from torch.utils.data import DataLoader, Subset
from torchvision import transforms
from torchvision.datasets import ImageFolder

RATE = 0.001


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; `rate` is 0 where nothing was trained."""

    way: str
    accuracy: float
    rate: float = 0.0
    weights: int = 0


def main() -> None:
    """Train all, then print one table."""
    args = parse()
    with tempfile.TemporaryDirectory(prefix="agri-bench-") as folder:
        rows = list(run(args, Path(folder)))
    stock = next(row.rate for row in rows if row.way.startswith("stock"))
    print(
        f"{args.epochs} epochs, batch size {args.batch_size}, seed {args.seed}, "
        f"{torch.get_num_threads()} threads, torch {torch.__version__}"
    )
    print(f"{'way':<42}{'accuracy':>9}{'images/s':>10}{'of stock':>10}{'weights':>12}")
    for row in rows:
        speed = f"{row.rate:>10.1f}{row.rate / stock:>10.2f}" if row.rate else " " * 20
        print(f"{row.way:<42}{row.accuracy:>9.4f}{speed}{row.weights or '':>12}")


def run(args: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """Yield a row per way, the simple ones last since they need the bundle's normalisation."""
    photos = unpack(args.photos, folder)
    whole = make_store(photos, folder / "chips", args.seed)
    store = subset(whole, Size(share=args.share), args.seed)
    yield stock(args, store, photos)
    config = TrainConfig(
        epochs=args.epochs, batch_size=args.batch_size, lr=RATE, optimizer="adam", weight_decay=0.0,
        schedule="constant", patience=0, sample_rows=0, seed=args.seed, monitor="accuracy",
    )  # fmt: skip
    made = None
    for model in (args.model, "compact"):
        out = folder / model
        made = train(Plan(model=model, name=model, hidden=0, dropout=0.0), store, config, out)
        speeds = [row["rate"] for row in read_history(out / "history.csv")]
        weights = parameters(build(model, store.bands, len(store.legend), hidden=0))
        found = made.scores["accuracy"]
        yield Row(f"ours, {model}", found, statistics.median(speeds[1:] or speeds), weights)
    assert made is not None
    for item in score_baselines(store, made.result.spec, seed=args.seed):
        yield Row(item.name, item.accuracy)


def unpack(photos: Path, folder: Path) -> Path:
    """Return the folder that holds a folder per class."""
    if photos.suffix.lower() == ".zip":
        (folder / "photos").mkdir()
        extract(photos, folder / "photos")
        photos = folder / "photos"
    found = next((path.parent for path in sorted(photos.rglob("Forest")) if path.is_dir()), None)
    if found is None:
        sys.exit(f"{photos} holds no class folders of EuroSAT RGB")
    return found


def stock(args: argparse.Namespace, store: ChipStore, photos: Path) -> Row:
    """Run the tutorial's loop over the files of the same patches."""
    seed_all(args.seed)
    net = build(args.model, store.bands, len(store.legend), hidden=0, dropout=0.0)
    loaders = {part: loader(args, store, photos, part) for part in ("train", "val")}
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE)
    speeds = []
    for _ in range(args.epochs):
        net.train()
        seen, began = 0, time.perf_counter()
        for image, label in loaders["train"]:
            optimizer.zero_grad()
            criterion(net(image), label).backward()
            optimizer.step()
            seen += len(label)
        speeds.append(seen / (time.perf_counter() - began))
    net.eval()
    right = total = 0
    with torch.no_grad():
        for image, label in loaders["val"]:
            right += int((net(image).argmax(1) == label).sum())
            total += len(label)
    rate = statistics.median(speeds[1:] or speeds)
    return Row(f"stock float32 loop, {args.model}", right / total, rate, parameters(net))


def loader(
    args: argparse.Namespace, store: ChipStore, photos: Path, part: str
) -> DataLoader[tuple[torch.Tensor, int]]:
    """Return a DataLoader over the files of a split."""
    stats = store.info.stats
    assert stats is not None
    means = [stats[band].mean / 255 for band in store.bands]
    deviations = [stats[band].std / 255 for band in store.bands]
    flips: list[Any] = [transforms.RandomHorizontalFlip(), transforms.RandomVerticalFlip()]
    steps = [transforms.ToTensor(), transforms.Normalize(means, deviations)]
    pictures = ImageFolder(
        photos, transforms.Compose([*(flips if part == "train" else []), *steps])
    )
    names = set(store.table["chip_id"].to_numpy()[store.indices(part)])
    rows = [i for i, (path, _) in enumerate(pictures.samples) if Path(path).stem in names]
    if len(rows) != len(names):
        sys.exit(f"{len(names)} patches of the {part} split but {len(rows)} files")
    return DataLoader(
        Subset(pictures, rows), batch_size=args.batch_size, shuffle=part == "train", num_workers=2
    )


def parse() -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, help="EuroSAT RGB: the .zip, or its folder")
    parser.add_argument("--model", default="resnet18", help="network of both loops")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--share", type=float, default=0.2, help="share of the patches")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
