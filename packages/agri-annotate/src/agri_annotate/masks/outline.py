"""The outline of a drawn shape as a geometry in pixels, x to the right and y down."""

import math
from typing import Any

import numpy as np
import shapely
from agri_core.vector.layer import polygonal
from numpy.typing import NDArray

from agri_annotate.model.shape import Circle, Ellipse, Point, Polygon, Polyline, Rect, Shape

FEWEST, MOST = 64, 720
SAGITTA = 0.05
"""Pixels between a curve and the chord in its place, until `MOST` chords are reached."""


def outline(shape: Shape) -> Any:
    """Return a polygon, a line or a point.

    Circles and ellipses become rings of 64 to 720 corners that have exactly their area. A
    polygon that crosses itself is cut by the even-odd rule, as it is drawn in masks.

    Example:
        >>> outline(Rect(0, 0, 4, 3)).area, round(outline(Circle(0, 0, 10)).area, 2)
        (12.0, 314.16)
    """
    match shape:
        case Rect(x, y, width, height):
            return shapely.box(x, y, x + width, y + height)
        case Circle(cx, cy, r):
            return shapely.Polygon(_ring(cx, cy, r, r, 0.0))
        case Ellipse(cx, cy, rx, ry, theta):
            return shapely.Polygon(_ring(cx, cy, rx, ry, theta))
        case Polygon(points):
            return polygonal(shapely.Polygon(points))
        case Polyline(points):
            return shapely.LineString(points)
        case Point(cx, cy):
            return shapely.Point(cx, cy)


def _ring(cx: float, cy: float, rx: float, ry: float, theta: float) -> NDArray[np.float64]:
    """Corners on an ellipse, widened so that the ring has the area of the ellipse.

    A ring of n corners on the unit circle has the area n / 2 * sin(2 pi / n).
    """
    bend = math.acos(max(-1.0, 1.0 - SAGITTA / max(rx, ry)))
    # A chord over the angle 2 bend lies r (1 - cos bend) = SAGITTA inside the circle.
    count = min(MOST, max(FEWEST, math.ceil(math.pi / bend)))
    turn = 2 * math.pi / count
    angles = np.arange(count) * turn
    widen = math.sqrt(turn / math.sin(turn))
    along, across = widen * rx * np.cos(angles), widen * ry * np.sin(angles)
    cos, sin = math.cos(theta), math.sin(theta)
    return np.column_stack([cx + along * cos - across * sin, cy + along * sin + across * cos])
