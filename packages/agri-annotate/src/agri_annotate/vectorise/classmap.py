"""Class maps and confidence as files: one band of whole numbers, in the pixels of a picture."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.errors import InputError
from agri_core.legend import IGNORE
from agri_core.raster import naming
from agri_core.raster.align import align
from agri_core.raster.grid import Grid
from agri_core.raster.naming import Naming
from agri_core.raster.opening import open_raster
from agri_core.raster.validity import keep_valid, masking_of
from numpy.typing import NDArray

from agri_annotate.model.pictures import Header, header

SUFFIXES = (".png", ".tif", ".tiff", ".gif", ".bmp")
DRIVERS = ("GTiff", "PNG", "GIF", "BMP")
MAX_PIXELS = 100_000_000
"""Of one picture: outlining takes some 20 bytes a pixel."""

PERCENT = 100


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
    """Read the legend, the class tags or the colour table of a map, if it has any."""
    with _open(path) as source:
        return naming.read_naming(source)


def is_placed(picture: Header) -> bool:
    """Whether a picture or a map has a georeference."""
    return picture.crs is not None and picture.transform is not None


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    """Open a raster of one band.

    Raises:
        InputError: it is none of `DRIVERS`; a JPEG's values are not those that were written.
    """
    with open_raster(path, path.name, DRIVERS) as source:
        # An alpha band marks where there is data; it is no band of classes.
        bands = source.count - (masking_of(source).alpha is not None)
        if bands != 1:
            raise InputError(
                f"{path.name} has {bands} bands; a map has one band of class numbers "
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
    with _open(path) as source, ExitStack() as stack:
        own, wanted = Grid.of(source), _grid(picture)
        if not (is_placed(place) and wanted is not None):
            if (place.height, place.width) != (picture.height, picture.width):
                raise InputError(_unlike(path, place, picture))
            wanted = own
        aligned = align(
            source,
            own,
            wanted,
            stack,
            masking=masking_of(source),
            nodata=source.nodata,
            resampling="nearest",
        )
        values, known = aligned.read(0, 0, wanted.shape, [0])
        keep_valid(known, values[..., 0], source.nodata)
        # Only a warped map can miss the picture; one in its own pixels may hold no data at all.
        if aligned.source is not source and not known.any():
            raise InputError(f"{path.name} does not cover the picture")
    return values[..., 0], known


def _grid(picture: Header) -> Grid | None:
    if not is_placed(picture):
        return None
    return Grid(picture.crs, picture.transform, picture.height, picture.width)


def _unlike(path: Path, place: Header, picture: Header) -> str:
    return (
        f"{path.name} has {place.width} x {place.height} pixels, its picture {picture.width} x "
        f"{picture.height}; they must be equal unless both are georeferenced"
    )
