"""Outlines for formats that lack a shape: ellipses as rings of 72 points, as VIA does."""

import math
from dataclasses import replace

from agri_annotate.model.shape import Circle, Ellipse, Points, Polygon, Rect, Shape

CORNERS = 72
"""Points of the ring that replaces a circle or an ellipse: one every 5 degrees, as in VIA."""

_DECIMALS = 3


def ring(shape: Rect | Circle | Ellipse | Polygon) -> Points:
    """Return the outline as points, not closed; circles and ellipses as 72 points on the curve."""
    match shape:
        case Polygon(points):
            return points
        case Rect(x, y, width, height):
            right, lower = x + width, y + height
            return ((x, y), (right, y), (right, lower), (x, lower))
        case Circle(cx, cy, r):
            return _curve(Ellipse(cx, cy, r, r))
        case Ellipse():
            return _curve(shape)


def untilted(shape: Shape) -> Shape:
    """Return `shape` for a format without theta: a rotated ellipse becomes a ring of 72 points.

    Where the half axes are swapped, or equal, no ring is needed and the ellipse stays one.

    Raises:
        InputError: the ellipse is so small that its ring is a single point.
    """
    if not isinstance(shape, Ellipse):
        return shape
    # Rotated by quarter turns an ellipse only swaps its half axes; 1e-9 for rounding in theta.
    quarters = shape.theta / (math.pi / 2)
    if shape.rx == shape.ry or abs(quarters - round(quarters)) < 1e-9:
        swap = round(quarters) % 2 == 1
        rx, ry = (shape.ry, shape.rx) if swap else (shape.rx, shape.ry)
        return replace(shape, rx=rx, ry=ry, theta=0.0)
    return Polygon(ring(shape))


def _curve(shape: Ellipse) -> Points:
    # x = cx + rx cos t cos theta - ry sin t sin theta; y points down, so theta rotates clockwise.
    cos, sin = math.cos(shape.theta), math.sin(shape.theta)
    # A thousandth of a pixel is enough, but would merge the points of a tiny ring.
    decimals = _DECIMALS if min(shape.rx, shape.ry) >= 0.1 else 12
    points = []
    for corner in range(CORNERS):
        t = math.tau * corner / CORNERS
        a, b = shape.rx * math.cos(t), shape.ry * math.sin(t)
        x, y = shape.cx + a * cos - b * sin, shape.cy + a * sin + b * cos
        points.append((round(x, decimals), round(y, decimals)))
    return tuple(points)
