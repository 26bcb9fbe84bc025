"""Chips of a store as a model sees them: by the bundle's bands, in its normalisation."""

import numpy as np
from agri_core.legend import IGNORE
from agri_core.raster.validity import chip_validity
from agri_data.store.store import ChipStore
from numpy.typing import NDArray

from agri_map.bundle.preprocess import normalise
from agri_map.bundle.spec import BundleSpec

Rows = NDArray[np.int64]


def read_chips(
    spec: BundleSpec, store: ChipStore, rows: Rows
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return normalised images `(N, C, H, W)`, and which pixels `(N, H, W)` hold data."""
    images = store.images(rows, spec.bands)
    valid = chip_validity(images, store.info.nodata)
    return normalise(images, spec, valid), valid


def read_labelled(
    spec: BundleSpec, store: ChipStore, rows: Rows
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return normalised images `(N, C, H, W)` and masks `(N, H, W)`, 255 also without data."""
    images, valid = read_chips(spec, store, rows)
    truth = store.masks(rows)
    truth[~valid] = IGNORE
    return images, truth
