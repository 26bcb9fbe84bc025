"""Reading of users' vector files: GeoJSON, GeoPackage and Shapefile, detected by their content.

Every layer with geometries is read where there is no doubt, a layer by name where there are more.
A null geometry and one that is no number stay as None, so that each caller can count them.
"""

from __future__ import annotations

from pathlib import Path

from agri_core.files.errors import InputError, MissingError
from agri_core.files.ownership import add_input
from agri_core.vector.geojson import is_collection, parse_json, read_geojson
from agri_core.vector.layer import Layer
from agri_core.vector.tables import read_tables

SQLITE = b"SQLite format 3\0"
SHAPEFILE = b"\0\0\x27\x0a"
# OGR would follow the paths inside an XML file of its own whatever its name: only these go to it.
_TABLES = (SQLITE, SHAPEFILE)


def is_layer(path: Path) -> bool:
    """Whether a file is GeoJSON, a GeoPackage or a Shapefile.

    Raises:
        MissingError: there is no such file.
    """
    return _head(path).startswith(_TABLES) or is_collection(parse_json(path))


def read_layer(path: Path, layer: str | None = None) -> Layer:
    """Read the features of a file.

    Args:
        path: of the file.
        layer: its name; None for the only one, or for all if they have the same columns.

    Raises:
        MissingError: there is no such file or layer.
        InputError: it is none of the three formats, too large, has no CRS, or several layers with
            different columns and none was named.
    """
    if _head(path).startswith(_TABLES):
        return read_tables(path, layer)
    content = parse_json(path)
    if not is_collection(content):
        raise InputError(f"{path} is no GeoJSON, GeoPackage or Shapefile of polygons")
    if layer not in (None, path.stem):
        raise InputError(f"{path} is GeoJSON, which has one layer without a name, not {layer!r}")
    return read_geojson(path, content)


def _head(path: Path) -> bytes:
    if not path.is_file():
        raise MissingError(f"there is no file {path}")
    add_input(path)
    with path.open("rb") as stream:
        return stream.read(len(SQLITE))
