"""Which pixels a shape covers: a scanline rasteriser.

Pixel (row, column) is covered when its centre (column + 0.5, row + 0.5) lies inside the shape. A
centre on an outline belongs to the shape on its right or below, so that shapes with a common
border neither overlap nor leave a gap. Where an outline crosses itself, what it goes around an odd
number of times is covered. Every shape is reduced to its crossings: the columns where a row of
pixel centres enters or leaves it; circles and ellipses from their equation, not from a polygon.

`rasterio.features.rasterize` gives polygons the same pixels (0 differed, in 19.2 ms of CPU against
13.7 here), but no crossings, from which masks are kept as runs, and has no circles.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from agri_core.files.errors import InputError
from numpy.typing import NDArray

from agri_annotate.masks.runs import Ints, Spans, union
from agri_annotate.model.shape import Circle, Ellipse, Point, Polygon, Polyline, Rect, Shape

# A crossing takes about 50 bytes while rows are filled: some 0.5 GB at this limit.
MAX_CROSSINGS = 10_000_000
"""An outline that crosses rows of pixels more often would fill the memory."""

# numpy's cost per call outweighs that of a small outline; a batch that crosses more rows than the
# second limit is halved, so that one huge outline among small ones does not fill the memory.
TOGETHER = 2_000
MANY_CROSSINGS = 100_000
"""Points and crossings of the outlines that are filled in one go."""

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
    """Where rows of the picture are entered and left: first columns not left of the outline.

    Attributes:
        rows: one a crossing; those of a shape are together, shapes are in order.
        columns: likewise.
        shares: crossings of each shape.
        clipped: bool, whether each shape reaches above or below the picture.
    """

    rows: Ints
    columns: Ints
    shares: Ints
    clipped: NDArray[np.bool_]


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

    Example:
        >>> spans(Polygon([(1, 1), (4, 1), (4, 3), (1, 3)]), height=5, width=5).count
        6
    """
    if isinstance(shape, Polyline):
        if line is None:
            raise InputError("a polyline covers nothing without a width; state --line WIDTH")
        return _stroke(shape, line, height, width)
    if isinstance(shape, Point):
        if radius is None:
            raise InputError("a point covers nothing without a radius; state --radius R")
        shape = Circle(shape.cx, shape.cy, radius)
    if isinstance(shape, Circle):
        shape = Ellipse(shape.cx, shape.cy, shape.r, shape.r)
    if isinstance(shape, Ellipse):
        return _fill(_ellipse(shape, height), height, width)[0]
    return _fill(_rings([_corners(shape)], height), height, width)[0]


def polygon_spans(
    shapes: Sequence[Polygon], height: int, width: int
) -> Iterator[Spans | InputError]:
    """Yield the result of `spans` for each shape, or why it cannot be drawn.

    Many small outlines are filled in one go, which takes a tenth of the time.
    """
    rings: list[Floats] = []
    points = 0
    for shape in shapes:
        rings.append(_corners(shape))
        points += len(rings[-1])
        if points >= TOGETHER:
            yield from _together(rings, height, width)
            rings, points = [], 0
    yield from _together(rings, height, width)


def _together(rings: Sequence[Floats], height: int, width: int) -> Iterator[Spans | InputError]:
    if not rings:
        return
    half = len(rings) // 2
    try:
        crossings = _rings(rings, height, MANY_CROSSINGS if half else MAX_CROSSINGS)
    except InputError as error:
        if half:
            yield from _together(rings[:half], height, width)
            yield from _together(rings[half:], height, width)
        else:
            yield error
        return
    yield from _fill(crossings, height, width)


def cover(
    shape: Shape,
    height: int,
    width: int,
    *,
    line: float | None = None,
    radius: float | None = None,
) -> Cover:
    """Return the same as `spans`, as an array.

    Example:
        >>> cover(Rect(1, 1, 2, 1), height=3, width=4).inside.tolist()
        [[True, True]]
    """
    found = spans(shape, height, width, line=line, radius=radius)
    if not len(found.begin):
        return Cover(0, 0, np.zeros((0, 0), bool), found.clipped)
    # Undo the numbering of `runs`: row * (width + 1) + 1 + column.
    rows, begin = np.divmod(found.begin - 1, width + 1)
    end = begin + found.end - found.begin
    top, left = int(rows.min()), int(begin.min())
    high, wide = int(rows.max()) + 1 - top, int(end.max()) - left
    start = (rows - top) * wide - left
    edges = np.concatenate(
        [[0], np.column_stack([start + begin, start + end]).ravel(), [high * wide]]
    )
    # Edges alternate: outside, inside, outside, ..., from the window's first pixel to its last.
    turns = np.arange(len(edges) - 1) % 2 == 1
    return Cover(top, left, np.repeat(turns, np.diff(edges)).reshape(high, wide), found.clipped)


def _corners(shape: Rect | Polygon) -> Floats:
    """Return the corners `(n, 2)` of x, y."""
    if isinstance(shape, Polygon):
        return np.asarray(shape.points, np.float64)
    right, low = shape.x + shape.width, shape.y + shape.height
    return np.array(((shape.x, shape.y), (right, shape.y), (right, low), (shape.x, low)))


def _first(edge: Floats) -> Ints:
    """Return the first row or column whose centre is not before `edge`."""
    # ceil, not round: a centre exactly on the edge belongs to the shape on its right or below.
    return np.ceil(edge - 0.5).astype(np.int64)


def _rings(rings: Sequence[Floats], height: int, most: int = MAX_CROSSINGS) -> _Crossings:
    """Cross closed rings `(n, 2)` of x, y with the rows of pixel centres, `most` times."""
    points = np.concatenate(rings)
    starts = np.cumsum([0, *(len(ring) for ring in rings)])
    following = np.concatenate([points[1:], points[:1]])
    # Rings are closed: the last point of each is followed by its first.
    following[starts[1:] - 1] = points[starts[:-1]]
    # Both neighbours of a common edge walk it downwards, so they round it alike.
    down = (points[:, 1] < following[:, 1]) | (
        (points[:, 1] == following[:, 1]) & (points[:, 0] <= following[:, 0])
    )
    upper = np.where(down[:, None], points, following)
    lower = np.where(down[:, None], following, points)
    first, last = _first(upper[:, 1]), _first(lower[:, 1])
    crossed = last > first
    cut = crossed & ((first < 0) | (last > height))
    # Cut to the picture before edges are expanded into crossings: what lies outside costs nothing.
    first, last = np.maximum(first, 0), np.minimum(last, height)
    count = np.maximum(last - first, 0)
    if count.sum() > most:
        raise InputError(
            f"an outline of {len(points)} points crosses rows of pixels {count.sum()} times; at "
            f"most {most} are drawn"
        )
    edge = np.repeat(np.arange(len(count)), count)
    # first, first + 1, ..., last - 1 of each edge, end to end, without a loop.
    rows = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    # Edges between two rows of centres have no crossing; 1 only avoids 0 / 0 for level ones.
    slope = (lower[:, 0] - upper[:, 0]) / np.where(crossed, lower[:, 1] - upper[:, 1], 1.0)
    x = upper[edge, 0] + (rows + 0.5 - upper[edge, 1]) * slope[edge]
    shares = np.add.reduceat(count, starts[:-1])
    return _Crossings(rows, _first(x), shares, np.logical_or.reduceat(cut, starts[:-1]))


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
    cut = np.array([ends[0] < first or ends[1] > last])
    return _Crossings(np.tile(rows, 2), columns, np.array([len(columns)]), cut)


def _fill(crossings: _Crossings, height: int, width: int) -> list[Spans]:
    """Fill each row between its crossings, the first and second, third and fourth, and so on."""
    # In reading order each crossing turns inside to outside or back; a row has an even number.
    # Crossings beyond the sides move onto the border, so that their number stays even.
    columns = np.minimum(np.maximum(crossings.columns, 0), width)
    total, count = height * (width + 1), len(crossings.shares)
    offsets = np.arange(count) * total  # a picture for each shape, one below the other
    positions = np.sort(
        np.repeat(offsets, crossings.shares) + crossings.rows * (width + 1) + 1 + columns
    )
    begin, end = positions[0::2], positions[1::2]
    # Two crossings that round to one column have no pixel centre between them.
    full = end > begin
    begin, end = begin[full], end[full]
    parts = np.searchsorted(begin, np.append(offsets, count * total))
    back = np.repeat(offsets, np.diff(parts))
    begin, end = begin - back, end - back
    clipped = crossings.clipped | _spills(crossings, width)
    return [
        Spans(begin[first:last], end[first:last], beyond)
        for first, last, beyond in zip(parts, parts[1:], clipped.tolist(), strict=False)
    ]


def _spills(crossings: _Crossings, width: int) -> NDArray[np.bool_]:
    """Whether covered pixels lie left or right of the picture, for each shape."""
    columns, count = crossings.columns, len(crossings.shares)
    # The usual case needs no sorting: no crossing lies beyond the sides.
    if not len(columns) or (columns.min() >= 0 and columns.max() <= width):
        return np.zeros(count, bool)
    shape = np.repeat(np.arange(count), crossings.shares)
    order = np.lexsort((columns, crossings.rows, shape))
    begin, end = columns[order][0::2], columns[order][1::2]
    beyond = (end > begin) & ((begin < 0) | (end > width))
    return np.bincount(shape[order][0::2], beyond, count) > 0


def _stroke(shape: Polyline, line: float, height: int, width: int) -> Spans:
    """Cover what is within half of `line` of the line: a disc a point, a rectangle a piece."""
    half = line / 2
    parts = [spans(Circle(x, y, half), height, width) for x, y in shape.points]
    for (x0, y0), (x1, y1) in zip(shape.points, shape.points[1:], strict=False):
        length = float(np.hypot(x1 - x0, y1 - y0))
        if length > 0:
            # The normal of the piece, half a line width long.
            dx, dy = (y1 - y0) / length * half, (x0 - x1) / length * half
            ring = [(x0 + dx, y0 + dy), (x1 + dx, y1 + dy), (x1 - dx, y1 - dy), (x0 - dx, y0 - dy)]
            parts += _fill(_rings([np.array(ring)], height), height, width)
    return union(parts)
