"""The places of the pictures in a folder."""

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

import rasterio
from pyproj import CRS
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from agri_annotate.errors import InputError
from agri_annotate.place import Place, parse_crs
from agri_annotate.project import Problem

DRIVERS = ["GTiff", "JPEG", "PNG", "WEBP", "BMP", "JP2OpenJPEG"]
"""Formats that hold pictures themselves; others name files elsewhere."""

SUFFIXES = frozenset({".tif", ".tiff", ".jpg", ".jpeg", ".png", ".webp", ".bmp", ".jp2"})


def list_pictures(folder: Path) -> dict[str, Path]:
    """Give the pictures of a folder by name, sorted."""
    found = (path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    return {path.name: path for path in sorted(found) if path.is_file()}


def read_places(
    pictures: Mapping[str, Path], crs: CRS | None = None
) -> tuple[dict[str, Place], list[Problem]]:
    """Read where pictures lie, from their headers and the world files beside them.

    Args:
        pictures: paths by name.
        crs: of pictures that say none of their own.
    """
    places: dict[str, Place] = {}
    problems: list[Problem] = []
    for name, path in pictures.items():
        try:
            places[name] = read_place(path, crs)
        except InputError as error:
            problems.append(Problem(name, str(error), "note"))
    return places, problems


def read_place(path: Path, crs: CRS | None = None) -> Place:
    """Read where a picture lies.

    Raises:
        InputError: it is no picture, has no georeference, or no CRS and none is given.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        try:
            with rasterio.open(path, driver=DRIVERS) as dataset:
                height, width = dataset.shape
                own, transform = dataset.crs, dataset.transform
        except (RasterioError, OSError) as error:
            raise InputError(f"it cannot be read as a picture ({error})") from error
    if transform.is_identity:
        raise InputError("it says nothing of where it lies: no GeoTIFF, no world file beside it")
    found = parse_crs(own.to_wkt()) if own else crs
    if found is None:
        raise InputError("it has a place but no coordinate reference system; state --crs")
    return Place(height, width, found, transform)


def names_of(pictures: Iterable[str]) -> str:
    """List a few names for a message."""
    listed = sorted(pictures)
    return ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")
