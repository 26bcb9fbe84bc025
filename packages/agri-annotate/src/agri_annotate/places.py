"""The places of the pictures in a folder."""

from collections.abc import Mapping
from pathlib import Path

from pyproj import CRS

from agri_annotate.bands import open_bands
from agri_annotate.errors import InputError, MissingError
from agri_annotate.place import Place, parse_crs
from agri_annotate.project import Problem

SUFFIXES = frozenset({".tif", ".tiff", ".jpg", ".jpeg", ".png", ".webp", ".bmp", ".jp2"})


def list_pictures(folder: Path) -> dict[str, Path]:
    """Give the pictures in a folder, not below it, by name, sorted.

    Raises:
        MissingError: there is no such folder, or no picture in it.
    """
    if not folder.is_dir():
        raise MissingError(f"there is no folder of pictures {folder}")
    found = (path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    pictures = {path.name: path for path in sorted(found) if path.is_file()}
    if not pictures:
        raise MissingError(f"there is no picture ({', '.join(sorted(SUFFIXES))}) in {folder}")
    return pictures


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
    with open_bands(path) as image:
        (height, width), transform = image.shape, image.transform
        own = parse_crs(image.crs.to_wkt()) if image.crs else None
    if transform.is_identity:
        raise InputError("it says nothing of where it lies: no GeoTIFF, no world file beside it")
    system = own or crs
    if system is None:
        raise InputError("it has a place but no coordinate reference system; state --crs")
    return Place(height, width, system, transform)
