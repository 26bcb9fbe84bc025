"""Open imagery files with care: only formats we mean to read, and no decompression bombs.

A `.tif` that is really a VRT can name any file or URL; GDAL would follow it. So the first bytes
choose the one driver that may open a file.
"""

import math
import warnings
from pathlib import Path

import numpy as np
import rasterio
from agri_core.files.errors import InputError, MissingError
from rasterio.io import DatasetReader

MAX_BANDS = 512
MAX_BLOCK = 2**30
MAX_SIDE = 400_000
BOMB_BYTES = 4 * 2**30
BOMB_RATIO = 1500
"""Deflate cannot exceed 1032:1; a larger file that claims more holds nothing."""

DTYPES = frozenset({"uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"})
_MAGIC = {
    b"II*\0": "GTiff",
    b"MM\0*": "GTiff",
    b"II+\0": "GTiff",
    b"MM\0+": "GTiff",
    b"\0\0\0\x0cjP  ": "JP2OpenJPEG",
    b"\xffO\xffQ": "JP2OpenJPEG",
}


def open_raster(path: Path | str) -> DatasetReader:
    """Open a GeoTIFF or JPEG 2000 file for reading.

    Raises:
        MissingError: No such file.
        InputError: Another format (whatever its name), damaged, or of an absurd size.
    """
    path = Path(path)
    driver = _driver(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            dataset = rasterio.open(path, driver=driver)
    except rasterio.errors.RasterioError as error:
        raise InputError(f"{path} cannot be read, it is damaged or cut short: {error}") from error
    try:
        _check_size(dataset, path)
    except InputError:
        dataset.close()
        raise
    return dataset


def damaged(path: Path | str, error: Exception) -> InputError:
    """Give the error of a raster whose pixels cannot be decoded."""
    return InputError(
        f"{path} cannot be read to its end, it is damaged or cut short "
        f"(copy or download it again): {error}"
    )


def _driver(path: Path) -> str:
    if not path.is_file():
        raise MissingError(f"there is no raster file {path}; expected a GeoTIFF or JPEG 2000 file")
    with path.open("rb") as stream:
        head = stream.read(8)
    for magic, driver in _MAGIC.items():
        if head.startswith(magic):
            return driver
    raise InputError(
        f"{path} is neither a GeoTIFF nor a JPEG 2000 file (its content was looked at, not its "
        "name); virtual rasters and other formats must be converted first, for example with "
        "`gdal_translate`"
    )


def _check_size(dataset: DatasetReader, path: Path) -> None:
    unknown = set(dataset.dtypes) - DTYPES
    if unknown:
        raise InputError(f"{path} has pixels of type {', '.join(unknown)}; expected real numbers")
    itemsize = max(np.dtype(dtype).itemsize for dtype in dataset.dtypes)
    declared = dataset.width * dataset.height * dataset.count * itemsize
    block = max(math.prod(shape) for shape in dataset.block_shapes) * itemsize
    if dataset.count > MAX_BANDS or max(dataset.shape) > MAX_SIDE or block > MAX_BLOCK:
        raise InputError(
            f"{path} claims {dataset.width} x {dataset.height} pixels, {dataset.count} bands and "
            f"blocks of {block} bytes; the limits are {MAX_SIDE} a side, {MAX_BANDS} bands and "
            f"{MAX_BLOCK} bytes"
        )
    size = path.stat().st_size
    if declared > BOMB_BYTES and declared > BOMB_RATIO * size:
        raise InputError(
            f"{path} has {size} bytes but claims to unpack to {declared}; refused as a "
            "decompression bomb"
        )
