"""Pairs of chips that share ground, found without comparing each with each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agri_data.splits.places import Boxes

Ints = NDArray[np.int64]

STEP = 4096


def crossing(boxes: Boxes, parts: Ints, gap: float = 0.0) -> Ints:
    """Return pairs `(M, 2)` of chips of two parts whose boxes overlap or are nearer than `gap`.

    A part below 0 takes no part. Chips are binned into cells as wide as the widest box, so only
    neighbouring cells are compared.
    """
    cell = float(boxes.sides.max()) + gap
    places = np.floor(boxes.centres / cell).astype(np.int64)
    places -= places.min(axis=0) - 1
    width, height = places.max(axis=0) + 2
    keys = (boxes.frame * width + places[:, 0]) * height + places[:, 1]
    order = np.argsort(keys, kind="stable")
    found = [
        _compare(boxes, parts, gap, order, keys, step)
        for step in (dx * height + dy for dx in (-1, 0, 1) for dy in (-1, 0, 1))
    ]
    return np.concatenate(found)


def _compare(boxes: Boxes, parts: Ints, gap: float, order: Ints, keys: Ints, step: int) -> Ints:
    """Compare each chip with those whose cell key is its own plus `step`."""
    ranked = keys[order]
    found = []
    for start in range(0, len(keys), STEP):
        left = np.arange(start, min(start + STEP, len(keys)))
        first = np.searchsorted(ranked, keys[left] + step, "left")
        last = np.searchsorted(ranked, keys[left] + step, "right")
        a, b = _expand(left, first, last)
        b = order[b]
        keep = (a < b) & (parts[a] != parts[b]) & (parts[a] >= 0) & (parts[b] >= 0)
        a, b = a[keep], b[keep]
        found.append(np.column_stack([a, b])[_near(boxes, a, b, gap)])
    return np.concatenate(found)


def _expand(left: Ints, first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """Return every `(left[i], j)` with `first[i] <= j < last[i]`."""
    counts = last - first
    ends = np.cumsum(counts)
    within = np.arange(ends[-1]) - np.repeat(ends - counts, counts)
    return np.repeat(left, counts), np.repeat(first, counts) + within


def _near(boxes: Boxes, a: Ints, b: Ints, gap: float) -> NDArray[np.bool_]:
    low = np.maximum(boxes.edges[a, :2], boxes.edges[b, :2])
    high = np.minimum(boxes.edges[a, 2:], boxes.edges[b, 2:])
    slack = np.maximum(boxes.slack[a], boxes.slack[b])
    depth = (high - low).min(axis=1)
    near = np.logical_and(depth > slack - gap, boxes.frame[a] == boxes.frame[b])
    return np.asarray(near, bool)
