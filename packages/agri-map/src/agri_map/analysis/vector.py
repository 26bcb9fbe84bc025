"""Polygons of a map as features: class, hectares and colour of each."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from agri_core.files.errors import InputError
from agri_core.legend import Legend
from agri_core.raster.grid import Grid
from agri_core.raster.pixel_area import HECTARE
from agri_core.vector.crs import LONLAT, parse_crs
from agri_core.vector.writer import Part, check_suffix, decimals, to_lonlat, write_features
from numpy.typing import NDArray
from pyproj import CRS

from agri_map.analysis.polygons import Geometries, Parcels, to_map

CHUNK = 20_000
"""Polygons that are in memory as features at once."""

LAYER = "map"


def write_polygons(path: Path, parcels: Parcels, grid: Grid, legend: Legend) -> None:
    """Write polygons with class, class_id, area_ha, pixels, colour and mean confidence.

    A GeoPackage is in the CRS of the map, GeoJSON in longitude and latitude.

    Raises:
        InputError: The suffix is neither `.gpkg` nor `.geojson`, `path` exists and is something
            else, GeoJSON is asked for without a CRS, or a polygon crosses the 180th meridian there.
    """
    check_suffix(path)
    crs = None if grid.crs is None else parse_crs(grid.crs.to_wkt())
    if path.suffix == ".gpkg":
        write_features(path, parts(parcels, grid, legend), crs)
        return
    if crs is None:
        raise InputError("GeoJSON is in longitude and latitude, but the map has no CRS; use .gpkg")
    # Mean side of a pixel in metres, from which the decimals of a degree follow.
    pixel = (parcels.hectares.sum() * HECTARE / max(parcels.pixels.sum(), 1)) ** 0.5
    write_features(path, parts(parcels, grid, legend, crs), LONLAT, decimals(pixel))


def parts(
    parcels: Parcels, grid: Grid, legend: Legend, lonlat: CRS | None = None
) -> Iterator[Part]:
    """Yield polygons on the ground, `CHUNK` at a time; one empty layer when there are none.

    Args:
        parcels: In pixel coordinates.
        grid: Of the map.
        legend: Of the map.
        lonlat: CRS of the grid, to move from there to longitude and latitude.
    """
    for part in chunks(parcels):
        shapes: Geometries = to_map(part.shapes, grid)
        moved = shapes if lonlat is None else to_lonlat(shapes, lonlat)
        yield Part(moved, columns(part, legend), LAYER)


def chunks(parcels: Parcels) -> Iterator[Parcels]:
    """Cut polygons into batches of at most `CHUNK`; one empty batch when there are none."""
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
    """Return the attributes, one array a column; hectares come from the pixels."""
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
