"""Merge many clusters into a few groups, by Ward's rule on their centres."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from agri_core.files.errors import InputError
from agri_data.figures.figure import INK, new_figure, save
from numpy.typing import ArrayLike, NDArray

from agri_cluster.data.tiles import Ints

Linkage = NDArray[np.float64]


def merge_clusters(centres: ArrayLike, sizes: ArrayLike, groups: int) -> Ints:
    """Return the group of each cluster, `(K,)`, groups numbered by their first cluster.

    Clusters whose join increases the squared error least are joined first, weighted by their
    tiles: the same as Ward's rule on tiles that all lie on their centre. A cluster without tiles
    joins the nearest one that has some.

    Args:
        centres: `(K, D)`.
        sizes: tiles of each cluster, `(K,)`.
        groups: how many groups remain, 1 to the number of clusters with tiles.

    Raises:
        InputError: `groups` is out of that range, or the shapes do not fit.
    """
    points, counts = _checked(centres, sizes)
    full = np.flatnonzero(counts)
    if not 1 <= groups <= len(full):
        raise InputError(
            f"{len(full)} clusters with tiles can be merged into 1 to {len(full)} groups, "
            f"got {groups}"
        )
    group = np.full(len(points), -1, np.int64)
    group[full] = _cut(linkage(points[full], counts[full]), len(full), groups)
    for empty in np.flatnonzero(counts == 0):
        near = np.square(points[full] - points[empty]).sum(axis=1).argmin()
        group[empty] = group[full[near]]
    return _numbered(group)


def linkage(centres: ArrayLike, sizes: ArrayLike) -> Linkage:
    """Return the joins of K clusters, `(K - 1, 4)`, as `scipy.cluster.hierarchy` describes them.

    Columns: the two joined (a number of K or more is an earlier join), the distance
    `sqrt(2 n m / (n + m)) |a - b|` of centres a, b of n and m tiles, and the clusters together.
    """
    points, counts = _checked(centres, sizes)
    if (counts == 0).any():
        raise InputError("a cluster without tiles is not in the tree; leave it out")
    weights, names = counts.astype(np.float64), np.arange(len(points))
    members = np.ones(len(points))
    costs = _costs(points, weights)
    joins = np.empty((max(len(points) - 1, 0), 4))
    for step in range(len(joins)):
        one, other = np.unravel_index(costs.argmin(), costs.shape)
        first, second = sorted((names[one], names[other]))
        members[one] += members[other]
        joins[step] = (first, second, np.sqrt(costs[one, other]), members[one])
        _join(costs, weights, int(one), int(other))
        names[one] = len(points) + step
    return joins


def draw_dendrogram(
    joins: Linkage, names: Sequence[str], path: Path, cut: int | None = None
) -> Path:
    """Draw the tree of joins with a name per cluster; the branches of `cut` groups in colour."""
    from scipy.cluster.hierarchy import dendrogram

    figure = new_figure(7.2, 1.2 + 0.17 * len(names))
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    level = 0.0 if cut is None else _level(joins, cut)
    dendrogram(
        joins, labels=list(names), orientation="left", ax=axes, color_threshold=level,
        above_threshold_color="#999999", leaf_font_size=8,
    )  # fmt: skip
    axes.set_title("Which clusters are close", fontsize=11, color=INK, weight="bold", loc="left")
    axes.set_xlabel("Ward distance of the centres, weighted by tiles", color=INK, fontsize=9)
    axes.tick_params(colors=INK, labelsize=8)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    if cut is not None and cut > 1:
        axes.axvline(level, color="#cc3333", linewidth=0.8, linestyle="--")
    return save(figure, path)


def _costs(points: Linkage, weights: Linkage) -> Linkage:
    """Twice the growth in squared spread of every join, `(K, K)`; infinite on the diagonal."""
    squares = np.square(points).sum(axis=1)
    gaps = np.maximum(squares[:, None] + squares - 2 * points @ points.T, 0)
    costs = 2 * gaps * np.outer(weights, weights) / np.add.outer(weights, weights)
    np.fill_diagonal(costs, np.inf)
    return np.asarray(costs, np.float64)


def _join(costs: Linkage, weights: Linkage, one: int, other: int) -> None:
    """Replace the first of two clusters by their join (Lance and Williams 1967)."""
    total = weights + weights[one] + weights[other]
    merged = (
        (weights + weights[one]) * costs[one]
        + (weights + weights[other]) * costs[other]
        - weights * costs[one, other]
    ) / total
    merged[[one, other]] = np.inf
    costs[one], costs[:, one] = merged, merged
    costs[other], costs[:, other] = np.inf, np.inf
    weights[one] += weights[other]


def _cut(joins: Linkage, clusters: int, groups: int) -> Ints:
    """The group of each cluster after all joins but the last `groups - 1`."""
    group = list(range(clusters + len(joins)))
    for step in reversed(range(clusters - groups)):
        for child in joins[step, :2].astype(int):
            group[child] = group[clusters + step]
    return np.array(group[:clusters], np.int64)


def _level(joins: Linkage, groups: int) -> float:
    heights = np.concatenate([[0.0], joins[:, 2], [joins[-1, 2] * 1.05]])
    at = len(heights) - 1 - groups
    return float((heights[at] + heights[at + 1]) / 2)


def _numbered(group: Ints) -> Ints:
    first, position = np.unique(group, return_index=True)
    order = np.argsort(np.argsort(position))
    return np.asarray(order[np.searchsorted(first, group)], np.int64)


def _checked(centres: ArrayLike, sizes: ArrayLike) -> tuple[Linkage, Ints]:
    points, counts = np.asarray(centres, np.float64), np.asarray(sizes)
    if points.ndim != 2 or counts.shape != points.shape[:1] or not np.isfinite(points).all():
        raise InputError(
            "merging needs finite centres (K, D) and K sizes, got shapes "
            f"{points.shape} and {counts.shape}"
        )
    if counts.dtype.kind not in "iu" or (counts < 0).any():
        raise InputError("sizes are numbers of tiles, 0 or more")
    return points, counts.astype(np.int64)
