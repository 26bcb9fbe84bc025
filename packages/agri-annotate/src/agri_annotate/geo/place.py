"""Where a picture lies on the ground, and how much ground is under a shape drawn on it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from affine import Affine
from agri_core.files.errors import InputError
from agri_core.vector.crs import move
from numpy.typing import NDArray
from pyproj import CRS

HECTARE = 10_000.0
PIECES = 256
"""An outline is cut into at least so many edges before its area on the ellipsoid is taken."""


@dataclass(frozen=True, slots=True)
class Place:
    """The georeference of a picture.

    Attributes:
        height: in pixels.
        width: in pixels.
        crs: coordinate reference system.
        transform: from (column, row) of a pixel corner to the coordinates of the CRS.
    """

    height: int
    width: int
    crs: CRS
    transform: Affine

    def __post_init__(self) -> None:
        if not np.isfinite(self.transform.determinant) or not self.transform.determinant:
            raise InputError(f"its georeference has pixels without area: {self.transform[:6]}")

    @property
    def frame(self) -> Any:
        """The picture as a rectangle in pixels."""
        return shapely.box(0, 0, self.width, self.height)

    def to_ground(self, geometry: Any) -> Any:
        """Move a geometry from pixels to the coordinates of the CRS."""
        return _affine(geometry, self.transform)

    def to_pixels(self, geometry: Any) -> Any:
        """Move a geometry from the coordinates of the CRS to pixels."""
        return _affine(geometry, ~self.transform)

    def hectares(self, geometry: Any) -> float:
        """Give the ground under a geometry that is in pixels.

        On a projected CRS it is the area of the geometry times the area of a pixel. On longitude
        and latitude, and in Mercator, whose scale runs with latitude, it is the geodesic area.

        Raises:
            InputError: the CRS has no unit of length.
        """
        if is_geodesic(self.crs):
            return _geodesic(self, geometry)
        unit = self.crs.axis_info[0].unit_conversion_factor if self.crs.axis_info else 0.0
        if not unit:
            raise InputError(f"the CRS {self.crs.name!r} has no unit of length")
        return float(geometry.area * abs(self.transform.determinant) * unit**2 / HECTARE)


def is_geodesic(crs: CRS) -> bool:
    """Whether areas in the coordinates of `crs` mean nothing: degrees and Mercator."""
    flat = crs.sub_crs_list[0] if crs.is_compound else crs
    method = flat.coordinate_operation.method_name if flat.coordinate_operation else ""
    mercator = "Mercator" in method and "Transverse" not in method and "Oblique" not in method
    return bool(flat.is_geographic or mercator)


def _geodesic(place: Place, geometry: Any) -> float:
    geodetic = place.crs.geodetic_crs
    geod = place.crs.get_geod()
    if geodetic is None or geod is None:
        raise InputError(f"the CRS {place.crs.name!r} has no ellipsoid")
    if geometry.is_empty:
        return 0.0
    dense = shapely.segmentize(geometry, max(geometry.length / PIECES, 1e-6))
    lonlat = move(place.to_ground(dense), place.crs, geodetic)
    parts = shapely.get_parts(shapely.orient_polygons(lonlat, exterior_cw=False))
    return float(sum(geod.geometry_area_perimeter(part)[0] for part in parts) / HECTARE)


def _affine(geometry: Any, transform: Affine) -> Any:
    a, b, c, d, e, f = transform[:6]

    def step(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack([xy @ [a, b] + c, xy @ [d, e] + f])

    return shapely.transform(geometry, step)
