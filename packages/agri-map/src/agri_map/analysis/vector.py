"""Write polygons as GeoPackage (in the CRS of the map) or GeoJSON (RFC 7946), in chunks."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import shapely
from agri_core.files.atomic import replacing_file
from agri_core.files.errors import InputError
from agri_core.legend import Legend
from agri_core.raster.grid import Grid
from numpy.typing import NDArray
from rasterio.crs import CRS

from agri_map.analysis.polygons import Geometries, Parcels, to_map

CHUNK = 20_000
LAYER = "map"
GEOJSON_DIGITS = 7
"""Decimals of a degree: about a centimetre."""

FORMATS = (".gpkg", ".geojson")
COLUMNS = ("class", "class_id", "area_ha", "pixels", "colour")
_SQLITE = b"SQLite format 3\0"
_OPENING, _CLOSING = b'{"type":"FeatureCollection","features":[\n', b"\n]}\n"
_FEATURE = b'{"type":"Feature","properties":{"class":'


def write_polygons(path: Path, parcels: Parcels, grid: Grid, legend: Legend) -> None:
    """Write polygons with class, class_id, area_ha, pixels, colour and mean confidence.

    Raises:
        InputError: The suffix is neither `.gpkg` nor `.geojson`, `path` exists and is something
            else, or GeoJSON is asked for without a CRS.
    """
    check_output(path)
    if path.suffix == ".geojson" and grid.crs is None:
        raise InputError("GeoJSON is in longitude and latitude, but the map has no CRS; use .gpkg")
    with replacing_file(path) as target:
        if path.suffix == ".gpkg":
            _write_gpkg(target, parcels, grid, legend, path)
        else:
            _write_geojson(target, parcels, grid, legend)


def check_output(path: Path) -> None:
    """Refuse an unknown suffix, and to overwrite what does not look like an earlier output."""
    if path.suffix not in FORMATS:
        raise InputError(f"expected a name ending in {' or '.join(FORMATS)}, got {path}")
    if not path.exists():
        return
    if not path.is_file() or (path.stat().st_size and not _is_ours(path)):
        raise InputError(f"{path} exists and is no earlier output; choose another name")


def _is_ours(path: Path) -> bool:
    with path.open("rb") as stream:
        head = stream.read(len(_OPENING) + len(_FEATURE))
    if path.suffix == ".geojson":
        return head in (_OPENING + _FEATURE, _OPENING + _CLOSING)
    return head.startswith(_SQLITE) and _holds_only_parcels(path)


def _holds_only_parcels(path: Path) -> bool:
    """Whether a GeoPackage has no layer but ours, with our columns first."""
    from pyogrio import list_layers, read_info
    from pyogrio.errors import DataSourceError

    try:
        if [name for name, _ in list_layers(path)] != [LAYER]:
            return False
        columns = tuple(map(str, read_info(path, layer=LAYER)["fields"]))
    except DataSourceError:
        return False
    return columns[: len(COLUMNS)] == COLUMNS


def chunks(parcels: Parcels) -> Iterator[Parcels]:
    """Cut polygons into groups of at most `CHUNK`; one empty group when there are none."""
    for start in range(0, max(1, len(parcels.shapes)), CHUNK):
        part = slice(start, start + CHUNK)
        yield Parcels(
            parcels.shapes[part],
            parcels.codes[part],
            parcels.pixels[part],
            parcels.hectares[part],
            None if parcels.confidence is None else parcels.confidence[part],
        )


def columns(parcels: Parcels, legend: Legend) -> dict[str, NDArray[np.generic]]:
    """Give the attributes, one array a column; hectares come from the pixels."""
    names, colours = _lookup(legend)
    table: dict[str, NDArray[np.generic]] = {
        "class": names[parcels.codes],
        "class_id": parcels.codes.astype(np.int32),
        "area_ha": np.round(parcels.hectares, 4),
        "pixels": parcels.pixels,
        "colour": colours[parcels.codes],
    }
    if parcels.confidence is not None:
        table["confidence"] = np.round(parcels.confidence, 4)
    return table


def _lookup(legend: Legend) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    names = np.array([f"value {code}" for code in range(256)], object)
    colours = np.full(256, "#000000", object)
    for item in legend.classes:
        names[item.id], colours[item.id] = item.name, item.colour
    return names, colours


def _write_gpkg(path: Path, parcels: Parcels, grid: Grid, legend: Legend, wanted: Path) -> None:
    from pyogrio.errors import DataSourceError
    from pyogrio.raw import write

    for number, part in enumerate(chunks(parcels)):
        table = columns(part, legend)
        try:
            write(
                str(path),
                shapely.to_wkb(to_map(part.shapes, grid)),
                list(table.values()),
                list(table),
                crs=grid.crs.to_wkt() if grid.crs is not None else None,
                geometry_type="Polygon",
                layer=LAYER,
                driver="GPKG",
                append=number > 0,
            )
        except (DataSourceError, RuntimeError) as error:
            raise OSError(f"cannot write {wanted}, is the disk full? ({error})") from error


def _write_geojson(path: Path, parcels: Parcels, grid: Grid, legend: Legend) -> None:
    with path.open("w", encoding="utf-8") as stream:
        stream.write(_OPENING.decode())
        separator = ""
        for part in chunks(parcels):
            for feature in _features(part, grid, legend):
                stream.write(separator + feature)
                separator = ",\n"
        stream.write(_CLOSING.decode())


def _features(parcels: Parcels, grid: Grid, legend: Legend) -> Iterator[str]:
    table = columns(parcels, legend)
    records = zip(*(column.tolist() for column in table.values()), strict=True)
    geometries = shapely.to_geojson(_to_lonlat(to_map(parcels.shapes, grid), grid))
    for geometry, values in zip(geometries, records, strict=True):
        properties = json.dumps(
            dict(zip(table, values, strict=True)), ensure_ascii=False, separators=(",", ":")
        )
        yield f'{{"type":"Feature","properties":{properties},"geometry":{geometry}}}'


def _to_lonlat(shapes: Geometries, grid: Grid) -> Geometries:
    """Give shapes in EPSG:4326, longitude first, shells counter-clockwise (RFC 7946)."""
    from pyproj import Transformer

    assert isinstance(grid.crs, CRS)
    transformer = Transformer.from_crs(grid.crs.to_wkt(), "EPSG:4326", always_xy=True)
    moved = shapely.transform(
        shapes,
        lambda xy: np.column_stack(transformer.transform(xy[:, 0], xy[:, 1])).round(GEOJSON_DIGITS),
    )
    oriented: Geometries = shapely.orient_polygons(moved, exterior_cw=False)
    return oriented
