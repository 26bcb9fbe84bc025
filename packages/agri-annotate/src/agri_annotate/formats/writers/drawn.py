"""Serialisation of shapes for VIA 1 and 2: a name and numbers in pixels."""

from typing import Any

from agri_annotate.formats.writers.text import number
from agri_annotate.model.shape import Circle, Ellipse, Point, Points, Polygon, Polyline, Rect, Shape

Json = dict[str, Any]


def drawn(shape: Shape, *, old: bool = False) -> Json:
    """Return the `shape_attributes` of a region.

    The polygons of VIA 1 (`old`) repeat their first point at the end, those of VIA 2 do not. VIA 1
    has no theta: an ellipse is taken to be upright.
    """
    match shape:
        case Polygon(points):
            return _points("polygon", (*points, points[0]) if old else points)
        case Polyline(points):
            return _points("polyline", points)
        case Rect(x, y, width, height):
            return _numbers("rect", x=x, y=y, width=width, height=height)
        case Circle(cx, cy, r):
            return _numbers("circle", cx=cx, cy=cy, r=r)
        case Ellipse(cx, cy, rx, ry, theta):
            tilt = {} if old else {"theta": theta}
            return _numbers("ellipse", cx=cx, cy=cy, rx=rx, ry=ry, **tilt)
        case Point(cx, cy):
            return _numbers("point", cx=cx, cy=cy)


def _numbers(kind: str, **values: float) -> Json:
    return {"name": kind} | {key: number(value) for key, value in values.items()}


def _points(kind: str, points: Points) -> Json:
    return {
        "name": kind,
        "all_points_x": [number(x) for x, _ in points],
        "all_points_y": [number(y) for _, y in points],
    }
