"""A layer of features as read from a file, and the repaired polygons in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from agri_core.vector.crs import finite

Geometries = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Layer:
    """Features read from a file.

    Attributes:
        crs: of the geometries, x and y in the order of maps.
        geometries: as the file has them, in its order; None where one could not be read.
        records: attributes of each.
    """

    crs: CRS
    geometries: tuple[Any, ...]
    records: tuple[Mapping[str, Any], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the attributes, in order of appearance."""
        return tuple(dict.fromkeys(key for record in self.records for key in record))


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a feature: its number from 1, and whether it is left out for it."""

    feature: int
    what: str
    lost: bool


def sound(geometries: Any) -> tuple[Any, ...]:
    """Drop heights; None where a coordinate is no number."""
    found = np.array([*geometries, None], object)[:-1]
    found[~finite(found)] = None
    return tuple(shapely.force_2d(found))


def areas(layer: Layer) -> tuple[list[Any], list[Fault]]:
    """Return the repaired polygon of each feature or None, and what was wrong."""
    shapes: list[Any] = []
    faults = []
    whole = shapely.is_valid(np.array([*layer.geometries, None], object)[:-1])
    for number, (geometry, valid) in enumerate(zip(layer.geometries, whole, strict=True), 1):
        kind = "no geometry that can be read" if geometry is None else geometry.geom_type
        area = polygonal(geometry) if kind.endswith("Polygon") else shapely.Polygon()
        kind = f"an empty {kind}" if geometry is not None and geometry.is_empty else kind
        shapes.append(None if area.is_empty else area)
        if area.is_empty:
            faults.append(Fault(number, f"expected a polygon with an area, got {kind}", lost=True))
        elif not valid:
            what = "the outline crosses or touches itself; mended by the even-odd rule"
            faults.append(Fault(number, what, lost=False))
    return shapes, faults


def polygonal(geometry: Any) -> Any:
    """Mend a geometry by the even-odd rule and keep its areas only; empty where it has none."""
    mended = geometry if geometry.is_valid else shapely.make_valid(geometry)
    if mended.geom_type in ("Polygon", "MultiPolygon"):
        return mended
    parts = [part for part in shapely.get_parts(mended) if part.geom_type.endswith("Polygon")]
    return shapely.union_all(parts) if parts else shapely.Polygon()


def plain(value: Any) -> str:
    """Return the text of a cell; a whole number read as a float loses its ".0".

    A column of whole numbers with gaps is read as floats.

    >>> plain(3.0), plain(None), plain(float("nan"))
    ('3', '', '')
    """
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
