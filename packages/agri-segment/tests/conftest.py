import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from dataclasses import replace

import numpy as np
import pytest
from agri_core.bands import Band
from agri_core.legend import Legend
from agri_data.store.stats import compute
from agri_data.store.store import ChipRecord, ChipStore, StoreInfo, StoreWriter, rewrite_table

TWO = Legend.of({"other": "#c8c8c8", "arable": "#e8c547"})


@pytest.fixture(scope="session")
def make_store():
    """Write a store of images (N, H, W, C) and masks (N, H, W); one group and split a chip."""

    def make(
        path, images, masks, *, bands, legend=TWO, splits, groups=None, unit="dn", nodata=None
    ):
        info = StoreInfo(
            name="made",
            source="made for a test",
            licence="none",
            bands=tuple(Band(name, None, unit) for name in bands),
            chip_size=images.shape[1],
            pixel_size=10.0,
            legend=legend,
            nodata=nodata,
        )
        with StoreWriter(path, info) as writer:
            for i, (image, mask) in enumerate(zip(images, masks, strict=True)):
                group = groups[i] if groups else f"place-{i}"
                writer.add(ChipRecord(f"chip-{i}", f"{group}.tif", group=group), image, mask)
        table = ChipStore.open(path).table.assign(split=list(splits))
        record = {"method": "group", "unit": "group"}
        rewrite_table(path, table, split=record, stats=None)
        stats = compute(ChipStore.open(path))
        rewrite_table(path, table, split=record, stats=stats)
        return ChipStore.open(path)

    return make


@pytest.fixture(scope="session")
def hidden_band(make_store, tmp_path_factory):
    """Twelve bands of noise; the class, in random squares of 8 pixels, is only in B09."""
    bands = [f"B{i:02d}" for i in range(1, 9)] + ["B8A", "B09", "B11", "B12"]
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 2, (40, 4, 4))
    masks = coarse.repeat(8, axis=1).repeat(8, axis=2).astype(np.uint8)
    images = rng.normal(1000, 100, (40, 32, 32, 12))
    images[..., bands.index("B09")] += 600.0 * masks
    splits = ["train"] * 28 + ["val"] * 6 + ["test"] * 6
    path = tmp_path_factory.mktemp("hidden") / "chips"
    return make_store(path, images.astype(np.uint16), masks, bands=bands, splits=splits)


@pytest.fixture
def line_bundle():
    """Write a bundle of one 1x1 convolution: scores = weights @ bands + bias, then softmax."""
    import torch
    from agri_map.bundle.spec import BundleSpec
    from agri_train.bundle.export import export_bundle

    def make(path, store, weights, bias, bands=None, **changes):
        bands = tuple(bands or store.bands)
        net = torch.nn.Conv2d(len(bands), len(store.legend), 1)
        with torch.no_grad():
            net.weight.copy_(torch.tensor(weights, dtype=torch.float32)[:, :, None, None])
            net.bias.copy_(torch.tensor(bias, dtype=torch.float32))
        spec = BundleSpec(
            name=path.stem,
            task="segment",
            bands=bands,
            unit="dn",
            mean=(0.0,) * len(bands),
            std=(1.0,) * len(bands),
            legend=store.legend,
            tile=16,
            overlap=4,
            dataset=store.fingerprint,
            split=store.split_fingerprint,
            arch="line",
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        export_bundle(net, replace(spec, **changes), "multiclass", path, sizes=[(1, 4, 4)])
        return path

    return make


@pytest.fixture
def small_store(make_store, tmp_path):
    """Chips of 2x2 with one band and two classes.

    The rule "above 5 is arable" gives, on the two val chips:

        chip 2 (place b)   values 9 9 | 1 1, truth 1 0 | 0 255 -> 1>1, 0>1, 0>0, ignored
        chip 3 (place c)   values 9 1 | 1 1, truth 1 1 | 0 0   -> 1>1, 1>0, 0>0, 0>0
    """
    values = [[9, 9, 1, 1], [9, 1, 9, 1], [9, 9, 1, 1], [9, 1, 1, 1], [9, 9, 9, 1]]
    truth = [[1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 255], [1, 1, 0, 0], [1, 1, 0, 0]]
    images = np.array(values, np.uint16).reshape(-1, 2, 2, 1)
    masks = np.array(truth, np.uint8).reshape(-1, 2, 2)
    splits = ["train", "train", "val", "val", "test"]
    return make_store(
        tmp_path / "chips", images, masks, bands=["B04"], splits=splits, groups=list("aabcd")
    )
