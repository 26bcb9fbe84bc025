"""Areas on the ellipsoid, for any coordinate reference system of the Earth.

One rule serves maps and drawings: coordinates go back to the longitude and latitude they were
projected from, and areas are taken there. So the projection's own areal scale, 4 in Web Mercator
at 60 degrees and 0.9992 in the middle of a UTM zone, never enters a hectare.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import ProjError

from agri_core.files.errors import InputError

SEMIMAJOR, FLATTENING = 6_378_137.0, 1 / 298.257223563
"""WGS 84 (NGA.STND.0036)."""

PIECES = 256
"""An outline is cut into at least so many edges before it is measured: edges that are straight in
the projection bend on the ellipsoid. The error falls with the square: below 1e-6 for a degree."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Geodetic:
    """The way from the coordinates of a CRS to an ellipsoid.

    Attributes:
        name: of the CRS, for messages.
        semimajor: half axis in metres.
        flattening: of the ellipsoid, 0 for a sphere.
        radians: per unit of longitude and latitude.
        transformer: to longitude and latitude; None where the coordinates are these already.
    """

    name: str
    semimajor: float
    flattening: float
    radians: float
    transformer: Transformer | None

    @property
    def eccentricity(self) -> float:
        """First eccentricity of the ellipsoid."""
        return math.sqrt(self.flattening * (2 - self.flattening))

    def lonlat(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return longitude and latitude in radians; infinite where the projection has no point."""
        if self.transformer is not None:
            x, y = self.transformer.transform(x, y)
        return np.asarray(x) * self.radians, np.asarray(y) * self.radians

    def cartesian(self, x: Floats, y: Floats) -> Floats:
        """Return the points in metres from the centre of the Earth, `(..., 3)`."""
        lon, lat = self.lonlat(x, y)
        e2, sine = self.eccentricity**2, np.sin(lat)
        # Radius of curvature in the prime vertical.
        normal = self.semimajor / np.sqrt(1 - e2 * sine**2)
        across = normal * np.cos(lat)
        return np.stack(
            [across * np.cos(lon), across * np.sin(lon), normal * (1 - e2) * sine], axis=-1
        )

    def band_area(self, latitude: Floats) -> Floats:
        """Return the area between the equator and a latitude (radians), m2 per radian of longitude.

        A = b^2 / 2 * [sin p / (1 - e^2 sin^2 p) + artanh(e sin p) / e]
        (Snyder 1987, Map Projections - A Working Manual, eq. 3-12).
        """
        e, sine = self.eccentricity, np.sin(latitude)
        if e == 0:
            return self.semimajor**2 * sine
        semiminor = self.semimajor * (1 - self.flattening)
        return semiminor**2 / 2 * (sine / (1 - (e * sine) ** 2) + np.arctanh(e * sine) / e)


def geodetic_of(crs: Any) -> Geodetic:
    """Return the way from a CRS of pyproj or rasterio to its ellipsoid.

    Compound and bound systems count by their horizontal part. A sphere of the Earth's size is that
    of a projection's formulas (MODIS, old Web Mercator), not of the ground: the latitudes that
    come out of it are those of WGS 84.

    Raises:
        InputError: the CRS has no longitude and latitude, as a local one of a building site.
    """
    return _geodetic(crs.to_wkt())


def ground_area(geometry: Any, crs: Any) -> float:
    """Return the ground under an areal geometry in the coordinates of `crs`, in square metres.

    Raises:
        InputError: the CRS has no longitude and latitude, or the geometry reaches beyond where the
            CRS is defined.
    """
    way = geodetic_of(crs)
    if geometry.is_empty:
        return 0.0
    # 1e-9, since the longest piece must be above 0.
    dense = shapely.segmentize(geometry, max(geometry.length / PIECES, 1e-9))
    lonlat = shapely.transform(
        dense, lambda xy: np.degrees(np.column_stack(way.lonlat(xy[:, 0], xy[:, 1])))
    )
    if not np.isfinite(shapely.get_coordinates(lonlat)).all():
        raise InputError(f"it reaches beyond where {way.name} is defined")
    geod = Geod(a=way.semimajor, f=way.flattening)
    return float(sum(_polygon_area(part, geod) for part in shapely.get_parts(lonlat)))


def _polygon_area(polygon: Any, geod: Geod) -> float:
    # Ring by ring: about a pole the order of a ring's corners in lon and lat does not tell
    # which side is inside, so signs are of no use.
    shell, *holes = (
        abs(geod.polygon_area_perimeter(*ring.coords.xy)[0])
        for ring in (polygon.exterior, *polygon.interiors)
    )
    return float(shell - sum(holes))


def horizontal(crs: CRS) -> CRS:
    """Return the horizontal part of a compound CRS, and the CRS that a bound one is based on."""
    while crs.is_bound or crs.is_compound:
        inner = crs.source_crs if crs.is_bound else crs.sub_crs_list[0]
        assert inner is not None
        crs = inner
    return crs


@lru_cache(maxsize=64)
def _geodetic(wkt: str) -> Geodetic:
    flat = horizontal(CRS.from_wkt(wkt))
    geodetic = flat.geodetic_crs
    if not (flat.is_geographic or flat.is_projected) or geodetic is None:
        raise InputError(
            f"the CRS {flat.name!r} is neither projected nor geographic, so the size of its units "
            "on the ground is unknown; give the raster a CRS such as EPSG:32632"
        )
    ellipsoid = geodetic.ellipsoid
    if ellipsoid is None:
        raise InputError(f"the CRS {flat.name!r} has no ellipsoid; give the raster another CRS")
    axis, inverse = ellipsoid.semi_major_metre, ellipsoid.inverse_flattening
    flattening = 1 / inverse if inverse else 0.0
    # The spheres of MODIS and of Web Mercator are within 1 % of WGS 84; other planets are not.
    if not flattening and abs(axis / SEMIMAJOR - 1) < 0.01:
        axis, flattening = SEMIMAJOR, FLATTENING
    radians = geodetic.axis_info[0].unit_conversion_factor
    return Geodetic(flat.name, axis, flattening, radians, _transformer(flat, geodetic))


def _transformer(flat: CRS, geodetic: CRS) -> Transformer | None:
    if flat.is_geographic and not flat.is_derived:
        return None
    try:
        # always_xy: EPSG has latitude first, rasters and files have longitude first.
        return Transformer.from_crs(flat, geodetic, always_xy=True)
    except ProjError as error:
        raise InputError(
            f"the CRS {flat.name!r} cannot be taken back to longitude and latitude ({error})"
        ) from error
