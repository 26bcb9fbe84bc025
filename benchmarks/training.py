"""Training speed and quality against a stock Lightning loop, in one run on one CPU.

    python benchmarks/training.py --steps 24

Both train the same U-Net from the same weights on the same chips for the same number of steps:

- stock: segmentation-models-pytorch's own example (its Lightning module, Dice loss, `get_stats` in
  each step, Adam) in float32 with all chips in memory behind a DataLoader;
- ours: `agri_train.fit.fit` on a memory-mapped store with its automatic settings.

A step is timed from one forward pass to the next, which includes reading, metrics and optimiser. On
a shared machine wall time is unreliable: CPU seconds count only this process.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import segmentation_models_pytorch as smp
import torch
from agri_core.bands import Band
from agri_core.confusion import bootstrap, confusion, mean_iou
from agri_core.legend import ARABLE
from agri_data.store.stats import compute
from agri_data.store.store import ChipRecord, ChipStore, StoreInfo, StoreWriter, rewrite_table
from agri_map.bundle.preprocess import normalise
from agri_train.config import TrainConfig
from agri_train.engine.seed import seed_all
from agri_train.fit import fit
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

BANDS = ("B02", "B03", "B04", "B08")
RATE = 0.0002
OTHER = np.array([900, 1000, 1100, 2000])
FIELD = np.array([700, 950, 850, 3200])


class Clock:
    """Wall and processor seconds from one training forward pass to the next."""

    def __init__(self, net: nn.Module) -> None:
        self.marks: list[tuple[float, float]] = []
        net.register_forward_pre_hook(self._mark)

    def _mark(self, net: nn.Module, args: Any) -> None:
        if net.training and torch.is_grad_enabled():
            self.marks.append((time.perf_counter(), time.process_time()))

    def steps(self, an_epoch: int) -> tuple[float, float]:
        """Median wall and processor seconds of a step, the first epoch's first two left out."""
        pairs = [
            (b[0] - a[0], b[1] - a[1])
            for i, (a, b) in enumerate(zip(self.marks, self.marks[1:], strict=False))
            if i > 1 and (i + 1) % an_epoch
        ]
        return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)


class Stock(lightning.LightningModule):
    """The binary example of segmentation-models-pytorch, without its constant rate schedule."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.model = net
        self.loss_fn = smp.losses.DiceLoss("binary", from_logits=True)

    def training_step(self, batch: list[torch.Tensor], batch_idx: int) -> torch.Tensor:
        """Loss, and the counts its example takes in every step."""
        image, mask = batch
        logits = self.model(image)
        loss: torch.Tensor = self.loss_fn(logits, mask)
        found = (logits.sigmoid() > 0.5).float()
        smp.metrics.get_stats(found.long(), mask.long(), mode="binary")
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam, as in the example."""
        return torch.optim.Adam(self.model.parameters(), lr=RATE)


def make_chips(path: Path, train: int, val: int, side: int, seed: int) -> ChipStore:
    """Write parcels in two spectra with field-wise brightness, haze and noise."""
    rng = np.random.default_rng(seed)
    bands = tuple(Band(name, None, "dn") for name in BANDS)
    info = StoreInfo("bench", "generated", "CC0", bands, side, 10.0, ARABLE)
    with StoreWriter(path, info) as writer:
        for number in range(train + val):
            image, mask = make_chip(rng, side)
            part = "train" if number < train else "val"
            writer.add(ChipRecord(f"c{number}", "generated", split=part), image, mask)
    store = ChipStore.open(path)
    stats = compute(store, store.indices("train"))
    rewrite_table(path, store.table, split={"method": "random", "seed": seed}, stats=stats)
    return ChipStore.open(path)


def make_chip(rng: np.random.Generator, side: int) -> tuple[np.ndarray, np.ndarray]:
    """One chip `(H, W, 4)` of uint16 and its mask: nearest of some random centres = a parcel."""
    centres = rng.uniform(0, side, (40, 2))
    y, x = np.mgrid[:side, :side]
    parcel = ((y[..., None] - centres[:, 0]) ** 2 + (x[..., None] - centres[:, 1]) ** 2).argmin(-1)
    field = rng.random(40) < 0.5
    light = rng.normal(1, 0.18, (40, 4))
    spectrum = np.where(field[:, None], FIELD, OTHER) * light
    image = spectrum[parcel] + rng.normal(0, 350, (side, side, 4))
    return image.clip(0, 65535).astype(np.uint16), field[parcel].astype(np.uint8)


def train_stock(net: nn.Module, store: ChipStore, spec: Any, args: argparse.Namespace) -> None:
    """Run the stock loop, everything in memory."""
    rows = store.indices("train")
    images = torch.from_numpy(normalise(store.images(rows), spec))
    masks = torch.from_numpy(store.masks(rows).astype(np.float32))[:, None]
    loader = DataLoader(TensorDataset(images, masks), batch_size=args.batch_size, shuffle=True)
    trainer = lightning.Trainer(
        accelerator="cpu", max_epochs=args.epochs, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(Stock(net), loader)


def score(net: nn.Module, store: ChipStore, spec: Any) -> tuple[float, tuple[float, float]]:
    """Validation mean IoU in float32, with a 95 % CI over chips."""
    counts = []
    net.eval()
    for row in store.indices("val"):
        batch = torch.from_numpy(normalise(store.images([row]), spec))
        with torch.inference_mode():
            found = (net(batch)[:, 0] > 0).numpy().astype(np.uint8)
        counts.append(confusion(store.masks([row]), found, 2))
    return mean_iou(np.sum(counts, axis=0)), bootstrap(np.stack(counts), mean_iou)


def main() -> None:
    """Train both, then print one table."""
    args = parse()
    warnings.filterwarnings("ignore")
    with tempfile.TemporaryDirectory(prefix="agri-bench-") as folder:
        store = make_chips(Path(folder, "chips"), args.chips, args.val, args.size, args.seed)
        seed_all(args.seed)
        ours = smp.Unet(args.encoder, encoder_weights=None, in_channels=len(BANDS), classes=1)
        stock, clocks = copy.deepcopy(ours), {}
        clocks["ours"] = Clock(ours)
        config = TrainConfig(
            epochs=args.epochs, batch_size=args.batch_size, lr=RATE, optimizer="adam",
            weight_decay=0.0, clip_grad_norm=0.0, schedule="constant", loss="dice", augment=False,
            sample_rows=0, patience=0, seed=args.seed, precision=args.precision,
            memory_format=args.memory_format, calibrate=False,
        )  # fmt: skip
        result = fit(
            ours, store, bands=BANDS, head="binary", config=config, out=Path(folder, "run"),
            name="bench", arch=f"unet-{args.encoder}",
        )  # fmt: skip
        last = torch.load(Path(folder, "run/checkpoints/last.ckpt"), weights_only=True)[
            "state_dict"
        ]
        ours.load_state_dict(
            {k.removeprefix("net."): v for k, v in last.items() if k[:4] == "net."}
        )
        clocks["stock"] = Clock(stock)
        seed_all(args.seed)
        train_stock(stock, store, result.spec, args)
        print_table({"stock": stock, "ours": ours}, clocks, store, result.spec, args)


def print_table(nets: Any, clocks: Any, store: ChipStore, spec: Any, args: Any) -> None:
    """Print a row a loop and the ratio of their speeds."""
    steps = args.chips // args.batch_size
    print(
        f"U-Net/{args.encoder}, {args.size} px, batch size {args.batch_size}, "
        f"{args.epochs * steps} steps, {torch.get_num_threads()} threads, torch {torch.__version__}"
    )
    print(f"{'loop':<8}{'s a step':>10}{'images/s':>10}{'CPU s a step':>14}  val IoU (95 % CI)")
    times = {}
    for name, net in nets.items():
        wall, cpu = times[name] = clocks[name].steps(steps)
        value, (low, high) = score(net, store, spec)
        print(
            f"{name:<8}{wall:>10.2f}{args.batch_size / wall:>10.2f}{cpu:>14.2f}  "
            f"{value:.3f} ({low:.3f}..{high:.3f})"
        )
    ratios = [a / b for a, b in zip(times["stock"], times["ours"], strict=True)]
    print(f"ours is {ratios[0]:.2f} times as fast by the wall, {ratios[1]:.2f} by processor time")


def parse() -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=24, help="training steps of each loop")
    parser.add_argument("--encoder", default="resnet50")
    parser.add_argument("--size", type=int, default=256, help="side of a chip, pixels")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--chips", type=int, default=64, help="training chips")
    parser.add_argument("--val", type=int, default=16, help="validation chips")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0, help="0 = torch's choice")
    parser.add_argument("--precision", default="auto", choices=("auto", "32", "bf16"))
    parser.add_argument(
        "--memory-format", default="auto", choices=("auto", "channels_last", "contiguous")
    )
    args = parser.parse_args()
    if args.chips % args.batch_size or args.chips // args.batch_size < 2:
        sys.exit("--chips must be a multiple of --batch-size, at least twice as large")
    if args.threads:
        torch.set_num_threads(args.threads)
    args.epochs = max(round(args.steps / (args.chips // args.batch_size)), 1)
    return args


if __name__ == "__main__":
    main()
