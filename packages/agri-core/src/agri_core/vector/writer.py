"""Features written as GeoJSON (RFC 7946) or GeoPackage, part by part.

What is written twice is equal byte for byte. No coordinate that is infinite or no number, and no
geometry across the 180th meridian in degrees, is ever written.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from agri_core.files.atomic import replacing_file
from agri_core.files.errors import InputError
from agri_core.files.ownership import check_companions
from agri_core.vector.crs import LONLAT, crosses_meridian, finite, move_all
from agri_core.vector.layer import Geometries

SUFFIXES = (".gpkg", ".geojson")
FINE = 0.1
"""Metres; the pixels of drones are smaller."""

_OPENING, _CLOSING = '{"type":"FeatureCollection","features":[\n', "\n]}\n"
_JOURNALS = ("-wal", "-journal", "-shm")
"""Changes of another program to a database, which SQLite would apply to the new file."""
_STAMP = {"OGR_CURRENT_DATE": "2000-01-01T00:00:00.000Z"}


@dataclass(frozen=True, slots=True)
class Part:
    """Features of one layer.

    Attributes:
        geometries: `(N,)`.
        columns: attributes, an array `(N,)` each; None and NaN are empty cells.
        layer: name of the layer in a GeoPackage.
        kind: type of its geometries; single ones are written as parts of a "Multi..." layer.
    """

    geometries: Geometries
    columns: Mapping[str, NDArray[Any]]
    layer: str
    kind: str = "Polygon"


def check_suffix(path: Path) -> None:
    """Refuse a file name that ends in none of `SUFFIXES`.

    Raises:
        InputError: it does not.
    """
    if path.suffix not in SUFFIXES:
        raise InputError(f"expected a name ending in {' or '.join(SUFFIXES)}, got {path}")


def decimals(metres: float) -> int:
    """Return the decimals of a degree that are written of pixels of that side.

    Seven are a centimetre, nine a tenth of a millimetre.
    """
    return 9 if metres < FINE else 7


def to_lonlat(geometries: Any, source: CRS) -> Geometries:
    """Move geometries to longitude and latitude.

    Raises:
        InputError: one has no place there, or crosses the 180th meridian.
    """
    moved = move_all(geometries, source, LONLAT)
    if shapely.is_missing(moved).any():
        raise InputError(f"it reaches beyond where {source.name} is defined; write a .gpkg")
    check_meridian(moved)
    return moved


def check_meridian(lonlat: Any) -> None:
    """Refuse geometries in longitude and latitude that cross the 180th meridian.

    Raises:
        InputError: one does.
    """
    if np.any(crosses_meridian(lonlat)):
        raise InputError("it crosses the 180th meridian, which GeoJSON cannot; write a .gpkg")


def write_features(path: Path, parts: Iterable[Part], crs: CRS | None, digits: int = 7) -> None:
    """Write features, each part as it comes, in place of an earlier output of the same command.

    Args:
        path: a .gpkg in `crs`, or a .geojson, whose `crs` is longitude and latitude.
        parts: in order; those of one layer may be many.
        crs: of the geometries, None where there is none.
        digits: decimals of a degree in GeoJSON.

    Raises:
        InputError: the name has another ending, or a coordinate is no number.
    """
    check_suffix(path)
    if path.suffix == ".gpkg":
        check_companions(path, _JOURNALS)
    checked = map(_checked, parts)
    with replacing_file(path) as target:
        if path.suffix == ".gpkg":
            with _without_dates():
                for part in checked:
                    _append(target, part, crs, path)
            return
        if crs != LONLAT:
            raise InputError(f"GeoJSON is in longitude and latitude, got {crs and crs.name}")
        with target.open("w", encoding="utf-8") as stream:
            _write_geojson(stream, checked, digits)


def _checked(part: Part) -> Part:
    if not finite(part.geometries).all():
        raise InputError(f"a geometry of {part.layer!r} has coordinates that are no numbers")
    return part


def _write_geojson(stream: TextIO, parts: Iterable[Part], digits: int) -> None:
    stream.write(_OPENING)
    separator = ""
    for part in parts:
        for text in _features(part, digits):
            stream.write(separator + text)
            separator = ",\n"
    stream.write(_CLOSING)


def _features(part: Part, digits: int) -> Iterator[str]:
    rounded = shapely.transform(part.geometries, lambda xy: xy.round(digits))
    rows = zip(*(column.tolist() for column in part.columns.values()), strict=True)
    # RFC 7946: outer rings run counter-clockwise.
    texts = shapely.to_geojson(shapely.orient_polygons(rounded, exterior_cw=False))
    for geometry, row in zip(texts, rows, strict=True):
        record = dict(zip(part.columns, map(_cell, row), strict=True))
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        yield f'{{"type":"Feature","properties":{text},"geometry":{geometry}}}'


def _cell(value: Any) -> Any:
    """NaN is not JSON."""
    return None if isinstance(value, float) and value != value else value


def _append(target: Path, part: Part, crs: CRS | None, wanted: Path) -> None:
    from pyogrio.errors import DataSourceError
    from pyogrio.raw import write

    try:
        write(
            str(target),
            shapely.to_wkb(shapely.orient_polygons(part.geometries, exterior_cw=False)),
            list(part.columns.values()),
            list(part.columns),
            crs=None if crs is None else crs.to_wkt(),
            geometry_type=part.kind,
            promote_to_multi=part.kind.startswith("Multi"),
            layer=part.layer,
            driver="GPKG",
            append=target.exists(),
        )
    except (DataSourceError, RuntimeError) as error:
        raise OSError(f"cannot write {wanted}, is the disk full? ({error})") from error


@contextlib.contextmanager
def _without_dates() -> Iterator[None]:
    """Let GDAL write a fixed date into the GeoPackage, so that a file is equal when rewritten."""
    from pyogrio import get_gdal_config_option, set_gdal_config_options

    before = {key: get_gdal_config_option(key) for key in _STAMP}
    set_gdal_config_options(_STAMP)
    try:
        yield
    finally:
        set_gdal_config_options(before)
