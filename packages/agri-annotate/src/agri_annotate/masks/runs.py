"""A mask as runs of pixels of one value, so that its cost is that of its outlines, not its area.

Each row is one position that is never drawn on and `width` pixels, so that no run goes from a
region of one row into the next: pixel (row, column) is number row * (width + 1) + 1 + column.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# No class id, so that a drawn class 0 differs from pixels that were never drawn on.
UNDRAWN = -1
MANY = 8_000_000
"""Pieces of spans painted at a time; many nested regions are painted in halves."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Spans:
    """What a region covers: the pixels from `begin` until before `end`, in rising order.

    No span goes over the end of a row. `clipped` tells whether some of the region is beyond the
    border of the picture.
    """

    begin: Ints
    end: Ints
    clipped: bool = False

    @property
    def count(self) -> int:
        """Pixels."""
        return int((self.end - self.begin).sum())


@dataclass(frozen=True, slots=True)
class Layer:
    """Spans to paint with `value`, on behalf of the region `owner`."""

    spans: Spans
    value: int
    owner: int


@dataclass(frozen=True, slots=True)
class Runs:
    """A mask of `height` and `width`: `values[i]` from `edges[i]` until before `edges[i + 1]`.

    Values are class ids, 255, or `UNDRAWN`; edges go from 0 to height * (width + 1).
    """

    height: int
    width: int
    edges: Ints
    values: NDArray[np.int16]

    @property
    def classes(self) -> NDArray[np.uint8]:
        """The values with background for what nothing was drawn on."""
        return np.maximum(self.values, 0).astype(np.uint8)

    def filled(self, value: int) -> "Runs":
        """Return the mask with `value` where nothing was drawn; the position before a row stays."""
        if value == 0:
            return self
        starts = np.arange(self.height, dtype=np.int64) * (self.width + 1)
        edges = np.unique(np.concatenate([self.edges, starts, starts + 1]))
        # The run that holds each new edge: new edges cut runs but change no value.
        values = self.values[np.searchsorted(self.edges, edges[:-1], side="right") - 1].copy()
        values[(values == UNDRAWN) & (edges[:-1] % (self.width + 1) != 0)] = value
        return Runs(self.height, self.width, edges, values)

    def array(self) -> NDArray[np.uint8]:
        """Return the mask `(H, W)`."""
        # A row begins with a position that is no pixel: ceil(edge / (width + 1)) lie before.
        before = self.edges - -(-self.edges // (self.width + 1))  # pixels before each edge
        pixels = np.repeat(self.classes, np.diff(before))
        return pixels.reshape(self.height, self.width)

    def pixels(self) -> dict[int, int]:
        """Count the pixels of each value that is there."""
        counts = np.bincount(self.classes, np.diff(self.edges)).astype(np.int64)
        # The position before each row counted as background, but is no pixel.
        counts[0] -= self.height
        return {int(value): int(counts[value]) for value in np.flatnonzero(counts)}


def blank(height: int, width: int) -> Runs:
    """Return a mask that nothing was drawn on."""
    edges = np.array([0, height * (width + 1)], np.int64)
    return Runs(height, width, edges, np.array([UNDRAWN], np.int16))


def union(parts: Sequence[Spans]) -> Spans:
    """Return the spans of what at least one of `parts` covers."""
    begin = np.concatenate([part.begin for part in parts])
    positions = np.concatenate([begin, *(part.end for part in parts)])
    # Stable, so that what begins where another ends goes on.
    order = np.argsort(positions, kind="stable")
    # How many parts cover the pixels from each edge on; a span ends where none is left.
    depth = np.cumsum(np.where(order < len(begin), 1, -1))
    ends = depth == 0
    begins = np.concatenate([[True], ends[:-1]])[: len(ends)]
    clipped = any(part.clipped for part in parts)
    return Spans(positions[order][begins], positions[order][ends], clipped)


def paint(below: Runs, layers: Sequence[Layer]) -> tuple[Runs, Counter[tuple[int, int]]]:
    """Paint `layers` above `below`, the last the highest.

    Returns:
        The new mask, and how many pixels of which value a layer painted over with another:
        `(owner, value)` -> pixels.
    """
    drawn = below.values != UNDRAWN
    begin = np.concatenate([below.edges[:-1][drawn], *(layer.spans.begin for layer in layers)])
    end = np.concatenate([below.edges[1:][drawn], *(layer.spans.end for layer in layers)])
    edges, first, last = _ranked(begin, end, int(below.edges[-1]))
    count = last - first
    if count.sum() > MANY and len(layers) > 1:
        half = len(layers) // 2
        middle, lost = paint(below, layers[:half])
        top, more = paint(middle, layers[half:])
        return top, lost + more
    sizes = [len(layer.spans.begin) for layer in layers]
    value = np.concatenate([below.values[drawn], np.repeat([y.value for y in layers], sizes)])
    owner = np.concatenate([np.full(drawn.sum(), -1), np.repeat([y.owner for y in layers], sizes)])
    # first, first + 1, ..., last - 1 of each span, end to end, without a loop.
    positions = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count - first, count)
    values = np.full(len(edges) - 1, UNDRAWN, np.int16)
    # numpy keeps the last value of a repeated index: the highest layer stays.
    values[positions] = np.repeat(value, count)
    lost = _overwritten(positions, np.repeat(value, count), np.repeat(owner, count), np.diff(edges))
    # Neighbours of one value join, or the mask would keep the edges of hidden layers.
    turns = np.concatenate([[True], values[1:] != values[:-1]])
    kept = np.concatenate([edges[:-1][turns], edges[-1:]])
    return Runs(below.height, below.width, kept, values[turns]), lost


def _ranked(begin: Ints, end: Ints, total: int) -> tuple[Ints, Ints, Ints]:
    """Return all different positions with 0 and `total`, and the ranks of `begin` and `end`."""
    positions = np.concatenate([begin, end, [0, total]]).astype(np.int64)
    order = np.argsort(positions, kind="stable")
    ordered = positions[order]
    new = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    rank = np.empty(len(positions), np.int64)
    # Equal numbers share a rank: their index among the different ones.
    rank[order] = np.cumsum(new) - 1
    return ordered[new], rank[: len(begin)], rank[len(begin) : -2]


def _overwritten(
    positions: Ints, value: Ints, owner: Ints, lengths: Ints
) -> Counter[tuple[int, int]]:
    """Count the pixels where a value lies directly above another."""
    lost: Counter[tuple[int, int]] = Counter()
    # With one value in all nothing is overwritten, and nothing need be sorted.
    if not len(value) or value.min() == value.max():
        return lost
    order = np.argsort(positions, kind="stable")
    position, value, owner = positions[order], value[order], owner[order]
    # The stable sort keeps the order of painting within a position: neighbours lie on each other.
    above = np.flatnonzero((position[1:] == position[:-1]) & (value[1:] != value[:-1])) + 1
    # One number for (owner, value); values are bytes.
    pairs = owner[above] * 256 + value[above - 1]
    kinds, which = np.unique(pairs, return_inverse=True)
    counts = np.bincount(which, lengths[position[above]], len(kinds))
    for kind, pixels in zip(kinds.tolist(), counts.tolist(), strict=True):
        lost[divmod(kind, 256)] += int(pixels)
    return lost
