"""Where chips lie on the ground: their outlines in longitude and latitude, as GeoJSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import rasterio.crs
import rasterio.warp

DIGITS = 7
"""Decimals of a degree that are written; 1e-7 degrees are about a centimetre."""


def footprint(crs: str, transform: str, size: int) -> list[list[float]]:
    """Return the closed ring of a chip's corners as `[longitude, latitude]`, anticlockwise.

    Args:
        crs: of the chip table, not empty.
        transform: the six numbers of the chip table.
        size: side of the chip in pixels.
    """
    a, b, c, d, e, f = (float(number) for number in transform.split())
    corners = ((0, 0), (0, size), (size, size), (size, 0))
    xs = [a * col + b * row + c for col, row in corners]
    ys = [d * col + e * row + f for col, row in corners]
    lon, lat = rasterio.warp.transform(rasterio.crs.CRS.from_user_input(crs), "EPSG:4326", xs, ys)
    ring = [[round(x, DIGITS), round(y, DIGITS)] for x, y in zip(lon, lat, strict=True)]
    ring = ring if _area(ring) > 0 else ring[::-1]
    return [*ring, ring[0]]


def feature_collection(
    items: Iterable[tuple[list[list[float]], Mapping[str, Any]]],
) -> dict[str, Any]:
    """Return rings and their properties as a GeoJSON object (RFC 7946)."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "properties": dict(properties),
        }
        for ring, properties in items
    ]
    return {"type": "FeatureCollection", "features": features}


def _area(ring: list[list[float]]) -> float:
    """Return twice the signed area; it is positive when the ring runs anticlockwise."""
    pairs = zip(ring, [*ring[1:], ring[0]], strict=True)
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairs)
