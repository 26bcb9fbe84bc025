"""Pixel area: how much ground the pixels of a grid cover, in square metres, for any CRS.

Where rows run along parallels (degrees, Mercator and other cylindrical projections) a row has one
area, exact on the ellipsoid. Elsewhere the areal scale varies across the raster as well: it is
sampled on a lattice, between whose rows it is interpolated and within whose columns it is constant.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agri_core.files.errors import InputError
from agri_core.raster.grid import Grid, check_area, to_ground

if TYPE_CHECKING:
    from agri_core.raster.geodesy import Geodetic

HECTARE = 10_000.0
"""Square metres."""

METRES_PER_DEGREE = 6_378_137.0 * math.pi / 180
"""A degree along the equator of WGS 84, 111 319.49 m; of latitude it is 110 574 to 111 694 m."""

ROWS, COLUMNS = 129, 65
"""Lattice on which the areal scale is sampled: over a whole hemisphere a linear step between rows
errs by (1 / 128)^2 / 8, under 1e-5."""

TOLERANCE = 2e-4
"""Largest change of the pixel area across a strip of columns; its middle errs by half of it."""

MAX_STRIPS = 32
"""Continental rasters; they cost 256 bytes a row."""

STRAIGHT = 1e-4
"""Rows that stray from a parallel by less than this share of a pixel run along it."""

NOMINAL = 0.01
"""A pixel keeps its size in the units of the CRS where the ground differs by less than this."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PixelArea:
    """The area of the pixels of a grid `(H, W)`, by row and by strip of columns.

    Attributes:
        areas: square metres of one pixel, `(H, S)`.
        edges: columns at which the strips begin, and W at the end, `(S + 1,)`.
        method: "geodesic", or "given" where the user gave the size of a pixel.
    """

    areas: Floats
    edges: NDArray[np.int64]
    method: str

    @property
    def rows(self) -> Floats:
        """Mean area of a pixel in each row, `(H,)`."""
        widths = np.diff(self.edges)
        return np.asarray(self.areas @ (widths / widths.sum()), np.float64)

    @property
    def mean(self) -> float:
        """Mean area of a pixel."""
        return float(self.rows.mean())

    def strips(self, top: int, count: int) -> Iterator[tuple[slice, Floats]]:
        """Yield the columns of each strip, and the pixel areas `(count,)` of rows from `top`."""
        for number, left in enumerate(self.edges[:-1].tolist()):
            columns = slice(left, int(self.edges[number + 1]))
            yield columns, self.areas[top : top + count, number]

    def integral(self) -> Integral:
        """Return what sums the area over any region bounded by pixel edges."""
        # Sums down the rows and across the strips, beginning with 0 above the first row.
        areas = np.vstack([np.zeros((1, self.areas.shape[1])), self.areas]).cumsum(0)
        before = np.zeros_like(areas)
        before[:, 1:] = (areas * np.diff(self.edges)).cumsum(1)[:, :-1]
        return Integral(areas, before, self.edges)


@dataclass(frozen=True, slots=True)
class Integral:
    """The area above and left of a pixel corner: by Green's theorem it sums polygons.

    Attributes:
        areas: of a one-pixel column of each strip above each row edge, `(H + 1, S)`.
        before: of all strips to the left, likewise.
        edges: as of `PixelArea`.
    """

    areas: Floats
    before: Floats
    edges: NDArray[np.int64]

    def at(self, row: NDArray[np.int64], col: NDArray[np.int64]) -> Floats:
        """Return the square metres above row edges and left of column edges, both `(N,)`."""
        # Inner edges only: the right rim of the raster belongs to the last strip.
        strip = np.searchsorted(self.edges[1:-1], col, side="right")
        inside = col - self.edges[strip]
        return np.asarray(self.before[row, strip] + self.areas[row, strip] * inside, np.float64)


def measure_pixel_area(grid: Grid, pixel: float | None = None) -> PixelArea:
    """Measure the pixels of a grid.

    Args:
        grid: the grid.
        pixel: side of a pixel in metres, for a raster without CRS.

    Raises:
        InputError: there is no CRS (or no transform) and no `pixel`, or the CRS has no longitude
            and latitude.

    Example:
        >>> from affine import Affine
        >>> from rasterio.crs import CRS
        >>> measure_pixel_area(Grid(None, Affine.identity(), 2, 3), pixel=10).mean
        100.0
        >>> degrees = Grid(CRS.from_epsg(4326), Affine(0.01, 0, 15, 0, -0.01, 60), 1, 1)
        >>> round(measure_pixel_area(degrees).mean / HECTARE, 1)
        62.2
    """
    if pixel is not None:
        return _of_rows(np.full(grid.height, pixel**2), grid, "given")
    if grid.crs is None:
        raise InputError(
            "the map has no CRS, so the size of its pixels is unknown; "
            "give the side of a pixel in metres with --pixel, for example --pixel 10"
        )
    if grid.transform.is_identity:
        raise InputError("the map has a CRS but no transform; give --pixel METRES")
    check_area(grid.transform)
    from agri_core.raster.geodesy import geodetic_of

    way = geodetic_of(grid.crs)
    if _along_parallels(grid, way):
        return _of_rows(_graticule(grid, way), grid, "geodesic")
    return _sampled(grid, way)


def pixel_metres(grid: Grid) -> float | None:
    """Return the size of a pixel in metres as it is commonly named, None without a CRS.

    That is its size in the projection, where 10 m are called 10 m although they are 10.004 m on
    the ground in the middle of a UTM zone; where the projection is off by more than a hundredth,
    as degrees and Web Mercator are, the root of the mean pixel area.

    Raises:
        InputError: pixels have no area, or the CRS has no longitude and latitude.
    """
    if not grid.crs:
        return None
    check_area(grid.transform)
    ground = math.sqrt(measure_pixel_area(grid).mean)
    if not grid.crs.is_projected:
        return ground
    nominal = grid.pixel * float(grid.crs.linear_units_factor[1])
    return nominal if abs(ground / nominal - 1) < NOMINAL else ground


def _of_rows(areas: Floats, grid: Grid, method: str) -> PixelArea:
    return PixelArea(areas[:, None], np.array([0, grid.width], np.int64), method)


def _along_parallels(grid: Grid, way: Geodetic) -> bool:
    """Whether latitude depends on the row alone, and longitude on the column alone."""
    rows, cols = np.meshgrid(
        np.linspace(0, grid.height, 3), np.linspace(0, grid.width, 3), indexing="ij"
    )
    lon, lat = way.lonlat(*to_ground(grid.transform, cols, rows))
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        return False
    stray = np.abs(np.sin((lon - lon[:1]) / 2)).max() * 2  # 180 W is 180 E
    high, wide = np.ptp(lat) / grid.height, np.ptp(np.unwrap(lon[1])) / grid.width
    return bool(np.ptp(lat, axis=1).max() < STRAIGHT * high and stray < STRAIGHT * wide)


def _graticule(grid: Grid, way: Geodetic) -> Floats:
    """Return the exact area of a pixel of each row between its parallels and meridians."""
    edges = np.arange(grid.height + 1.0)
    _, lat = way.lonlat(*to_ground(grid.transform, np.zeros_like(edges), edges))
    # Half a pixel beyond a pole is a rounded transform; there is no ground there.
    bands = way.band_area(np.clip(lat, -math.pi / 2, math.pi / 2))
    # Any column serves, since meridians are equally far apart in all of them.
    middle = np.array([grid.width // 2, grid.width // 2 + 1.0])
    lon, _ = way.lonlat(*to_ground(grid.transform, middle, np.full(2, grid.height / 2)))
    # Over the 180th meridian longitudes jump by a whole turn.
    across = abs(math.remainder(float(lon[1] - lon[0]), 2 * math.pi))
    return np.asarray(np.abs(np.diff(bands)) * across, np.float64)


def _sampled(grid: Grid, way: Geodetic) -> PixelArea:
    # Unique, since small rasters have fewer rows and columns than the lattice.
    rows = np.unique(np.linspace(0, grid.height - 1, ROWS).round())
    columns = np.unique(np.linspace(0, grid.width - 1, COLUMNS).round())
    found = _pixels(grid, way, rows, columns)
    change = np.abs(np.diff(found, axis=1)).max(initial=0.0) / found.mean()
    # Strips so narrow that the area changes by TOLERANCE at most across each.
    wanted = math.ceil(change * max(1, len(columns) - 1) / TOLERANCE)
    count = min(max(1, wanted), MAX_STRIPS, grid.width)
    edges = np.linspace(0, grid.width, count + 1).round().astype(np.int64)
    # The middle of a strip, where a linear change cancels.
    middles = (edges[:-1] + edges[1:] - 1) / 2
    some = _pixels(grid, way, rows, middles)
    every = np.arange(grid.height)
    areas = np.column_stack([np.interp(every, rows, column) for column in some.T])
    return PixelArea(areas, edges, "geodesic")


def _pixels(grid: Grid, way: Geodetic, rows: Floats, cols: Floats) -> Floats:
    """Return the area of the pixels at `rows` x `cols`: half the cross product of the diagonals.

    A pixel is taken as flat; one of 100 km errs by 2e-5. Pixels off the Earth, in the corners of
    a projection of all of it, keep their area in the projection.
    """
    row, col = np.meshgrid(rows, cols, indexing="ij")
    corners = [
        way.cartesian(*to_ground(grid.transform, col + x, row + y))
        for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))
    ]
    cross: Any = np.cross(corners[2] - corners[0], corners[3] - corners[1])
    areas = np.sqrt((cross**2).sum(axis=-1)) / 2
    plane = abs(grid.transform.determinant)
    return np.asarray(np.where(np.isfinite(areas), areas, plane), np.float64)
