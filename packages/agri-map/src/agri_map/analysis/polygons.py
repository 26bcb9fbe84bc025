"""Polygons of a class map, with exact areas.

Polygons are traced and measured in pixel coordinates, where they are rectilinear: a sum over a
polygon is a sum over its horizontal edges (Green's theorem), so its pixel count, its ground and
the mean of another raster are exact without rasterising anything again.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from agri_core.files.errors import InputError
from agri_core.legend import IGNORE, Legend
from agri_core.raster.grid import Grid, to_ground
from agri_core.raster.opening import SCENES, open_raster
from agri_core.raster.pixel_area import HECTARE, PixelArea, measure_pixel_area
from numpy.typing import NDArray
from rasterio import features
from rasterio.windows import Window

from agri_map.maps.mapfile import open_map, read_blocks, read_legend
from agri_map.maps.write import KIND

Geometries = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class ClassMap:
    """A class map in memory, one byte a pixel."""

    codes: NDArray[np.uint8]
    grid: Grid
    legend: Legend
    pixel_area: PixelArea


@dataclass(frozen=True, slots=True)
class Parcels:
    """Polygons of a map, in pixel coordinates (x to the right, y down).

    Attributes:
        shapes: Polygons.
        codes: Class id of each.
        pixels: Pixels in each.
        hectares: Ground of those pixels; simplifying a shape does not change it.
        confidence: Mean confidence in each, 0 to 1, None when no raster was given.
    """

    shapes: Geometries
    codes: NDArray[np.uint8]
    pixels: NDArray[np.int64]
    hectares: NDArray[np.float64]
    confidence: NDArray[np.float64] | None = None


def load_map(path: Path, pixel: float | None = None) -> ClassMap:
    """Read a class map whole.

    Raises:
        MissingError: No such file.
        InputError: Not a class map, or its pixels have no known size.
    """
    with open_map(path) as dataset:
        grid, legend = Grid.of(dataset), read_legend(dataset)
        codes = np.empty(dataset.shape, np.uint8)
        for window, block in read_blocks(dataset):
            codes[window.row_off : window.row_off + len(block)] = block
    return ClassMap(codes, grid, legend, measure_pixel_area(grid, pixel))


def sieve(source: ClassMap, minimum: float) -> ClassMap:
    """Merge patches smaller than `minimum` hectares into their largest neighbour.

    Patches join by edges, not corners; no-data neither grows nor shrinks.
    """
    if minimum < 0:
        raise InputError(f"minimum must be 0 hectares or more, got {minimum}")
    # 1e-9: a minimum of whole pixels must not be rounded up by one.
    size = math.ceil(minimum * HECTARE / source.pixel_area.mean - 1e-9)
    if size <= 1:
        return source
    valid = source.codes != IGNORE
    codes = features.sieve(source.codes, size=size, connectivity=4, mask=valid)
    codes[~valid] = IGNORE
    return ClassMap(codes, source.grid, source.legend, source.pixel_area)


def sieve_report(before: ClassMap, after: ClassMap, minimum: float) -> str:
    """Return what sieving changed, in hectares per class."""
    old, new = _hectares(before), _hectares(after)
    lines = [
        f"patches below {minimum:g} ha joined to their largest neighbour: "
        f"{int((before.codes != after.codes).sum()):,} pixels changed",
        f"{'class':<28}{'before ha':>14}{'after ha':>14}{'change':>12}",
    ]
    for code, name in enumerate(before.legend.names):
        change = new[code] - old[code]
        lines.append(f"{name:<28}{old[code]:>14,.2f}{new[code]:>14,.2f}{change:>+12,.2f}")
    return "\n".join(lines)


def pick(parcels: Parcels, legend: Legend, names: Sequence[str]) -> Parcels:
    """Keep the polygons of the classes named; all when none is named.

    Raises:
        InputError: No class is called that.
    """
    if not names:
        return parcels
    keep = np.isin(parcels.codes, [legend.index(name) for name in names])
    mean = None if parcels.confidence is None else parcels.confidence[keep]
    return Parcels(
        parcels.shapes[keep],
        parcels.codes[keep],
        parcels.pixels[keep],
        parcels.hectares[keep],
        mean,
    )


def _hectares(source: ClassMap) -> NDArray[np.float64]:
    total = np.zeros(256)
    for columns, areas in source.pixel_area.strips(0, len(source.codes)):
        for area, line in zip(areas, source.codes[:, columns], strict=True):
            total += area * np.bincount(line, minlength=256)
    return total / HECTARE


def trace(source: ClassMap) -> Parcels:
    """Trace the patches of every class; pixels join by edges, so polygons are valid."""
    pairs = list(_shapes(source.codes))
    shapes = np.array([shape for shape, _ in pairs], object)
    codes = np.array([code for _, code in pairs], np.uint8)
    edges = _edges(shapes)
    # The line integral of y dx around a polygon is its area; vertical edges add nothing.
    pixels = _sum_edges(edges, edges.y * (edges.x - edges.end), len(shapes)).astype(np.int64)
    integral = source.pixel_area.integral()
    above = integral.at(edges.y, edges.x) - integral.at(edges.y, edges.end)
    metres = _sum_edges(edges, above, len(shapes))
    return Parcels(shapes, codes, pixels, metres / HECTARE)


def add_confidence(parcels: Parcels, path: Path, grid: Grid) -> Parcels:
    """Add the mean of a confidence raster in each polygon.

    Raises:
        InputError: The raster is not a confidence raster, or on another grid.
    """
    edges = _edges(parcels.shapes)
    with open_raster(path, formats=SCENES) as dataset:
        if not Grid.of(dataset).same_as(grid):
            raise InputError(f"{path} is not on the grid of the map; write both in one run")
        if dataset.tags().get(KIND) != "confidence" or dataset.count != 1:
            raise InputError(f"{path} is no confidence raster of `agri-map predict --confidence`")
        # Bytes hold percent.
        scale = 0.01 if dataset.dtypes[0] == "uint8" else 1.0
        sums = _sum_raster(dataset, edges, len(parcels.shapes))
    mean = scale * sums / np.maximum(parcels.pixels, 1)
    return Parcels(parcels.shapes, parcels.codes, parcels.pixels, parcels.hectares, mean)


def simplify(parcels: Parcels, tolerance: float) -> Parcels:
    """Straighten shared borders together, so neighbours stay without gaps and overlaps.

    GDAL leaves out vertices where a long edge meets a corner of its neighbour; with a vertex at
    every pixel the polygons become a valid coverage first.

    Args:
        parcels: Polygons in pixel coordinates.
        tolerance: In pixels (Visvalingam-Whyatt, square root of the area of a dropped corner).
    """
    if not len(parcels.shapes):
        return parcels
    dense = shapely.segmentize(parcels.shapes, 1.0)
    shapes = shapely.coverage_simplify(dense, tolerance)
    return Parcels(shapes, parcels.codes, parcels.pixels, parcels.hectares, parcels.confidence)


def to_map(shapes: Geometries, grid: Grid) -> Geometries:
    """Move shapes from pixel coordinates to the CRS of the grid."""
    moved: Geometries = shapely.transform(
        shapes, lambda xy: np.column_stack(to_ground(grid.transform, xy[:, 0], xy[:, 1]))
    )
    return moved


def _shapes(codes: NDArray[np.uint8]) -> Iterator[tuple[Any, int]]:
    for geometry, code in features.shapes(codes, mask=codes != IGNORE, connectivity=4):
        rings = geometry["coordinates"]
        yield shapely.Polygon(rings[0], rings[1:]), int(code)


@dataclass(frozen=True, slots=True)
class _Edges:
    """Horizontal edges of polygons: at row `y` from column `x` to `end`, of polygon `owner`."""

    y: NDArray[np.int64]
    x: NDArray[np.int64]
    end: NDArray[np.int64]
    owner: NDArray[np.int64]


def _edges(shapes: Geometries) -> _Edges:
    """Take the horizontal edges, shells counter-clockwise and holes clockwise."""
    if not len(shapes):
        empty = np.empty(0, np.int64)
        return _Edges(empty, empty, empty, empty)
    oriented = shapely.orient_polygons(shapes, exterior_cw=False)
    rings, ring_owner = shapely.get_rings(oriented, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    # Corners of pixels are whole numbers, which come back as floats.
    xy = np.rint(xy).astype(np.int64)
    # Two neighbouring coordinates are an edge only within one ring.
    horizontal = (ring[1:] == ring[:-1]) & (xy[1:, 1] == xy[:-1, 1])
    start, stop = xy[:-1][horizontal], xy[1:][horizontal]
    owner = ring_owner[ring[:-1][horizontal]]
    return _Edges(start[:, 1], start[:, 0], stop[:, 0], owner)


def _sum_edges(
    edges: _Edges, parts: NDArray[np.int64] | NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """Sum over each polygon: `parts` is, for each edge, a quantity of all pixels above it."""
    return np.bincount(edges.owner, parts, minlength=count).astype(np.float64)


def _sum_raster(dataset: Any, edges: _Edges, count: int) -> NDArray[np.float64]:
    """Sum a raster over each polygon, reading it once and holding one row of running sums."""
    order = np.argsort(edges.y, kind="stable")
    rows = edges.y[order]
    sums = np.zeros(count)
    above = np.zeros(dataset.width)
    step = max(1, dataset.block_shapes[0][0])
    for top in range(0, dataset.height, step):
        window = Window(0, top, dataset.width, min(step, dataset.height - top))
        for row, line in enumerate(np.nan_to_num(dataset.read(1, window=window)), start=top):
            _add_row(sums, above, edges, order[slice(*np.searchsorted(rows, [row, row + 1]))])
            above += line
    # Edges on the lower rim come after the last row.
    _add_row(sums, above, edges, order[np.searchsorted(rows, dataset.height) :])
    return sums


def _add_row(
    sums: NDArray[np.float64],
    above: NDArray[np.float64],
    edges: _Edges,
    picked: NDArray[np.int64],
) -> None:
    """Add the edges of one row; `above` holds the sum of each column down to that row."""
    if picked.size:
        # Sums from the left border on: the difference of two is the sum between two columns.
        prefix = np.concatenate([[0.0], np.cumsum(above)])
        np.add.at(sums, edges.owner[picked], prefix[edges.x[picked]] - prefix[edges.end[picked]])
