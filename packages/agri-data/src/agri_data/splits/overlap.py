"""Pairs of chips that share ground, found without comparing each with each."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from agri_data.splits.places import Boxes, Floats

Ints = NDArray[np.int64]

STEP = 4096
"""Chips that are looked up at once: pairs of many dates over one place take much memory."""

MARGIN = 1e-6
"""Share of a chip by which boxes are looked up wider; what is found is compared exactly."""


def crossing(boxes: Boxes, splits: Ints, gap: float = 0.0) -> Ints:
    """Return pairs `(M, 2)` of chips of two splits whose boxes overlap or are nearer than `gap`.

    The gap is measured along x and along y. Chips of a split below 0 are left out. Pairs are in
    order, the earlier chip first.
    """
    rows = np.flatnonzero(splits >= 0)
    if not len(rows):
        return np.empty((0, 2), np.int64)
    reach = gap + MARGIN * float(boxes.sides.max())
    # Frames laid 2 * reach apart cannot meet, so one search tree serves all.
    laid = _side_by_side(boxes.edges[rows], boxes.frame[rows], 2 * reach)
    tree = shapely.STRtree(shapely.box(*laid.T))
    found = []
    for start in range(0, len(rows), STEP):
        wide = laid[start : start + STEP] + np.array([-reach, -reach, reach, reach])
        # Without a predicate the tree compares bounds, which is all there is to a box.
        near = rows[tree.query(shapely.box(*wide.T)) + np.array([[start], [0]])]
        a, b = near[:, (near[0] < near[1]) & (splits[near[0]] != splits[near[1]])]
        found.append(np.column_stack([a, b])[_near(boxes, a, b, gap)])
    pairs = np.concatenate(found)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _side_by_side(edges: Floats, frame: Ints, gap: float) -> Floats:
    """Lay the frames next to each other, more than `gap` apart, so that one tree holds all."""
    _, number = np.unique(frame, return_inverse=True)
    low = np.full((number.max() + 1, 2), np.inf)
    high = np.full(len(low), -np.inf)
    np.minimum.at(low, number, edges[:, :2])
    np.maximum.at(high, number, edges[:, 2])
    widths = high - low[:, 0] + 2 * gap + 1
    shift = np.column_stack([np.cumsum(widths) - widths, np.zeros(len(low))]) - low
    laid: Floats = edges + np.tile(shift[number], 2)
    return laid


def _near(boxes: Boxes, a: Ints, b: Ints, gap: float) -> NDArray[np.bool_]:
    low = np.maximum(boxes.edges[a, :2], boxes.edges[b, :2])
    high = np.minimum(boxes.edges[a, 2:], boxes.edges[b, 2:])
    tolerance = np.maximum(boxes.tolerance[a], boxes.tolerance[b])
    # Above 0 where two boxes overlap by so much, below 0 where they are so far apart.
    depth = (high - low).min(axis=1)
    near = np.logical_and(depth > tolerance - gap, boxes.frame[a] == boxes.frame[b])
    return np.asarray(near, bool)
