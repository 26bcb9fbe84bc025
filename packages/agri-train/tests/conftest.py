"""A tiny labelled store and tiny networks."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from agri_core.bands import TRUE_COLOUR, Band
from agri_core.legend import Legend
from agri_data.store.stats import compute
from agri_data.store.store import ChipRecord, ChipStore, StoreInfo, StoreWriter, rewrite_table
from torch import nn

torch.set_num_threads(1)
SIDE = 16
BANDS = ("B02", "B03", "B04", "B08")
THREE = Legend.of({"water": "#2a7fba", "arable": "#e8c547", "forest": "#1b6e37"})
TWO = Legend.of({"other": "#c8c8c8", "arable": "#e8c547"})


class TinyNet(nn.Module):
    """Two convolutions, a batch norm and a dropout; 1 x 1 pooled for patches."""

    def __init__(self, bands: int, channels: int, patches: bool = False, drop: float = 0.0) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(bands, 8, 3, padding=1), nn.BatchNorm2d(8))
        self.drop = nn.Dropout(drop)
        self.head = nn.Conv2d(8, channels, 3, padding=1)
        self.patches = patches

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.head(self.drop(self.encoder(x).relu()))
        return x.mean(dim=(2, 3)) if self.patches else x


@pytest.fixture
def tiny() -> Callable[..., TinyNet]:
    def build(bands: int = 4, channels: int = 3, seed: int = 0, **kwargs: Any) -> TinyNet:
        torch.manual_seed(seed)
        return TinyNet(bands, channels, **kwargs)

    return build


def _chip(rng: np.random.Generator, classes: int, patches: bool) -> tuple[Any, Any, int]:
    """Band means tell the class: value = 1000 + 800 * class in band `class`, plus noise."""
    label = int(rng.integers(classes))
    mask = np.full((SIDE, SIDE), label, np.uint8)
    if not patches:
        mask = np.repeat(rng.integers(0, classes, SIDE)[:, None], SIDE, 1).astype(np.uint8)
    image = rng.normal(1000, 60, (SIDE, SIDE, len(BANDS)))
    for c in range(classes):
        image[..., c] += 800 * (mask == c)
    return image.astype(np.uint16), mask, label


@pytest.fixture
def make_store(tmp_path: Path) -> Callable[..., ChipStore]:
    def make(
        name: str = "chips",
        classes: int = 3,
        parts: tuple[int, int, int] = (12, 5, 3),
        patches: bool = False,
        seed: int = 0,
        nodata: float | None = None,
        stats: bool = True,
        edit: Callable[[int, Any, Any], None] | None = None,
        photos: bool = False,
    ) -> ChipStore:
        rng = np.random.default_rng(seed)
        path, legend = tmp_path / name, TWO if classes == 2 else THREE
        unit = "uint8" if photos else "dn"
        bands = tuple(Band(b, None, unit) for b in (TRUE_COLOUR if photos else BANDS))
        info = StoreInfo(name, "made in the test", "CC0", bands, SIDE, 10.0, legend, nodata)
        splits = [s for s, n in zip(("train", "val", "test"), parts, strict=True) for _ in range(n)]
        with StoreWriter(path, info) as writer:
            for number, split in enumerate(splits):
                image, mask, label = _chip(rng, classes, patches)
                if edit is not None:
                    edit(number, image, mask)
                if photos:
                    image = rng.integers(20, 60, (SIDE, SIDE, 3)).astype(np.uint8)
                record = ChipRecord(
                    f"c{number}", "made", label=legend.names[label] if patches else "", split=split
                )
                writer.add(record, image, None if patches else mask)
        store = ChipStore.open(path)
        if stats and parts[0]:
            table = compute(store, store.indices("train"))
            rewrite_table(path, store.table, split={"method": "test"}, stats=table)
        return ChipStore.open(path)

    return make


@pytest.fixture(autouse=True)
def quiet_lightning() -> None:
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
