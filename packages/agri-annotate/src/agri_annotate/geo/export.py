"""Features written as GeoJSON (RFC 7946) or GeoPackage."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from agri_core.files.errors import InputError
from agri_core.raster.pixel_area import HECTARE
from agri_core.vector.crs import LONLAT, move
from agri_core.vector.writer import Part, check_meridian, decimals, write_features
from pyproj import CRS

from agri_annotate.geo.place import Place
from agri_annotate.geo.vector import AREAS, FIXED, Feature, clean
from agri_annotate.model.project import Problem

# Columns of our own, and names that GDAL and SQLite use for theirs.
TAKEN = frozenset({*FIXED, "fid", "geom", "geometry", "ogc_fid", "rowid"})
STEP = 128.0
"""Pixels between corners before a shape goes to another CRS, where its edges would bend."""

MOST_COLUMNS = 500
_KINDS = {"regions": AREAS, "lines": ("LineString", "MultiLineString"), "points": ("Point",)}
"""Layers of a GeoPackage: which geometries, the last of which names the type of the layer."""


def write_layer(path: Path, features: Sequence[Feature]) -> list[Problem]:
    """Write features as GeoJSON in longitude and latitude, or GeoPackage in the pictures' CRS.

    Areas, lines and points are three layers of a GeoPackage. Pictures in another CRS than the
    first are moved to that of the first.

    Raises:
        InputError: there is nothing to write.
    """
    if not features:
        raise InputError("no region of a georeferenced picture is left to write")
    json_wanted = path.suffix == ".geojson"
    crs = LONLAT if json_wanted else features[0].place.crs
    moved, problems = _move(features, crs)
    if not moved:
        raise InputError(f"no region can be moved to {crs.name}; {problems[0]}")
    columns, listed = _columns([feature for feature, _ in moved])
    if json_wanted:
        # As many decimals of a degree as the finest picture needs.
        finest = min(map(_pixel, {feature.place for feature, _ in moved}))
        write_features(path, [_part(moved, columns, "regions", "")], crs, decimals(finest))
    else:
        write_features(path, _layers(moved, columns), crs)
    return [*problems, *listed]


def _move(features: Sequence[Feature], crs: CRS) -> tuple[list[tuple[Feature, Any]], list[Problem]]:
    moved: list[tuple[Feature, Any]] = []
    problems: dict[str, Problem] = {}
    for feature in features:
        where = f"{feature.picture} region {feature.region}"
        try:
            geometry = _moved(feature, crs)
        except InputError as error:
            problems[where] = Problem(where, str(error))
            continue
        if feature.place.crs != crs and crs != LONLAT:
            what = f"moved from {feature.place.crs.name} to {crs.name}, that of the first picture"
            problems.setdefault(feature.picture, Problem(feature.picture, what, "note"))
        moved.append((feature, geometry))
    return moved, list(problems.values())


def _moved(feature: Feature, crs: CRS) -> Any:
    place = feature.place
    if place.crs == crs:
        geometry = feature.geometry
    else:
        dense = shapely.segmentize(feature.shape, STEP)
        geometry = move(place.to_ground(dense), place.crs, crs)
    if crs == LONLAT:
        check_meridian(geometry)
    return geometry


def _columns(features: Sequence[Feature]) -> tuple[dict[str, str], list[Problem]]:
    """Give each attribute a column, whose name no other has in any case of letters."""
    names = dict.fromkeys(name for feature in features for name in feature.attributes)
    columns: dict[str, str] = {}
    taken = set(TAKEN)
    for name in list(names)[:MOST_COLUMNS]:
        plain = clean(name).strip() or "attribute"
        column, number = plain, 1
        while column.casefold() in taken:
            number += 1
            column = f"{plain}_{number}"
        taken.add(column.casefold())
        columns[name] = column
    what = f"{len(names)} attributes; only the first {MOST_COLUMNS} are written"
    problems = [Problem("all pictures", what, "changed")] if len(names) > MOST_COLUMNS else []
    return columns, problems


def _record(feature: Feature, columns: Mapping[str, str]) -> dict[str, Any]:
    # 1e-8 ha is a square centimetre, below the precision of any drawing.
    hectares = None if feature.hectares is None else round(feature.hectares, 8)
    values = (clean(feature.name), hectares, clean(feature.picture), feature.region)
    record: dict[str, Any] = dict(zip(FIXED, values, strict=True))
    for name, column in columns.items():
        value = feature.attributes.get(name)
        record[column] = None if value is None else clean(value)
    return record


def _layers(moved: Sequence[tuple[Feature, Any]], columns: Mapping[str, str]) -> Iterator[Part]:
    """Yield areas, lines and points apart: a layer of a GeoPackage has one type."""
    for layer, kinds in _KINDS.items():
        some = [(feature, geometry) for feature, geometry in moved if geometry.geom_type in kinds]
        if some:
            yield _part(some, columns, layer, kinds[-1])


def _part(
    moved: Sequence[tuple[Feature, Any]], columns: Mapping[str, str], layer: str, kind: str
) -> Part:
    records = [_record(feature, columns) for feature, _ in moved]
    fields = {key: _array(key, [record[key] for record in records]) for key in records[0]}
    # With a None at the end numpy keeps geometries as objects, whatever they are.
    geometries = np.array([*(geometry for _, geometry in moved), None], object)[:-1]
    return Part(geometries, fields, layer, kind)


def _array(name: str, values: Sequence[Any]) -> Any:
    if name == "hectares":
        return np.array([np.nan if v is None else v for v in values], np.float64)
    return np.array(values, np.int32 if name == "region" else object)


def _pixel(place: Place) -> float:
    """Return the side of a pixel in metres."""
    return float(np.sqrt(place.hectares(shapely.box(0, 0, 1, 1)) * HECTARE))
