"""Opening rasters: the first bytes choose the one driver that may read a file, sizes are capped.

GDAL left to itself opens a VRT that is named `.tif`, and a VRT reads any file or address it likes.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import MemoryFile

from agri_core.files.errors import InputError, MissingError
from agri_core.files.ownership import add_input
from agri_core.raster.sidefiles import check_overview_tag, check_side_files

# Imagery without a georeference is ordinary here; a filter per call is not thread-safe.
warnings.filterwarnings("ignore", category=NotGeoreferencedWarning)

SCENES = ("GTiff", "JP2OpenJPEG")
"""Formats of georeferenced imagery and of maps."""

IMAGES = (*SCENES, "PNG", "JPEG")
PICTURES = (*IMAGES, "WEBP", "BMP", "GIF")
"""Formats of pictures for annotation."""

FORMATS = {
    "GTiff": "GeoTIFF",
    "JP2OpenJPEG": "JPEG 2000",
    "PNG": "PNG",
    "JPEG": "JPEG",
    "WEBP": "WebP",
    "BMP": "BMP",
    "GIF": "GIF",
}
"""GDAL's drivers and the common names of their files."""

DTYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")
"""What pixels may be; complex numbers are radar products that no model here takes."""

MAX_BANDS = 512
"""Hyperspectral sensors have under 300 (EnMAP 224, PRISMA 239)."""

MAX_SIDE = 400_000
"""Pixels; a global mosaic at 100 m has 400 750."""

MAX_BLOCK_BYTES = 512 * 1024 * 1024
"""GDAL decodes whole blocks: one strip may be a Sentinel-2 band, 241 MB, not a mosaic."""

BOMB_BYTES = 4 * 1024**3
BOMB_RATIO = 1500
"""Deflate cannot exceed 1032:1 (RFC 1951); a file that claims more holds nothing."""

CACHE_BYTES = 384 * 1024 * 1024
"""One row of blocks of a 10 980 px, 13-band scene fits; small files never fill it."""

# Damaged blocks raise, whatever the environment of the user asks for.
_OPTIONS = {"GDAL_NUM_THREADS": "ALL_CPUS", "GTIFF_IGNORE_READ_ERRORS": "NO"}
# Bytes; the longest signatures, of JPEG 2000 and WebP, end with the twelfth.
_HEAD = 16
_MAGIC = (
    (b"II*\0", "GTiff"),
    (b"MM\0*", "GTiff"),
    (b"II+\0", "GTiff"),
    (b"MM\0+", "GTiff"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JP2OpenJPEG"),
    (b"\xff\x4f\xff\x51", "JP2OpenJPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"BM", "BMP"),
    (b"GIF8", "GIF"),
)


@contextmanager
def open_raster(
    source: Path | bytes, where: str | None = None, formats: Sequence[str] = IMAGES
) -> Iterator[Any]:
    """Open a raster file, or the bytes of one, and yield the rasterio dataset.

    Errors of GDAL inside the block become one `InputError` that names the file.

    Args:
        source: path or content.
        where: name for messages; the path by default.
        formats: drivers that are allowed, keys of `FORMATS`.

    Raises:
        MissingError: there is no such file.
        InputError: it has another format (whatever its name), is damaged, is too large to be
            true, or takes overviews or a mask from what is no plain TIFF.
    """
    name = where or (str(source) if isinstance(source, Path) else "the raster")
    with rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES), reading(name), ExitStack() as stack:
        yield _open(source, name, formats, stack)


def opened(path: Path, stack: ExitStack, formats: Sequence[str] = SCENES) -> Any:
    """Open a raster file that stays open until `stack` closes it.

    The caller turns errors of later reads into one of the user's with `reading`, and sets the
    size of GDAL's cache: rasterio's `Env` must not outlive the block that entered it.

    Raises:
        MissingError: there is no such file.
        InputError: as of `open_raster`.
    """
    with reading(str(path)):
        return _open(path, str(path), formats, stack)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Convert errors of GDAL inside the block to one `InputError` about the raster `name`."""
    try:
        yield
    except (RasterioError, CPLE_BaseError) as error:
        reason = " ".join(str(error.__cause__ or error).split())
        raise InputError(
            f"{name} cannot be read, it is truncated or damaged ({reason}); copy or download it "
            "again"
        ) from error


def driver_of(head: bytes, where: str, formats: Sequence[str] = IMAGES) -> str:
    """Return the GDAL driver for a file that begins with `head`.

    Raises:
        InputError: it has none of the `formats`.
    """
    found = next((driver for magic, driver in _MAGIC if head.startswith(magic)), "")
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        found = "WEBP"
    if found in formats:
        return found
    what = f"begins with {head[:8]!r}" if head else "is empty"
    *names, last = [FORMATS[each] for each in formats]
    listed = f"{', '.join(names)} or {last}" if names else last
    raise InputError(
        f"{where} {what}; expected a {listed} file. The content decides, not the name; convert "
        "virtual rasters and other formats first, for example with 'gdal_translate'"
    )


def _open(
    source: Path | bytes, name: str, formats: Sequence[str], stack: ExitStack
) -> rasterio.DatasetReader:
    driver = driver_of(_head(source), name, formats)
    with rasterio.Env(**_OPTIONS), ExitStack() as own:
        if isinstance(source, bytes):
            memory = own.enter_context(MemoryFile(source))
            dataset = own.enter_context(memory.open(driver=driver))
        else:
            add_input(source)
            check_side_files(source.absolute())
            # GDAL takes a relative name such as "a:b" or "/vsi..." for something else than a file.
            dataset = own.enter_context(rasterio.open(source.absolute(), driver=driver))
        check_overview_tag(dataset, name)
        _check_pixels(dataset, name)
        _check_size(dataset, name, source)
        stack.enter_context(own.pop_all())
    return dataset


def _head(source: Path | bytes) -> bytes:
    if isinstance(source, bytes):
        return source[:_HEAD]
    if not source.is_file():
        raise MissingError(f"there is no raster file {source}")
    with source.open("rb") as stream:
        return stream.read(_HEAD)


def _check_pixels(dataset: Any, name: str) -> None:
    kinds = sorted(set(dataset.dtypes))
    if len(kinds) > 1 or kinds[0] not in DTYPES:
        raise InputError(f"{name} holds {', '.join(kinds)}; expected one of {', '.join(DTYPES)}")
    if dataset.count > MAX_BANDS:
        raise InputError(f"{name} has {dataset.count} bands, more than {MAX_BANDS}")


def _check_size(dataset: Any, name: str, source: Path | bytes) -> None:
    item = np.dtype(dataset.dtypes[0]).itemsize
    if max(dataset.shape) > MAX_SIDE:
        raise InputError(
            f"{name} has {dataset.width} x {dataset.height} pixels, more than {MAX_SIDE} a side"
        )
    rows, cols = (max(side) for side in zip(*dataset.block_shapes, strict=True))
    if rows * cols * item > MAX_BLOCK_BYTES:
        raise InputError(
            f"{name} is stored in blocks of {rows}x{cols} pixels, too large to read safely; "
            "rewrite it with 'gdal_translate -co TILED=YES'"
        )
    declared = dataset.width * dataset.height * dataset.count * item
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if declared > BOMB_BYTES and declared > BOMB_RATIO * size:
        raise InputError(
            f"{name} has {size} bytes but claims to unpack to {declared}; refused as a "
            "decompression bomb"
        )
