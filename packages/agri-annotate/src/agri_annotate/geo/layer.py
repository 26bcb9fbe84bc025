"""Files of polygons that people bring: GeoJSON and GeoPackage."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from agri_core.files.errors import InputError, MissingError
from pyproj import CRS

from agri_annotate.geo.place import LONLAT, move, parse_crs

MOST_BYTES = 512 * 1024**2
SQLITE = b"SQLite format 3\0"
_CODE = re.compile(r"(?i)^(urn:ogc:def:crs:[a-z]+:[0-9.]*:[a-z0-9]+|[a-z]+:[a-z0-9]+)$")


@dataclass(frozen=True, slots=True)
class Layer:
    """Features read from a file.

    Attributes:
        crs: of the geometries, x and y in the order of maps.
        geometries: as the file has them, in its order; None where one could not be read.
        records: what the file says of each.
    """

    crs: CRS
    geometries: tuple[Any, ...]
    records: tuple[Mapping[str, Any], ...]


def is_layer(path: Path) -> bool:
    """Whether a file is a GeoPackage or GeoJSON, told from its content.

    Raises:
        MissingError: there is no such file.
    """
    if not path.is_file():
        raise MissingError(f"there is no file {path}")
    with path.open("rb") as stream:
        head = stream.read(len(SQLITE))
    return head == SQLITE or _is_collection(_parse(path))


def read_layer(path: Path) -> Layer:
    """Read all features of a GeoJSON file, or of all layers of a GeoPackage.

    Raises:
        MissingError: there is no such file.
        InputError: it is neither, or larger than 512 MB, or says nothing of its CRS.
    """
    if not path.is_file():
        raise MissingError(f"there is no file {path}")
    with path.open("rb") as stream:
        head = stream.read(len(SQLITE))
    if head == SQLITE:
        return _read_gpkg(path)
    content = _parse(path)
    if not _is_collection(content):
        raise InputError(f"{path} is no GeoJSON and no GeoPackage of polygons")
    return _read_geojson(path, content)


def _parse(path: Path) -> Any:
    """Parse JSON; None where it is none."""
    _check_bytes(path)
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None


def _check_bytes(path: Path) -> None:
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise InputError(f"{path} is {size:,} bytes; at most {MOST_BYTES:,} are read (512 MB)")


def _is_collection(content: Any) -> bool:
    if not isinstance(content, dict):
        return False
    return content.get("type") == "FeatureCollection" and isinstance(content.get("features"), list)


def _read_geojson(path: Path, content: Mapping[str, Any]) -> Layer:
    geometries, records = [], []
    for item in content["features"]:
        feature = item if isinstance(item, dict) else {}
        said = feature.get("properties")
        records.append(said if isinstance(said, dict) else {})
        geometries.append(_geometry(feature.get("geometry")))
    return Layer(_json_crs(path, content), tuple(geometries), tuple(records))


def _geometry(content: Any) -> Any:
    if not isinstance(content, dict):
        return None
    try:
        text = json.dumps(content)
    except RecursionError:
        return None
    return _sound(shapely.from_geojson(text, on_invalid="ignore"))


def _sound(geometry: Any) -> Any:
    """Drop heights; None where there is no number."""
    if geometry is None or not np.isfinite(shapely.get_coordinates(geometry)).all():
        return None
    return shapely.force_2d(geometry)


def _json_crs(path: Path, content: Mapping[str, Any]) -> CRS:
    """Longitude and latitude, or what the "crs" member says that older programs write."""
    said = content.get("crs")
    if said is None:
        return LONLAT
    properties = said.get("properties") if isinstance(said, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str) or not _CODE.match(name):
        raise InputError(f"{path}: its crs is not understood: {str(said)[:80]}")
    return parse_crs(name)


def _read_gpkg(path: Path) -> Layer:
    from pyogrio import list_layers
    from pyogrio.errors import DataLayerError, DataSourceError
    from pyogrio.raw import read

    _check_bytes(path)
    geometries: list[Any] = []
    records: list[Mapping[str, Any]] = []
    found: CRS | None = None
    try:
        names = [str(name) for name, kind in list_layers(path.absolute()) if kind is not None]
        tables = [read(path.absolute(), layer=name) for name in names]
    except (DataSourceError, DataLayerError, ValueError, RuntimeError) as error:
        raise InputError(f"{path} cannot be read as a GeoPackage ({error})") from error
    for meta, _, shapes, fields in tables:
        if meta["crs"] is None:
            raise InputError(f"{path} says nothing of its coordinate reference system")
        crs = parse_crs(meta["crs"])
        found = found or crs
        sound = map(_sound, shapely.from_wkb(shapes, on_invalid="ignore"))
        geometries.extend(g if g is None else move(g, crs, found) for g in sound)
        rows = zip(*(column.tolist() for column in fields), strict=True) if fields else ()
        keys = [str(name) for name in meta["fields"]]
        records.extend(dict(zip(keys, row, strict=True)) for row in rows)
        records.extend({} for _ in range(len(geometries) - len(records)))
    if found is None:
        raise InputError(f"{path} holds no layer of polygons")
    return Layer(found, tuple(geometries), tuple(records))
