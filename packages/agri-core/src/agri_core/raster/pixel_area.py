"""How much ground a pixel covers, in square metres, for any CRS.

On a projected grid it is the area of the pixel parallelogram. On latitude and longitude, and in
Mercator, whose scale runs with latitude, it is the exact area on the ellipsoid between the
pixel's parallels and meridians:
A(p) = b^2 / 2 * [sin p / (1 - e^2 sin^2 p) + artanh(e sin p) / e] per radian of longitude
(Snyder 1987, Map Projections - A Working Manual, eq. 3-12).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agri_core.files.errors import InputError
from agri_core.raster.grid import Grid

HECTARE = 10_000.0


@dataclass(frozen=True, slots=True)
class Ground:
    """The area of the pixels of a grid.

    Attributes:
        rows: Square metres of one pixel in each row, `(H,)`.
        method: `projected` or `geodesic`.
    """

    rows: NDArray[np.float64]
    method: str

    @property
    def mean(self) -> float:
        """Mean pixel, square metres."""
        return float(self.rows.mean())

    @property
    def cumulated(self) -> NDArray[np.float64]:
        """Square metres of a one-pixel column above each row edge, `(H + 1,)`."""
        return np.concatenate([[0.0], np.cumsum(self.rows)])


def measure_ground(grid: Grid, pixel: float | None = None) -> Ground:
    """Measure the pixels of a grid.

    Args:
        grid: The grid.
        pixel: Side of a pixel in metres, for a raster without CRS.

    Raises:
        InputError: There is no CRS (or no transform) and no `pixel`, or the CRS has no ground
            units, or a rotated grid in degrees.
    """
    if pixel is not None:
        return _constant(grid, pixel**2)
    if grid.crs is None:
        raise InputError(
            "the map has no CRS, so the size of its pixels is unknown; "
            "give the side of a pixel in metres with --pixel, for example --pixel 10"
        )
    if grid.transform.is_identity:
        raise InputError("the map has a CRS but no transform; give --pixel METRES")
    from pyproj import CRS

    crs = CRS.from_wkt(grid.crs.to_wkt())
    if crs.is_geographic or _is_mercator(crs):
        return _geodesic(grid, crs)
    if not crs.is_projected:
        raise InputError(f"the map's CRS {grid.crs} is neither projected nor geographic")
    factor = grid.crs.linear_units_factor[1]
    return _constant(grid, abs(grid.transform.determinant) * factor**2)


def band_area(
    latitude: NDArray[np.float64], semimajor: float, semiminor: float
) -> NDArray[np.float64]:
    """Give the area between the equator and a latitude (radians), per radian of longitude."""
    sine = np.sin(latitude)
    e = math.sqrt(max(0.0, 1 - (semiminor / semimajor) ** 2))
    if e == 0:
        return semimajor**2 * sine
    result: NDArray[np.float64] = (
        semiminor**2 / 2 * (sine / (1 - (e * sine) ** 2) + np.arctanh(e * sine) / e)
    )
    return result


def _constant(grid: Grid, area: float) -> Ground:
    return Ground(np.full(grid.height, area), "projected")


def _is_mercator(crs: "object") -> bool:
    operation = getattr(crs, "coordinate_operation", None)
    name = operation.method_name if operation is not None else ""
    return "Mercator" in name and "Transverse" not in name and "Oblique" not in name


def _geodesic(grid: Grid, crs: "object") -> Ground:
    from pyproj import CRS, Transformer

    assert isinstance(crs, CRS)
    if grid.transform.b or grid.transform.d:
        raise InputError(
            f"the map is rotated and its CRS {grid.crs} has no constant scale; "
            "warp it to a projected CRS first"
        )
    edges = grid.transform.f + grid.transform.e * np.arange(grid.height + 1)
    sides = grid.transform.c + grid.transform.a * np.array([0.0, 1.0])
    geodetic = crs.geodetic_crs
    if geodetic is None or geodetic.ellipsoid is None:
        raise InputError(f"the map's CRS {grid.crs} has no ellipsoid")
    if crs.is_geographic:
        factor = grid.crs.units_factor[1] if grid.crs else math.pi / 180
        latitude, longitude = edges * factor, sides * factor
    else:
        to_degrees = Transformer.from_crs(crs, geodetic, always_xy=True)
        latitude = np.radians(to_degrees.transform(np.full_like(edges, sides[0]), edges)[1])
        longitude = np.radians(to_degrees.transform(sides, np.full(2, edges[0]))[0])
    ellipsoid = geodetic.ellipsoid
    bands = band_area(
        np.clip(latitude, -math.pi / 2, math.pi / 2),
        ellipsoid.semi_major_metre,
        ellipsoid.semi_minor_metre,
    )
    return Ground(np.abs(np.diff(bands)) * abs(longitude[1] - longitude[0]), "geodesic")
