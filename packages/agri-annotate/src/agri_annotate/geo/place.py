"""The georeference of a picture, and the ground under a shape drawn on it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from affine import Affine
from agri_core.raster.geodesy import ground_area
from agri_core.raster.grid import check_area, to_ground
from agri_core.raster.pixel_area import HECTARE
from pyproj import CRS


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
        check_area(self.transform)

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
        """Return the ground under a geometry that is in pixels, on the ellipsoid.

        Raises:
            InputError: the CRS has no longitude and latitude, see `ground_area`.
        """
        return ground_area(self.to_ground(geometry), self.crs) / HECTARE


def _affine(geometry: Any, transform: Affine) -> Any:
    return shapely.transform(
        geometry, lambda xy: np.column_stack(to_ground(transform, xy[:, 0], xy[:, 1]))
    )
