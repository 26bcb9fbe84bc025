"""A small store of labelled patches."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from agri_core.bands import Band
from agri_core.legend import Legend
from agri_data.store.stats import compute
from agri_data.store.store import ChipRecord, ChipStore, StoreInfo, StoreWriter, rewrite_table

torch.set_num_threads(1)
SIDE = 16
BANDS = ("B02", "B03", "B04", "B08")
LEGEND = Legend.of({"water": "#2a7fba", "arable": "#e8c547", "forest": "#1b6e37"})


@pytest.fixture
def make_store(tmp_path: Path) -> Callable[..., ChipStore]:
    """Patches of one class each, which is 800 brighter in the band of its number."""

    def make(labels: Callable[[int], str] = lambda i: LEGEND.names[i % 3]) -> ChipStore:
        rng, path = np.random.default_rng(0), tmp_path / "chips"
        info = StoreInfo(
            "patches", "made in the test", "CC0", tuple(Band(b, None, "dn") for b in BANDS), SIDE,
            10.0, LEGEND,
        )  # fmt: skip
        splits = ["train"] * 30 + ["val"] * 12
        with StoreWriter(path, info) as writer:
            for number in range(len(splits)):
                image = rng.normal(1000, 60, (SIDE, SIDE, len(BANDS)))
                label = labels(number)
                image[..., LEGEND.index(label) if label else 0] += 800
                record = ChipRecord(f"c{number:03d}", "made", label=label)
                writer.add(record, image.astype(np.uint16), None)
        store = ChipStore.open(path)
        table = store.table.copy()
        table["split"] = splits
        stats = compute(store, np.arange(30))
        rewrite_table(path, table, stats=stats, split={"method": "random"})
        return ChipStore.open(path)

    return make


@pytest.fixture(scope="session")
def photo_store(tmp_path_factory: pytest.TempPathFactory) -> ChipStore:
    """Photos of 16 pixels, brighter by 100 in the colour that names them."""
    legend = Legend.of({"red": "#cc3333", "green": "#33aa33", "blue": "#3333cc"})
    rng, path = np.random.default_rng(0), tmp_path_factory.mktemp("photos") / "chips"
    info = StoreInfo(
        "photos", "made in the test", "CC0",
        tuple(Band(name, None, "uint8") for name in ("B04", "B03", "B02")), SIDE, 10.0, legend,
    )  # fmt: skip
    with StoreWriter(path, info) as writer:
        for number in range(42):
            image = rng.integers(60, 90, (SIDE, SIDE, 3), np.uint8)
            image[..., number % 3] += 100
            writer.add(
                ChipRecord(f"p{number}", "made", label=legend.names[number % 3]), image, None
            )
    store = ChipStore.open(path)
    table = store.table.copy()
    table["split"] = ["train"] * 30 + ["val"] * 12
    rewrite_table(path, table, stats=compute(store, np.arange(30)), split={"method": "random"})
    return ChipStore.open(path)
