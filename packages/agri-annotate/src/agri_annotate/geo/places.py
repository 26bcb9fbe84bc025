"""The places of the pictures in a folder."""

from collections.abc import Mapping
from pathlib import Path

from agri_core.files.errors import InputError, MissingError
from agri_core.files.folders import files_in
from agri_core.vector.crs import parse_crs
from pyproj import CRS

from agri_annotate.geo.place import Place
from agri_annotate.model.pictures import Header, header
from agri_annotate.model.project import Problem

SUFFIXES = frozenset({".tif", ".tiff", ".jpg", ".jpeg", ".png", ".webp", ".bmp", ".jp2"})

TURNED = (
    "the picture has an EXIF orientation: VIA shows it turned, its georeference is that of the "
    "stored pixels, so regions may be misplaced; store the picture upright"
)


def list_pictures(folder: Path) -> dict[str, Path]:
    """Return the pictures in a folder, not below it, by name, in natural order.

    Raises:
        MissingError: there is no such folder, or no picture in it.
    """
    if not folder.is_dir():
        raise MissingError(f"there is no folder of pictures {folder}")
    pictures = {path.name: path for path in files_in(folder, SUFFIXES)}
    if not pictures:
        raise MissingError(f"there is no picture ({', '.join(sorted(SUFFIXES))}) in {folder}")
    return pictures


def read_places(
    pictures: Mapping[str, Path], crs: CRS | None = None
) -> tuple[dict[str, Place], list[Problem]]:
    """Read where pictures lie, from their headers and the world files next to them.

    Args:
        pictures: paths by name.
        crs: of pictures that have none of their own.
    """
    places: dict[str, Place] = {}
    problems: list[Problem] = []
    for name, path in pictures.items():
        try:
            found = header(path)
            places[name] = place_of(found, crs)
        except InputError as error:
            problems.append(Problem(name, str(error), "note"))
            continue
        if found.turned:
            problems.append(Problem(name, TURNED, "changed"))
    return places, problems


def place_of(found: Header, crs: CRS | None = None) -> Place:
    """Return the place of a picture by its header.

    Raises:
        InputError: it has no georeference, or no CRS and none is given.
    """
    if found.transform is None:
        raise InputError("it has no georeference: it is no GeoTIFF and has no world file")
    system = parse_crs(found.crs.to_wkt()) if found.crs else crs
    if system is None:
        raise InputError("it has a place but no coordinate reference system; state --crs")
    return Place(found.height, found.width, system, found.transform)
