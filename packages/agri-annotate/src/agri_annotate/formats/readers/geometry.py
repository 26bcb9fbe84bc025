"""Shapes of the three notations: VIA 1 and 2 objects, VIA 3 number lists, COCO rings."""

import math
from collections.abc import Callable
from typing import Any

from agri_core.files.errors import InputError

from agri_annotate.formats.readers.attributes import note_doubled
from agri_annotate.formats.readers.values import Notes, brief, number, numbers, pairs, whole
from agri_annotate.model.shape import Circle, Ellipse, Point, Points, Polygon, Polyline, Rect, Shape

Scalars = Callable[..., Shape]

_SCALARS: dict[str, tuple[Scalars, tuple[str, ...]]] = {
    "rect": (Rect, ("x", "y", "width", "height")),
    "circle": (Circle, ("cx", "cy", "r")),
    "ellipse": (Ellipse, ("cx", "cy", "rx", "ry")),
    "point": (Point, ("cx", "cy")),
}
_CHAINS: dict[str, Callable[[Points], Shape]] = {"polyline": Polyline}
SHAPES = ("rect", "circle", "ellipse", "polygon", "polyline", "point")


def from_object(raw: Any, notes: Notes) -> Shape:
    """Return the shape of a VIA 1 or 2 `shape_attributes` object.

    An ellipse of VIA 1 and of VIA before 2.0.8 has no `theta`: it is not rotated.

    Raises:
        InputError: the shape is unknown, or a coordinate is missing or absurd.
    """
    if not isinstance(raw, dict):
        raise InputError(f"shape_attributes should be an object, got {brief(raw)}")
    note_doubled(raw, "its shape", notes)
    name = raw.get("name")
    if name in ("polygon", "polyline"):
        return _chain(name, _vertices(raw, notes))
    if not isinstance(name, str) or name not in _SCALARS:
        raise InputError(f"unknown shape {brief(name)}; known are {', '.join(SHAPES)}")
    maker, names = _SCALARS[name]
    values = [number(raw.get(field), f"{name}: {field}", notes) for field in names]
    if name == "ellipse" and "theta" in raw:
        values.append(number(raw["theta"], f"{name}: theta", notes))
    return maker(*values)


def from_list(raw: Any, notes: Notes) -> Shape:
    """Return the shape of a VIA 3 `xy` list, `[shape id, number, ...]`.

    A line (5) becomes a polyline, an extreme rectangle (8) the bounds of its points and an
    extreme circle (9) the circle through its three points; both are noted.

    Raises:
        InputError: the shape is unknown, or has the wrong number of coordinates.
    """
    if not isinstance(raw, list) or not raw:
        raise InputError(f"xy should be a list [shape, number, ...], got {brief(raw)}")
    kind = whole(raw[0])
    if kind not in _LISTS:
        raise InputError(f"unknown shape number {brief(raw[0])}; known are 1 to 9")
    name, size, maker = _LISTS[kind]
    values = numbers(raw[1:], name, notes)
    if size is not None and len(values) != size:
        raise InputError(f"{name} needs {size} numbers, got {len(values)}")
    if kind in (8, 9):
        notes.append((f"{name}: read as the {name.split()[1]} through its points", "note"))
    return maker(values)


def from_ring(ring: Any, notes: Notes) -> Shape:
    """Return the shape of a COCO ring, `[x0, y0, x1, y1, ...]`.

    A ring as VIA writes a rectangle, from the upper left corner clockwise, is a rectangle.

    Raises:
        InputError: it is not a ring.
    """
    points = pairs(numbers(ring, "segmentation", notes))
    if len(points) == 4:
        (x0, y0), (x1, y1) = points[0], points[2]
        if points == ((x0, y0), (x1, y0), (x1, y1), (x0, y1)) and x1 > x0 and y1 > y0:
            return Rect(x0, y0, x1 - x0, y1 - y0)
    return _chain("polygon", points)


def _vertices(raw: dict[str, Any], notes: Notes) -> Points:
    xs = numbers(raw.get("all_points_x"), "all_points_x", notes)
    ys = numbers(raw.get("all_points_y"), "all_points_y", notes)
    if len(xs) != len(ys):
        raise InputError(f"all_points_x has {len(xs)} numbers, all_points_y has {len(ys)}")
    return tuple(zip(xs, ys, strict=True))


def _chain(name: str, points: Points) -> Shape:
    """Return a polygon or polyline; a polygon's repeated first point (VIA 1) is removed."""
    if name in _CHAINS:
        return _CHAINS[name](points)
    return Polygon(points[:-1] if len(points) > 3 and points[0] == points[-1] else points)


def _extreme_rect(values: list[float]) -> Shape:
    left, top = min(values[::2]), min(values[1::2])
    return Rect(left, top, max(values[::2]) - left, max(values[1::2]) - top)


def _extreme_circle(values: list[float]) -> Shape:
    """Circumcircle of three points, with the first as the origin."""
    x, y = values[:2]
    bx, by, cx, cy = values[2] - x, values[3] - y, values[4] - x, values[5] - y
    # Four times the signed area of the triangle, 0 for points on a line.
    twice = 2 * (bx * cy - by * cx)
    if twice == 0:
        raise InputError("extreme circle: its three points lie on a line")
    b, c = bx * bx + by * by, cx * cx + cy * cy
    ux, uy = (cy * b - by * c) / twice, (bx * c - cx * b) / twice
    return Circle(x + ux, y + uy, math.hypot(ux, uy))


# By VIA 3's shape id: name, number of coordinates, and constructor.
_LISTS: dict[int, tuple[str, int | None, Callable[[list[float]], Shape]]] = {
    1: ("point", 2, lambda v: Point(*v)),
    2: ("rect", 4, lambda v: Rect(*v)),
    3: ("circle", 3, lambda v: Circle(*v)),
    4: ("ellipse", 4, lambda v: Ellipse(*v)),
    5: ("line", 4, lambda v: Polyline(pairs(v))),
    6: ("polyline", None, lambda v: Polyline(pairs(v))),
    7: ("polygon", None, lambda v: _chain("polygon", pairs(v))),
    8: ("extreme rectangle", 8, _extreme_rect),
    9: ("extreme circle", 6, _extreme_circle),
}
