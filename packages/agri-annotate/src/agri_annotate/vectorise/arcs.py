"""Rings of pixel edges cut where three regions meet, so that neighbours share what is simplified.

A slanted border is a staircase of pixel edges: its corners are replaced by the midpoints
of its steps, which lie half a pixel at most from the steps and on neither side of the border, and
the result is thinned after Douglas and Peucker. Corners between two edges of `STRAIGHT` pixels or
more are a drawn corner and stay. Thinning corners instead, or `shapely.coverage_simplify`, needs
about half as many vertices again for the same agreement with the pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

STRAIGHT = 3
"""Pixels from which an edge counts as straight, not as a step of a slanted border."""

Coordinates = NDArray[np.float64]
"""Vertices as rows `(x, y)`."""


@dataclass(frozen=True, slots=True)
class Arc:
    """A piece of a ring between two junctions, where three regions meet.

    Attributes:
        corners: `(n, 2)` corners of pixel edges; for a ring that meets no third region the first
            is repeated at the end.
        other: the label on the far side.
        ring: whether it is a whole ring.
        turned: whether `corners` runs against the ring, so that both neighbours thin the same.
    """

    corners: Coordinates
    other: int
    ring: bool
    turned: bool


def junctions(labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Mark the pixel corners, `(height + 1, width + 1)`, where three pixel edges or more meet.

    The corners of the picture count too, so that they are never cut off.
    """
    # -1 is no label: the rim of the picture is an edge of every region on it.
    padded = np.pad(labels, 1, constant_values=-1)
    across = padded[:, 1:] != padded[:, :-1]
    down = padded[1:] != padded[:-1]
    # How many of the four pixel edges at each corner lie between two labels.
    edges = across[:-1].astype(np.uint8) + across[1:] + down[:, :-1].astype(np.uint8) + down[:, 1:]
    corners: NDArray[np.bool_] = edges >= 3
    corners[[0, 0, -1, -1], [0, -1, 0, -1]] = True
    return corners


def cut(
    ring: Coordinates, label: int, labels: NDArray[np.int32], corners: NDArray[np.bool_]
) -> list[Arc]:
    """Cut a closed ring of pixel edges around the region `label` at its junctions."""
    dense = _unit_steps(ring)
    meets = corners[dense[:, 1], dense[:, 0]]
    if not meets.any():
        closed = np.vstack([dense, dense[:1]])
        return [Arc(_turns(closed), _far_side(closed, label, labels), ring=True, turned=False)]
    # Begin at a junction, so that no arc runs over the start of the ring.
    dense = np.roll(dense, -int(meets.argmax()), axis=0)
    closed = np.vstack([dense, dense[:1]])
    stops = np.flatnonzero(corners[closed[:, 1], closed[:, 0]])
    return [_arc(closed[first : last + 1], label, labels) for first, last in pairwise(stops)]


def thin(arcs: Sequence[Arc], limits: Sequence[float]) -> list[Coordinates]:
    """Thin each arc, from its start to its end along its ring.

    Args:
        arcs: of any number of rings.
        limits: per arc, the farthest in pixels that a dropped vertex may lie from the new line;
            0 keeps every pixel edge.
    """
    lines = [
        _smooth(arc) if limit > 0 else arc.corners for arc, limit in zip(arcs, limits, strict=True)
    ]
    owners = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    geometries = shapely.linestrings(np.concatenate(lines), indices=owners)
    # An arc alone may cross others here; polygonise checks whole rings and thins bad ones less.
    geometries = shapely.simplify(geometries, np.asarray(limits), preserve_topology=False)
    points, owners = shapely.get_coordinates(geometries, return_index=True)
    parts = np.split(points, np.flatnonzero(np.diff(owners)) + 1)
    return [part[::-1] if arc.turned else part for part, arc in zip(parts, arcs, strict=True)]


def corner_count(arcs: Sequence[Arc]) -> int:
    """Count the vertices of a ring before it is thinned."""
    return sum(len(arc.corners) - 1 for arc in arcs)


def _unit_steps(ring: Coordinates) -> NDArray[np.int64]:
    """Every pixel corner along a closed ring, without the repeated last."""
    corners = np.rint(ring).astype(np.int64)
    steps = np.diff(corners, axis=0)
    # Each step runs along one axis, so its length is the sum over both.
    lengths = np.abs(steps).sum(axis=1)
    edge = np.repeat(np.arange(len(steps)), lengths)
    along = np.arange(len(edge)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    dense: NDArray[np.int64] = corners[edge] + np.sign(steps)[edge] * along[:, None]
    return dense


def _arc(piece: NDArray[np.int64], label: int, labels: NDArray[np.int32]) -> Arc:
    other = _far_side(piece, label, labels)
    forward, backward = piece[:2].tolist(), piece[:-3:-1].tolist()
    ends = (forward[0], forward[1]), (backward[0], backward[1])
    # Both neighbours walk an arc in opposite directions; they agree to start at the smaller end.
    turned = ends[0] > ends[1]
    return Arc(_turns(piece[::-1] if turned else piece), other, ring=False, turned=turned)


def _turns(piece: NDArray[np.int64]) -> Coordinates:
    """Return the first and the last point and those where the direction changes."""
    steps = np.diff(piece, axis=0)
    keep = np.ones(len(piece), dtype=bool)
    keep[1:-1] = (steps[1:] != steps[:-1]).any(axis=1)
    turns: Coordinates = piece[keep].astype(np.float64)
    return turns


def _far_side(piece: NDArray[np.int64], label: int, labels: NDArray[np.int32]) -> int:
    """The label across the first pixel edge, -1 outside the picture."""
    (x, y), (after_x, after_y) = piece[0].tolist(), piece[1].tolist()
    row, col = min(y, after_y), min(x, after_x)
    sides = [(row - 1, col), (row, col)] if x != after_x else [(row, col - 1), (row, col)]
    height, width = labels.shape
    found = [
        int(labels[row, col]) if 0 <= row < height and 0 <= col < width else -1
        for row, col in sides
    ]
    return found[1] if found[0] == label else found[0]


def _smooth(arc: Arc) -> Coordinates:
    """Midpoints of the pixel edges, with the corners between two straight ones."""
    corners = arc.corners
    # The ring was cut open inside a straight edge, whose two halves are one edge.
    if arc.ring and not _is_turn(corners):
        corners = np.vstack([corners[1:-1], corners[1:2]])
    middles = (corners[:-1] + corners[1:]) / 2
    straight = np.abs(np.diff(corners, axis=0)).sum(axis=1) >= STRAIGHT
    if not arc.ring:
        drawn = np.flatnonzero(straight[:-1] & straight[1:])
        inner = np.insert(middles, drawn + 1, corners[drawn + 1], axis=0)
        return np.vstack([corners[:1], inner, corners[-1:]])
    drawn = np.flatnonzero(straight & np.roll(straight, -1))
    closed = np.insert(middles, drawn + 1, corners[drawn + 1], axis=0)
    # Thinning keeps the first vertex, so both neighbours begin at the same one: the leftmost.
    start = int(np.lexsort((closed[:, 1], closed[:, 0]))[0])
    rolled = np.roll(closed, -start, axis=0)
    return np.vstack([rolled, rolled[:1]])


def _is_turn(closed: Coordinates) -> bool:
    """Return whether the first point of a closed ring is a corner."""
    before, after = closed[-1] - closed[-2], closed[1] - closed[0]
    return bool(before[0] * after[1] != before[1] * after[0])
