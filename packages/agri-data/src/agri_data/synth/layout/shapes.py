"""Polygons the land is made of: blobs, contours, rectangles, and their pieces."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import contourpy
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.affinity import rotate
from shapely.geometry import MultiPolygon, Polygon, box

from agri_data.synth.layout.frame import PIXEL
from agri_data.synth.layout.noise import Field


def pieces(shape: Any, smallest: float = 1.0) -> Iterator[Polygon]:
    """Yield the polygons inside any geometry that are larger than `smallest` square metres."""
    for part in shapely.get_parts(shape):
        if isinstance(part, Polygon) and part.area > smallest:
            yield part
        elif isinstance(part, MultiPolygon):
            yield from pieces(part, smallest)


def blob(
    rng: np.random.Generator, centre: tuple[float, float], hectares: float, wobble: float = 0.22
) -> Polygon:
    """Draw a smooth irregular outline of exactly `hectares` around `centre`, stretched one way."""
    turn = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    radius = np.ones_like(turn)
    for wave in range(2, 8):
        radius += wobble / (wave - 0.5) * rng.normal() * np.cos(wave * turn + rng.uniform(0, 6.3))
    # Keeps the outline from folding over its centre.
    radius = np.maximum(radius, 0.3)
    stretch = rng.uniform(1.0, 1.7)
    ring = np.column_stack([radius * np.cos(turn) * stretch, radius * np.sin(turn)])
    outline = Polygon(ring).buffer(0)
    outline = max(pieces(outline, 0.0), key=lambda part: part.area)
    scale = np.sqrt(hectares * 1e4 / outline.area)
    turned = rotate(outline, rng.uniform(0, 180), origin=(0, 0))
    moved = shapely.transform(turned, lambda xy: xy * scale + np.asarray(centre))
    return Polygon(moved.exterior)


def rectangle(x: float, y: float, length: float, width: float, angle: float) -> Polygon:
    """Return a rectangle centred on `(x, y)`, its length along `angle` degrees from the east."""
    flat = box(x - length / 2, y - width / 2, x + length / 2, y + width / 2)
    return rotate(flat, angle, origin=(x, y))


def above(field: Field, level: float, metres: float) -> Any:
    """Return the area where a 10 m field exceeds `level`, in local metres (multi polygon)."""
    # One ring of lowest values outside the scene closes the contours beyond its border.
    padded = np.pad(field, 3, mode="edge")
    padded = np.pad(padded, 1, constant_values=float(field.min()) - 1.0)
    offset = (np.arange(padded.shape[0]) - 3.5) * PIXEL
    contours = contourpy.contour_generator(
        offset, metres - offset, padded, fill_type=contourpy.FillType.OuterOffset
    )
    points, offsets = contours.filled(level, float(field.max()) + 1.0)[:2]
    polygons = [_ring(p, o) for p, o in zip(points, offsets, strict=True)]
    # Square metres: specks of fewer than five pixels are noise of the field.
    return shapely.union_all([p for p in polygons if p.area > 500])


def _ring(points: Any, offsets: Any) -> Any:
    rings = [points[a:b] for a, b in itertools.pairwise(offsets)]
    holes = [ring for ring in rings[1:] if Polygon(ring).area > 1500]
    return shapely.make_valid(Polygon(rings[0], holes))


def total(shapes: Iterable[Any]) -> float:
    """Return the summed area in hectares."""
    return float(sum(shape.area for shape in shapes)) / 1e4


def sample(field: Field, points: NDArray[np.float64], metres: float) -> NDArray[np.float32]:
    """Read a 10 m field at local points `(N, 2)`; outside the scene the nearest pixel counts."""
    last = field.shape[0] - 1
    col = np.clip(points[:, 0] // PIXEL, 0, last).astype(int)
    row = np.clip((metres - points[:, 1]) // PIXEL, 0, last).astype(int)
    return np.asarray(field[row, col], np.float32)
