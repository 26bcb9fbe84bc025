"""Opening rasters safely: the driver is chosen by the file's first bytes, sizes are capped.

GDAL left to itself opens a VRT that is named `.tif`, and a VRT reads any file or address it likes.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from agri_core.files.errors import InputError, MissingError
from numpy.typing import NDArray
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import MemoryFile
from rasterio.transform import Affine

from agri_data.sources.readers.place import crs_text

# Chips without a place on the ground are ordinary here; a filter per call is not thread-safe.
warnings.filterwarnings("ignore", category=NotGeoreferencedWarning)

DRIVERS = (
    (b"II*\0", "GTiff"),
    (b"MM\0*", "GTiff"),
    (b"II+\0", "GTiff"),
    (b"MM\0+", "GTiff"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JP2OpenJPEG"),
)
DTYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")
MAX_BANDS = 512
MAX_BLOCK_BYTES = 512 * 1024 * 1024
MAX_READ_BYTES = 4 * 1024**3
BOMB_BYTES = 4 * 1024**3
BOMB_RATIO = 1500
"""Deflate cannot exceed 1032:1; a larger file that claims more holds nothing."""

CACHE_BYTES = 384 * 1024 * 1024
"""Enough for one row of blocks of a 10 980 px, 13-band scene; small files never fill it."""

_OPTIONS = {
    "GDAL_CACHEMAX": CACHE_BYTES,
    "GDAL_NUM_THREADS": "ALL_CPUS",
    "GTIFF_IGNORE_READ_ERRORS": "NO",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a raster file says of itself.

    Attributes:
        name: the file, for messages.
        driver: "GTiff", "PNG", "JPEG" or "JP2OpenJPEG".
        shape: `(height, width)`.
        count: number of bands.
        dtype: of every band.
        crs: the coordinate reference system, None where there is none.
        transform: pixel to ground, None where there is none.
        nodata: the value that means "no data", None where there is none.
        names: band descriptions; empty unless every band has one and no two are equal.
        alpha: whether the last band is marked as transparency.
    """

    name: str
    driver: str
    shape: tuple[int, int]
    count: int
    dtype: str
    crs: Any
    transform: Affine | None
    nodata: float | None
    names: tuple[str, ...]
    alpha: bool = False

    def without_alpha(self, declared: int) -> Facts:
        """Return the facts without an alpha band, which is one only if it is not `declared`.

        GDAL marks the fourth band of any 8-bit file as alpha unless told otherwise, so the mark
        alone would make near infrared a transparency.
        """
        if not self.alpha or self.count != declared + 1:
            return self
        return replace(self, count=declared, names=self.names[:declared], alpha=False)

    @property
    def crs_text(self) -> str:
        """The CRS as text, "" where there is none."""
        return crs_text(self.crs)

    @property
    def nbytes(self) -> int:
        """Size of all pixels in memory."""
        return self.shape[0] * self.shape[1] * self.count * np.dtype(self.dtype).itemsize


def driver_of(head: bytes, where: str) -> str:
    """Return the GDAL driver for a file that begins with `head`.

    Raises:
        InputError: it is none of the formats we read.
    """
    for magic, driver in DRIVERS:
        if head.startswith(magic):
            return driver
    what = "is empty" if not head else f"begins with {head[:8]!r}"
    raise InputError(f"{where} {what}; expected a GeoTIFF, JPEG 2000, PNG or JPEG file")


@contextmanager
def open_raster(source: Path | bytes, where: str | None = None) -> Iterator[Any]:
    """Open a raster file, or the bytes of one, and yield the rasterio dataset.

    Errors of GDAL inside the block become one `InputError` that names the file.

    Raises:
        MissingError: there is no such file.
        InputError: it is not a raster we read, is damaged, or is too large to be true.
    """
    name = where or str(source)
    try:
        with rasterio.Env(**_OPTIONS), _opened(source, name) as dataset:
            _check(dataset, name)
            _check_bomb(dataset, name, source)
            yield dataset
    except (RasterioError, rasterio._err.CPLE_BaseError) as error:
        reason = " ".join(str(error.__cause__ or error).split())
        raise InputError(
            f"{name} cannot be read, it is truncated or damaged ({reason}); get the file anew"
        ) from error


def facts_of(dataset: Any, where: str) -> Facts:
    """Return what an open dataset says of itself."""
    descriptions = tuple(text or "" for text in dataset.descriptions)
    named = all(descriptions) and len(set(descriptions)) == len(descriptions)
    has_place = dataset.crs is not None or not dataset.transform.is_identity
    return Facts(
        name=where,
        driver=dataset.driver,
        shape=(dataset.height, dataset.width),
        count=dataset.count,
        dtype=dataset.dtypes[0],
        crs=dataset.crs,
        transform=dataset.transform if has_place else None,
        nodata=dataset.nodata,
        names=descriptions if named else (),
        alpha=dataset.colorinterp[-1] == ColorInterp.alpha,
    )


def read_facts(path: Path) -> Facts:
    """Return what a raster file says of itself, without its pixels."""
    with open_raster(path) as dataset:
        return facts_of(dataset, str(path))


def read_tiff(source: Path | bytes, where: str | None = None) -> tuple[NDArray[Any], Facts]:
    """Read a whole raster as `(H, W, C)` in its own dtype.

    Raises:
        InputError: it cannot be read, or is larger than `MAX_READ_BYTES`.
    """
    name = where or str(source)
    with open_raster(source, name) as dataset:
        facts = facts_of(dataset, name)
        if facts.nbytes > MAX_READ_BYTES:
            raise InputError(
                f"{name} takes {facts.nbytes} bytes in memory, more than {MAX_READ_BYTES}; "
                "describe it as 'kind: scenes', which reads in windows"
            )
        return np.ascontiguousarray(np.moveaxis(dataset.read(), 0, -1)), facts


def valid_pixels(image: NDArray[Any], nodata: float | None) -> NDArray[np.bool_]:
    """Return `(H, W)`: whether a pixel of `(H, W, C)` is finite and not `nodata` in every band."""
    valid = np.ones(image.shape[:2], np.bool_)
    if np.issubdtype(image.dtype, np.floating):
        valid &= np.isfinite(image).all(axis=-1)
    if nodata is not None and not np.isnan(nodata):
        valid &= (image != nodata).all(axis=-1)
    return valid


@contextmanager
def _opened(source: Path | bytes, name: str) -> Iterator[Any]:
    if isinstance(source, bytes):
        driver = driver_of(source[:16], name)
        with MemoryFile(source) as memory, memory.open(driver=driver) as dataset:
            yield dataset
        return
    if not source.is_file():
        raise MissingError(f"there is no file {source}")
    with source.open("rb") as stream:
        driver = driver_of(stream.read(16), name)
    with rasterio.open(source.absolute(), driver=driver) as dataset:
        yield dataset


def _check(dataset: Any, name: str) -> None:
    kinds = sorted(set(dataset.dtypes))
    if len(kinds) > 1 or kinds[0] not in DTYPES:
        raise InputError(f"{name} holds {', '.join(kinds)}; expected one of {', '.join(DTYPES)}")
    if dataset.count > MAX_BANDS:
        raise InputError(f"{name} has {dataset.count} bands, more than {MAX_BANDS}")
    item = np.dtype(kinds[0]).itemsize
    rows, cols = (max(side) for side in zip(*dataset.block_shapes, strict=True))
    if rows * cols * item > MAX_BLOCK_BYTES:
        raise InputError(
            f"{name} is stored in blocks of {rows}x{cols} pixels, too large to read safely; "
            "rewrite it with 'gdal_translate -co TILED=YES'"
        )


def _check_bomb(dataset: Any, name: str, source: Path | bytes) -> None:
    item = np.dtype(dataset.dtypes[0]).itemsize
    declared = dataset.width * dataset.height * dataset.count * item
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if declared > BOMB_BYTES and declared > BOMB_RATIO * size:
        raise InputError(
            f"{name} has {size} bytes but claims to unpack to {declared}; refused as a "
            "decompression bomb"
        )
