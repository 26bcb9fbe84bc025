"""Stores of arrays that a test writes out."""

import numpy as np
import pytest
from agri_core.bands import Band
from agri_core.legend import Legend
from agri_data.store.stats import compute
from agri_data.store.store import ChipRecord, ChipStore, StoreInfo, StoreWriter, rewrite_table

THREE = Legend.of({"a": "#000000", "b": "#111111", "c": "#222222"})


@pytest.fixture
def write_store(tmp_path):
    """Write images `(N, H, W, C)` with masks `(N, H, W)` or labels `(N,)`."""

    def write(images, splits, masks=None, labels=None):
        bands = tuple(Band(f"B{i:02d}", None, "dn") for i in range(1, images.shape[-1] + 1))
        info = StoreInfo("made", "made", "none", bands, images.shape[1], 10.0, THREE, None)
        path = tmp_path / "chips"
        with StoreWriter(path, info) as writer:
            for i, (image, split) in enumerate(zip(images, splits, strict=True)):
                label = "" if labels is None else THREE.names[labels[i]]
                record = ChipRecord(f"c{i}", "made", label=label, split=split)
                writer.add(record, image, None if masks is None else masks[i])
        store = ChipStore.open(path)
        if "train" in splits:
            stats = compute(store, store.indices("train"))
            rewrite_table(path, store.table, split={"method": "test"}, stats=stats)
        return ChipStore.open(path)

    return write


@pytest.fixture
def three_classes(write_store):
    """Class = which of two bands is high, or none; twice as many pixels of c."""
    rng = np.random.default_rng(0)
    masks = rng.choice(3, (8, 16, 16), p=[0.25, 0.25, 0.5]).astype(np.uint8)
    images = rng.normal(100, 10, (8, 16, 16, 2))
    images[..., 0] += 200 * (masks == 0)
    images[..., 1] += 200 * (masks == 1)
    splits = ["train"] * 5 + ["val"] * 2 + ["test"]
    return write_store(images.astype(np.uint16), splits, masks)
