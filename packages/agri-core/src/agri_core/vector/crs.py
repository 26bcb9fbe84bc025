"""Coordinate reference systems, and geometries moved between them; x and y in the order of maps."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from agri_core.files.errors import InputError

LONLAT = CRS.from_epsg(4326)
HALF_TURN = 180.0
"""Degrees; what is wider crosses the 180th meridian, where longitudes jump."""


def parse_crs(text: Any) -> CRS:
    """Parse a CRS from WKT, an authority's code, or anything else that pyproj takes.

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
    """Move a geometry to another CRS by its vertices.

    Raises:
        InputError: there is no way between the two, or a vertex has no place in the target.
    """
    moved = move_all([geometry], source, target)[0]
    if moved is None:
        raise InputError(f"it reaches beyond where {target.name} is defined")
    return moved


def move_all(geometries: Any, source: CRS, target: CRS) -> NDArray[np.object_]:
    """Move geometries by their vertices; None where one has no place in the target, or was None.

    Raises:
        InputError: there is no way between the two.
    """
    found = np.array([*geometries, None], object)[:-1]  # never a 2-D array of coordinates
    if source == target or not len(found):
        return found
    transformer = _transformer(source.to_wkt(), target.to_wkt())
    moved: NDArray[np.object_] = shapely.transform(
        found, lambda xy: np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))
    )
    moved[~finite(moved)] = None
    return moved


def finite(geometries: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Return which geometries have no coordinate that is infinite or no number, `(N,)`."""
    xy, owner = shapely.get_coordinates(geometries, return_index=True)
    sound = np.ones(len(geometries), bool)
    sound[owner[~np.isfinite(xy).all(axis=1)]] = False
    return sound


def crosses_meridian(lonlat: Any) -> Any:
    """Return whether geometries in longitude and latitude cross the 180th meridian."""
    west, _, east, _ = shapely.bounds(lonlat).T
    return east - west > HALF_TURN


@lru_cache(maxsize=64)
def _transformer(source: str, target: str) -> Transformer:
    try:
        # always_xy: EPSG has latitude first, files have longitude first.
        return Transformer.from_crs(CRS.from_wkt(source), CRS.from_wkt(target), always_xy=True)
    except ProjError as error:
        raise InputError(f"no way leads from one CRS to the other ({error})") from error
