"""Features written as GeoJSON (RFC 7946) or GeoPackage."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from agri_core.files.atomic import replacing_file
from agri_core.files.errors import InputError
from pyproj import CRS

from agri_annotate.geo.place import LONLAT, move
from agri_annotate.geo.vector import AREAS, FIXED, Feature, clean
from agri_annotate.model.project import Problem

TAKEN = frozenset({*FIXED, "fid", "geom", "geometry", "ogc_fid", "rowid"})
SUFFIXES = (".geojson", ".gpkg")
DIGITS = 9
"""Decimals of a degree: a tenth of a millimetre, since a pixel of a drone is a centimetre."""

STEP = 128.0
"""Pixels between corners before a shape goes to another CRS, where its edges would bend."""

MOST_COLUMNS = 500
_KINDS = {"regions": AREAS, "lines": ("LineString", "MultiLineString"), "points": ("Point",)}
"""Layers of a GeoPackage: which geometries, the last of which names the type of the layer."""

_OPENING = '{"type":"FeatureCollection","features":[\n{"type":"Feature","properties":{"class":'
_STAMP = {"OGR_CURRENT_DATE": "2000-01-01T00:00:00.000Z"}


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
    with replacing_file(path) as target:
        if json_wanted:
            target.write_text(_geojson(moved, columns), encoding="utf-8")
        else:
            _write_gpkg(target, moved, columns, crs)
    return [*problems, *listed]


def check_output(path: Path, source: Path) -> None:
    """Refuse an unknown suffix, and to overwrite what does not look like an earlier output.

    Raises:
        InputError: `path` is refused.
    """
    if path.suffix not in SUFFIXES:
        raise InputError(f"expected a name ending in {' or '.join(SUFFIXES)}, got {path.name!r}")
    if path.exists() and not (path.is_file() and (not path.stat().st_size or _is_ours(path))):
        raise InputError(f"{path} exists and is no earlier output; choose another name")
    if path.exists() and source.exists() and path.samefile(source):
        raise InputError(f"{path} is the input; choose another output")


def _is_ours(path: Path) -> bool:
    if path.suffix == ".geojson":
        with path.open("rb") as stream:
            return stream.read(len(_OPENING)) == _OPENING.encode()
    from pyogrio import list_layers
    from pyogrio.errors import DataSourceError

    try:
        return {str(name) for name, _ in list_layers(path.absolute())} <= set(_KINDS)
    except DataSourceError:
        return False


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
    west, _, east, _ = geometry.bounds
    if crs == LONLAT and east - west > 180:
        raise InputError("it crosses the 180th meridian, which GeoJSON cannot; write a .gpkg")
    return shapely.orient_polygons(geometry, exterior_cw=False)


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
    hectares = None if feature.hectares is None else round(feature.hectares, 8)
    values = (clean(feature.name), hectares, clean(feature.picture), feature.region)
    record: dict[str, Any] = dict(zip(FIXED, values, strict=True))
    for name, column in columns.items():
        value = feature.attributes.get(name)
        record[column] = None if value is None else clean(value)
    return record


def _geojson(moved: Sequence[tuple[Feature, Any]], columns: Mapping[str, str]) -> str:
    rows = []
    for feature, geometry in moved:
        rounded = shapely.transform(geometry, lambda xy: xy.round(DIGITS))
        text = json.dumps(_record(feature, columns), ensure_ascii=False, separators=(",", ":"))
        rows.append(
            f'{{"type":"Feature","properties":{text},"geometry":{shapely.to_geojson(rounded)}}}'
        )
    opening = _OPENING[: _OPENING.index("\n") + 1]
    return opening + ",\n".join(rows) + "\n]}\n"


def _write_gpkg(
    path: Path, moved: Sequence[tuple[Feature, Any]], columns: Mapping[str, str], crs: CRS
) -> None:
    for name, kind in _KINDS.items():
        part = [(f, g) for f, g in moved if g.geom_type in kind]
        if part:
            _write_table(path, name, kind[-1], part, columns, crs)


def _write_table(
    path: Path,
    name: str,
    kind: str,
    moved: Sequence[tuple[Feature, Any]],
    columns: Mapping[str, str],
    crs: CRS,
) -> None:
    from pyogrio.errors import DataSourceError
    from pyogrio.raw import write

    records = [_record(feature, columns) for feature, _ in moved]
    fields = [_array(key, [record[key] for record in records]) for key in records[0]]
    try:
        with _without_dates():
            write(
                str(path),
                shapely.to_wkb(np.array([geometry for _, geometry in moved], object)),
                fields,
                list(records[0]),
                crs=crs.to_wkt(),
                geometry_type=kind,
                promote_to_multi=kind.startswith("Multi"),
                layer=name,
                driver="GPKG",
                append=path.exists(),
            )
    except (DataSourceError, RuntimeError) as error:
        raise OSError(f"cannot write {path.name}, is the disk full? ({error})") from error


def _array(name: str, values: Sequence[Any]) -> Any:
    if name == "hectares":
        return np.array([np.nan if v is None else v for v in values], np.float64)
    return np.array(values, np.int32 if name == "region" else object)


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
