"""Which pixels a shape covers.

Pixel (row, column) is covered when its centre (column + 0.5, row + 0.5) lies inside the shape. A
centre on an outline belongs to the shape on its right or below, so that shapes with a common
border neither overlap nor leave a gap. Where an outline crosses itself, what it goes around an odd
number of times is covered. Every shape is reduced to its crossings: the columns where a row of
pixel centres enters or leaves it; circles and ellipses from their equation, not from a polygon.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agri_annotate.errors import InputError
from agri_annotate.runs import Ints, Spans, union
from agri_annotate.shape import Circle, Ellipse, Point, Polygon, Polyline, Rect, Shape

MAX_CROSSINGS = 10_000_000
"""An outline that crosses rows of pixels more often would fill the memory."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cover:
    """The covered pixels of a picture, in a window of it.

    Attributes:
        top: first row of the window.
        left: first column of the window.
        inside: bool `(h, w)`; `(0, 0)` where the picture holds no covered pixel.
        clipped: whether pixels beyond the border would be covered.
    """

    top: int
    left: int
    inside: NDArray[np.bool_]
    clipped: bool

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the window, to index the picture with."""
        height, width = self.inside.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


@dataclass(frozen=True, slots=True)
class _Crossings:
    """Where rows of the picture are entered and left: first columns not left of the outline."""

    rows: Ints
    columns: Ints
    clipped: bool


def spans(
    shape: Shape,
    height: int,
    width: int,
    *,
    line: float | None = None,
    radius: float | None = None,
) -> Spans:
    """Return what `shape` covers of a picture of `height` and `width`.

    Args:
        shape: in pixels of the picture.
        height: rows of the picture.
        width: columns of the picture.
        line: width of a polyline in pixels; its ends and bends are round.
        radius: of a point in pixels.

    Raises:
        InputError: a polyline without `line`, a point without `radius`, an outline that crosses
            rows of pixels more than `MAX_CROSSINGS` times.
    """
    if isinstance(shape, Polyline):
        if line is None:
            raise InputError("a polyline covers nothing without a width; state --line WIDTH")
        return _stroke(shape, line, height, width)
    if isinstance(shape, Point):
        if radius is None:
            raise InputError("a point covers nothing without a radius; state --radius R")
        shape = Circle(shape.cx, shape.cy, radius)
    return _fill(_crossings(shape, height), width)


def cover(
    shape: Shape,
    height: int,
    width: int,
    *,
    line: float | None = None,
    radius: float | None = None,
) -> Cover:
    """Return the same as `spans`, as an array."""
    found = spans(shape, height, width, line=line, radius=radius)
    if not len(found.begin):
        return Cover(0, 0, np.zeros((0, 0), bool), found.clipped)
    rows, begin = np.divmod(found.begin - 1, width + 1)
    end = begin + found.end - found.begin
    top, left = int(rows.min()), int(begin.min())
    high, wide = int(rows.max()) + 1 - top, int(end.max()) - left
    start = (rows - top) * wide - left
    edges = np.concatenate(
        [[0], np.column_stack([start + begin, start + end]).ravel(), [high * wide]]
    )
    turns = np.arange(len(edges) - 1) % 2 == 1
    return Cover(top, left, np.repeat(turns, np.diff(edges)).reshape(high, wide), found.clipped)


def _crossings(shape: Rect | Circle | Ellipse | Polygon, height: int) -> _Crossings:
    if isinstance(shape, Circle):
        shape = Ellipse(shape.cx, shape.cy, shape.r, shape.r)
    if isinstance(shape, Ellipse):
        return _ellipse(shape, height)
    if isinstance(shape, Rect):
        right, low = shape.x + shape.width, shape.y + shape.height
        corners = ((shape.x, shape.y), (right, shape.y), (right, low), (shape.x, low))
        return _ring(np.array(corners), height)
    return _ring(np.array(shape.points, np.float64), height)


def _first(edge: Floats) -> Ints:
    """Return the first row or column whose centre is not before `edge`."""
    return np.ceil(edge - 0.5).astype(np.int64)


def _ring(points: Floats, height: int) -> _Crossings:
    """Cross a closed ring `(n, 2)` of x, y with the rows of pixel centres."""
    following = np.concatenate([points[1:], points[:1]])
    # Both neighbours of a common edge walk it downwards, so they round it alike.
    down = (points[:, 1] < following[:, 1]) | (
        (points[:, 1] == following[:, 1]) & (points[:, 0] <= following[:, 0])
    )
    upper = np.where(down[:, None], points, following)
    lower = np.where(down[:, None], following, points)
    first, last = _first(upper[:, 1]), _first(lower[:, 1])
    crossed = last > first
    cut = bool((crossed & ((first < 0) | (last > height))).any())
    first, last = np.maximum(first, 0), np.minimum(last, height)
    count = np.maximum(last - first, 0)
    if count.sum() > MAX_CROSSINGS:
        raise InputError(
            f"an outline of {len(points)} points crosses rows of pixels {count.sum()} times; at "
            f"most {MAX_CROSSINGS} are drawn"
        )
    edge = np.repeat(np.arange(len(count)), count)
    rows = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    slope = (lower[:, 0] - upper[:, 0]) / np.where(crossed, lower[:, 1] - upper[:, 1], 1.0)
    x = upper[edge, 0] + (rows + 0.5 - upper[edge, 1]) * slope[edge]
    return _Crossings(rows, _first(x), cut)


def _ellipse(shape: Ellipse, height: int) -> _Crossings:
    """Cross an ellipse with the rows: the roots of (u/rx)^2 + (v/ry)^2 = 1 in x, for each y.

    With u, v the coordinates in the ellipse's own axes that is a x^2 + 2 b y x + c y^2 = 1 about
    its centre, and reaches sqrt(a) rx ry above and below it.
    """
    cos, sin = np.cos(shape.theta), np.sin(shape.theta)
    a = (cos / shape.rx) ** 2 + (sin / shape.ry) ** 2
    b = cos * sin * (1 / shape.rx**2 - 1 / shape.ry**2)
    reach = np.sqrt(a) * shape.rx * shape.ry
    ends = _first(np.array([shape.cy - reach, shape.cy + reach]))
    first, last = np.clip(ends, 0, height)
    rows = np.arange(first, last, dtype=np.int64)
    y = rows + 0.5 - shape.cy
    # c a - b^2 = 1 / (rx ry)^2 turns the root into this, which loses no digits.
    half = np.sqrt(np.maximum(a - (y / (shape.rx * shape.ry)) ** 2, 0)) / a
    middle = shape.cx - b * y / a
    columns = np.concatenate([_first(middle - half), _first(middle + half)])
    return _Crossings(np.tile(rows, 2), columns, bool(ends[0] < first or ends[1] > last))


def _fill(crossings: _Crossings, width: int) -> Spans:
    """Fill each row between its crossings, the first and second, third and fourth, and so on."""
    # In reading order each crossing turns inside to outside or back; a row has an even number.
    columns = np.minimum(np.maximum(crossings.columns, 0), width)
    places = np.sort(crossings.rows * (width + 1) + 1 + columns)
    begin, end = places[0::2], places[1::2]
    full = end > begin
    return Spans(begin[full], end[full], crossings.clipped or _spills(crossings, width))


def _spills(crossings: _Crossings, width: int) -> bool:
    """Whether covered pixels lie left or right of the picture."""
    columns = crossings.columns
    if not len(columns) or (columns.min() >= 0 and columns.max() <= width):
        return False
    order = np.lexsort((columns, crossings.rows))
    begin, end = columns[order][0::2], columns[order][1::2]
    full = end > begin
    return bool((begin[full] < 0).any() or (end[full] > width).any())


def _stroke(shape: Polyline, line: float, height: int, width: int) -> Spans:
    """Cover what is within half of `line` of the line: a disc a point, a rectangle a piece."""
    half = line / 2
    parts = [spans(Circle(x, y, half), height, width) for x, y in shape.points]
    for (x0, y0), (x1, y1) in zip(shape.points, shape.points[1:], strict=False):
        length = float(np.hypot(x1 - x0, y1 - y0))
        if length > 0:
            dx, dy = (y1 - y0) / length * half, (x0 - x1) / length * half
            ring = [(x0 + dx, y0 + dy), (x1 + dx, y1 + dy), (x1 - dx, y1 - dy), (x0 - dx, y0 - dy)]
            parts.append(_fill(_ring(np.array(ring), height), width))
    return union(parts)
