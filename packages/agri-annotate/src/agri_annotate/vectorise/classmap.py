"""Class maps and confidence as files: one band of whole numbers, in the pixels of a picture."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.errors import InputError
from agri_core.legend import IGNORE
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import CRSError, RasterioError
from rasterio.vrt import WarpedVRT

from agri_annotate.model.pictures import Header, header, open_raster

SUFFIXES = (".png", ".tif", ".tiff", ".gif", ".bmp")
DRIVERS = ("GTiff", "PNG", "GIF", "BMP")
MAX_PIXELS = 100_000_000
"""Of one picture: outlining takes some 20 bytes a pixel."""

PERCENT = 100
NEAR = 1e-3
"""Two grids are one if they differ by less than this part of a pixel."""


@dataclass(frozen=True, slots=True)
class Naming:
    """What a map's own file says of its classes: a name and a colour by value."""

    names: Mapping[int, str] = field(default_factory=dict)
    colours: Mapping[int, str] = field(default_factory=dict)


def read_map(path: Path, picture: Header, *, binary: bool = False) -> NDArray[np.int64]:
    """Read the classes of a picture's pixels, `(height, width)`; 255 where none is known.

    A map of another grid than the picture's is read where the picture lies, the nearest pixel
    each; without a georeference of both the sizes must be equal.

    Args:
        path: of one band of whole numbers.
        picture: whose pixels are asked for.
        binary: whether every value but 0 is class 1, as in masks of 0 and 255.

    Raises:
        InputError: it is no class map, or does not fit the picture.
    """
    values, known = _read(path, picture)
    if not np.issubdtype(values.dtype, np.integer):
        raise InputError(f"{path.name} holds {values.dtype}; a class map holds whole numbers")
    codes = (values != 0).astype(np.int64) if binary else values.astype(np.int64)
    codes[~known] = IGNORE
    return codes


def read_confidence(path: Path, picture: Header) -> NDArray[np.float64]:
    """Read a confidence, 0 to 1, `(height, width)`; NaN where none is known.

    Whole numbers are percent and 255 is unknown; others are percent where one is above 1.

    Raises:
        InputError: it holds other values, or does not fit the picture.
    """
    values, known = _read(path, picture)
    whole = np.issubdtype(values.dtype, np.integer)
    if whole:
        known = known & (values != IGNORE)
    share = np.where(known, values, np.nan).astype(np.float64)
    low, high = (np.nanmin(share), np.nanmax(share)) if np.isfinite(share).any() else (0.0, 0.0)
    if low < 0 or high > PERCENT:
        raise InputError(
            f"{path.name} holds {low:g} to {high:g}; a confidence is 0 to 1 or percent"
        )
    return share / PERCENT if whole or high > 1 else share


def read_naming(path: Path) -> Naming:
    """Read the colour table and the tags `CLASS_0`, `CLASS_1`, ... of a map or its band, if any."""
    with _open(path) as source:
        tags = source.tags() | source.tags(1)
        try:
            table = source.colormap(1)
        except ValueError:
            table = {}
    names = {code: tags[f"CLASS_{code}"] for code in range(IGNORE) if f"CLASS_{code}" in tags}
    return Naming(names, {code: "#{:02x}{:02x}{:02x}".format(*rgb) for code, rgb in table.items()})


def is_placed(picture: Header) -> bool:
    """Whether a picture or a map has a georeference."""
    return picture.crs is not None and picture.transform is not None


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    """Open a raster of one band.

    Raises:
        InputError: it is none of `DRIVERS`; a JPEG's values are not those that were written.
    """
    with open_raster(path, DRIVERS) as source:
        if source.count != 1:
            raise InputError(
                f"{path.name} has {source.count} bands; a map has one band of class numbers "
                "(grey or palette), not the colours of a picture"
            )
        yield source


def _read(path: Path, picture: Header) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Read values and where they are known, both `(height, width)` of the picture."""
    if picture.height * picture.width > MAX_PIXELS:
        raise InputError(
            f"{picture.width} x {picture.height} pixels are over {MAX_PIXELS:,}; cut the picture"
        )
    place = header(path)
    with _open(path) as source:
        try:
            if is_placed(place) and is_placed(picture) and not _same_grid(place, picture):
                return _window(source, picture)
            if (place.height, place.width) != (picture.height, picture.width):
                raise InputError(_unlike(path, place, picture))
            return source.read(1), source.read_masks(1) > 0
        except (RasterioError, CRSError) as error:
            raise InputError(f"{path.name} is damaged, or lies nowhere: {error}") from error


def _window(source: Any, picture: Header) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    with WarpedVRT(
        source,
        crs=picture.crs,
        transform=picture.transform,
        height=picture.height,
        width=picture.width,
        resampling=Resampling.nearest,
        add_alpha=True,
    ) as placed:
        values, alpha = placed.read()
    if not alpha.any():
        raise InputError(f"{Path(source.name).name} does not cover the picture")
    return values, alpha > 0


def _same_grid(first: Header, second: Header) -> bool:
    if (first.height, first.width) != (second.height, second.width) or first.crs != second.crs:
        return False
    if first.transform.is_degenerate or second.transform.is_degenerate:
        raise InputError("its georeference has pixels without area")
    corners = [(0, 0), (first.width, 0), (0, first.height), (first.width, first.height)]
    there = np.array([~first.transform * (second.transform * corner) for corner in corners])
    return bool(np.abs(there - corners).max() < NEAR)


def _unlike(path: Path, place: Header, picture: Header) -> str:
    return (
        f"{path.name} has {place.width} x {place.height} pixels, its picture {picture.width} x "
        f"{picture.height}; they must be equal unless both are georeferenced"
    )
