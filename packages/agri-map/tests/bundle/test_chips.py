"""Chips as a model sees them: its bands in its order, normalised, and masks without no data."""

import numpy as np
import pytest
from agri_core.bands import Band
from agri_data.store.store import ChipRecord, ChipStore, StoreInfo, StoreWriter
from agri_map.bundle.chips import read_chips, read_labelled


@pytest.fixture
def store(tmp_path, legend):
    """Two chips of 2 x 2 with two bands; the first pixel of the second chip is no data."""
    bands = (Band("B02", None, "dn"), Band("B03", None, "dn"))
    info = StoreInfo("made", "made", "none", bands, 2, 10.0, legend, 0)
    images = np.array([[[[100, 30]] * 2] * 2, [[[0, 0], [100, 50]], [[100, 50]] * 2]], np.uint16)
    with StoreWriter(tmp_path / "chips", info) as writer:
        for number, image in enumerate(images):
            record = ChipRecord(f"c{number}", "made", split="val")
            writer.add(record, image, np.ones((2, 2), np.uint8))
    return ChipStore.open(tmp_path / "chips")


def test_bands_of_the_model_are_normalised(store, make_spec):
    spec = make_spec(bands=("B03", "B02"), mean=(10.0, 0.0), std=(10.0, 50.0))
    images, valid = read_chips(spec, store, np.array([1, 0]))
    assert images.shape == (2, 2, 2, 2)
    # (50 - 10) / 10 and (30 - 10) / 10; 100 / 50; no data is the mean
    assert images[0].tolist() == [[[0, 4], [4, 4]], [[0, 2], [2, 2]]]
    assert images[1].tolist() == [[[2, 2], [2, 2]], [[2, 2], [2, 2]]]
    assert valid.tolist() == [[[False, True], [True, True]], [[True, True], [True, True]]]


def test_masks_leave_out_pixels_without_data(store, make_spec):
    spec = make_spec(bands=("B03",), mean=(10.0,), std=(10.0,))
    images, truth = read_labelled(spec, store, np.array([0, 1]))
    assert truth.tolist() == [[[1, 1], [1, 1]], [[255, 1], [1, 1]]]
    assert np.array_equal(images, read_chips(spec, store, np.array([0, 1]))[0])
