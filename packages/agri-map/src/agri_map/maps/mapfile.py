"""Read a class map: its legend from the file itself, its pixels block by block."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from agri_core.files.errors import InputError
from agri_core.legend import IGNORE, Legend
from agri_core.raster import naming
from agri_core.raster.opening import SCENES, open_raster
from agri_core.raster.validity import keep_valid, masking_of
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.io import DatasetReader
from rasterio.windows import Window

Codes = NDArray[np.uint8]


@contextmanager
def open_map(path: Path) -> Iterator[DatasetReader]:
    """Open a raster of class codes: one band of 8-bit whole numbers, and perhaps an alpha band.

    Raises:
        MissingError: No such file.
        InputError: Not a raster of class codes, or damaged.
    """
    with open_raster(path, formats=SCENES) as dataset:
        bands = dataset.count - (masking_of(dataset).alpha is not None)
        if bands != 1 or dataset.dtypes[0] != "uint8":
            raise InputError(
                f"{path} is not a class map: expected one band of uint8, got {bands} band(s) of "
                f"{dataset.dtypes[0]}"
            )
        yield dataset


def read_legend(dataset: DatasetReader) -> Legend:
    """Return the classes of a map: from our tags, else from class-name tags and the palette.

    A map by someone else without names gets `class 0`, `class 1`, ... up to its largest code.
    """
    return naming.read_legend(dataset, _codes(dataset))


def read_codes(
    dataset: DatasetReader, window: Window | None = None, shape: tuple[int, int] | None = None
) -> Codes:
    """Read class codes `(H, W)`; 255 where the map has no data by its value, mask or alpha band.

    Args:
        dataset: From `open_map`.
        window: The part to read, everything by default.
        shape: Rows and columns to thin it to, nearest pixel each.
    """
    codes = dataset.read(1, window=window, out_shape=shape, resampling=Resampling.nearest)
    valid = np.ones(codes.shape, np.bool_)
    keep_valid(valid, codes, dataset.nodata)
    unmasked = masking_of(dataset).read(dataset, window, shape)
    codes[~(valid if unmasked is None else valid & unmasked)] = IGNORE
    found: Codes = codes
    return found


def read_blocks(dataset: DatasetReader) -> Iterator[tuple[Window, Codes]]:
    """Read a class map in bands of whole rows, from top to bottom; no-data becomes 255."""
    step = max(1, dataset.block_shapes[0][0])
    for top in range(0, dataset.height, step):
        window = Window(0, top, dataset.width, min(step, dataset.height - top))
        yield window, read_codes(dataset, window)


def count_pixels(path: Path) -> NDArray[np.int64]:
    """Count the pixels of each value, `(256,)`."""
    with open_map(path) as dataset:
        return _count(dataset)


def _codes(dataset: DatasetReader) -> Iterator[int]:
    """Yield the codes that occur; nothing is read before the first is asked for."""
    yield from np.flatnonzero(_count(dataset)[:IGNORE]).tolist()


def _count(dataset: DatasetReader) -> NDArray[np.int64]:
    counts = np.zeros(256, np.int64)
    for _, block in read_blocks(dataset):
        counts += np.bincount(block.ravel(), minlength=256)
    return counts
