"""Where a picture lies on the ground, and how much ground is under a shape drawn on it."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from affine import Affine
from agri_core.files.errors import InputError
from agri_core.raster.geodesy import ground_area
from agri_core.raster.grid import check_area, to_ground
from agri_core.raster.pixel_area import HECTARE
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

LONLAT = CRS.from_epsg(4326)


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
        """Give the ground under a geometry that is in pixels, on the ellipsoid.

        Raises:
            InputError: the CRS has no longitude and latitude, see `ground_area`.
        """
        return ground_area(self.to_ground(geometry), self.crs) / HECTARE


def parse_crs(text: Any) -> CRS:
    """Understand a CRS.

    Raises:
        InputError: it is none.
    """
    try:
        return CRS.from_user_input(text)
    except ProjError as error:
        raise InputError(
            f"{str(text)[:80]!r} is no coordinate reference system; give one like EPSG:32632"
        ) from error


def move(geometry: Any, source: CRS, target: CRS) -> Any:
    """Move a geometry between CRSs, x and y in the order of maps; vertices only.

    Raises:
        InputError: there is no way between the two, or a vertex has no place in the target.
    """
    if source == target:
        return geometry
    transformer = _transformer(source.to_wkt(), target.to_wkt())
    moved = shapely.transform(
        geometry, lambda xy: np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))
    )
    if not np.isfinite(shapely.get_coordinates(moved)).all():
        raise InputError(f"it reaches beyond where {target.name} is defined")
    return moved


@lru_cache(maxsize=64)
def _transformer(source: str, target: str) -> Transformer:
    try:
        return Transformer.from_crs(CRS.from_wkt(source), CRS.from_wkt(target), always_xy=True)
    except ProjError as error:
        raise InputError(f"no way leads from one CRS to the other ({error})") from error


def _affine(geometry: Any, transform: Affine) -> Any:
    return shapely.transform(
        geometry, lambda xy: np.column_stack(to_ground(transform, xy[:, 0], xy[:, 1]))
    )
