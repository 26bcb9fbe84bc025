"""GeoJSON (RFC 7946) as features, and that with a "crs" member that older programs write."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import CRS

from agri_core.files.errors import InputError
from agri_core.vector.crs import LONLAT, parse_crs
from agri_core.vector.layer import Layer, sound

MOST_BYTES = 512 * 1024**2
"""It is parsed whole, into some ten times as much memory."""

MOST_DEGREES = (360.0, 90.0)
# A code, or a URN of the OGC; PROJ would open a file or a database of any other name.
_CODE = re.compile(r"(?i)^(urn:ogc:def:crs:[a-z]+:[0-9.]*:[a-z0-9]+|[a-z]+:[a-z0-9]+)$")


def parse_json(path: Path) -> Any:
    """Parse a JSON file; None where it is none.

    Raises:
        InputError: it is larger than 512 MB.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise InputError(
            f"{path} is {size:,} bytes; of GeoJSON at most {MOST_BYTES:,} are read (512 MB), save "
            "it as GeoPackage"
        )
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None


def is_collection(content: Any) -> bool:
    """Whether parsed JSON is a GeoJSON feature or a collection of them."""
    if not isinstance(content, dict):
        return False
    return content.get("type") == "Feature" or (
        content.get("type") == "FeatureCollection" and isinstance(content.get("features"), list)
    )


def read_geojson(path: Path, content: Mapping[str, Any]) -> Layer:
    """Convert parsed GeoJSON to a layer.

    Raises:
        InputError: its CRS is not understood, or its coordinates are not in it.
    """
    items = content["features"] if content["type"] == "FeatureCollection" else [content]
    features = [item if isinstance(item, dict) else {} for item in items]
    told = (feature.get("properties") for feature in features)
    records = tuple(record if isinstance(record, dict) else {} for record in told)
    texts = np.array([_text(feature.get("geometry")) for feature in features], object)
    geometries = sound(shapely.from_geojson(texts, on_invalid="ignore"))
    crs = _crs(path, content)
    if crs == LONLAT:
        _check_degrees(path, geometries)
    return Layer(crs, geometries, records)


def _text(geometry: Any) -> str | None:
    if not isinstance(geometry, dict):
        return None
    try:
        return json.dumps(geometry)
    except RecursionError:
        return None


def _crs(path: Path, content: Mapping[str, Any]) -> CRS:
    """Return the CRS of the "crs" member, else longitude and latitude."""
    given = content.get("crs")
    if given is None:
        return LONLAT
    properties = given.get("properties") if isinstance(given, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str) or not _CODE.match(name):
        raise InputError(f"{path}: its crs is not understood: {str(given)[:80]}")
    return parse_crs(name)


def _check_degrees(path: Path, geometries: tuple[Any, ...]) -> None:
    """Refuse coordinates none of which is in degrees: they are metres without their CRS."""
    xy = shapely.get_coordinates(np.array([*geometries, None], object)[:-1])
    if len(xy) and (np.abs(xy) > MOST_DEGREES).any(axis=1).all():
        x, y = xy[0].tolist()
        raise InputError(
            f"{path}: the coordinates, such as {x:g}, {y:g}, are no longitude and latitude, and it "
            "names no other CRS; save it as EPSG:4326, or as GeoPackage, which keeps its CRS"
        )
