"""Metrics of a clustering that scikit-learn does not have, and its silhouette on a sample.

Accuracy and purity are formulas on a table of counts `(K, C)`: tiles of each cluster and class.
Clusters and classes are numbers from 0; a class below 0 means "unknown" and is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from agri_core.files.errors import InputError
from numpy.typing import ArrayLike, NDArray

from agri_cluster.data.tiles import Ints, Tiles, sample

Counts = NDArray[np.int64]

SILHOUETTE = 5_000
"""Maximum number of tiles of a silhouette, whose cost grows with their square."""


def contingency(truth: ArrayLike, labels: ArrayLike) -> Counts:
    """Count the tiles of each cluster and class, `(K, C)`, those of unknown class left out.

    Raises:
        InputError: the two are of unequal length, or a cluster is below 0.

    Example:
        >>> contingency(truth=[0, 0, 1, -1], labels=[1, 1, 0, 0]).tolist()
        [[0, 1], [2, 0]]
    """
    classes, clusters = _ids(truth), _ids(labels)
    if classes.shape != clusters.shape:
        raise InputError(f"{len(classes)} classes are given for {len(clusters)} labels")
    if clusters.size and clusters.min() < 0:
        raise InputError(f"clusters are numbers from 0, got {clusters.min()}")
    known = classes >= 0
    classes, clusters = classes[known], clusters[known]
    table = np.zeros((clusters.max(initial=-1) + 1, classes.max(initial=-1) + 1), np.int64)
    np.add.at(table, (clusters, classes), 1)
    return table


def accuracy(table: Counts) -> float:
    """Share of tiles that match under the best one-to-one assignment (Hungarian algorithm).

    The clusters or classes that are left over count as wrong, so it is meaningful only for K = C.

    Example:
        >>> accuracy(contingency(truth=[0, 0, 1, 1], labels=[1, 1, 0, 1]))
        0.75
    """
    from scipy.optimize import linear_sum_assignment

    rows, cols = linear_sum_assignment(table, maximize=True)
    return _share(table[rows, cols].sum(), table)


def purity(table: Counts) -> float:
    """Share of tiles of the majority class of their cluster; grows with K.

    Example:
        >>> purity(contingency(truth=[0, 0, 1, 1], labels=[0, 1, 2, 2]))
        1.0
    """
    return _share(table.max(axis=1, initial=0).sum(), table)


def heldout_purity(truth: ArrayLike, labels: ArrayLike, rng: np.random.Generator) -> float:
    """Purity with the majority classes of one half of the tiles, scored on the other half.

    The mean of both directions. A cluster without tiles in the first half counts as wrong.
    """
    classes, clusters = _ids(truth), _ids(labels)
    known = np.flatnonzero(classes >= 0)
    order = rng.permutation(known)
    halves = np.array_split(order, 2)
    scored = zip(halves, halves[::-1], strict=True)
    hits = sum(_named(classes, clusters, learn, score) for learn, score in scored)
    return hits / len(known) if len(known) else float("nan")


def permuted(labels: ArrayLike, rng: np.random.Generator) -> Ints:
    """Return the labels in random order: a control of equal cluster sizes."""
    return rng.permutation(_ids(labels))


def silhouette(
    rows: Tiles, labels: ArrayLike, rng: np.random.Generator, count: int = SILHOUETTE
) -> float:
    """Mean silhouette of at most `count` tiles drawn at random; NaN for fewer than two clusters.

    It belongs to the space of `rows` and is comparable within one space only: training that
    draws tiles to their centres raises it in its own embedding whatever the clusters are worth.
    """
    from sklearn.metrics import silhouette_score

    chosen = sample(rows, count, rng)
    part = _ids(labels)[chosen]
    if not 2 <= used(part) < len(part):
        return float("nan")
    return float(silhouette_score(rows.take(chosen), part))


def stability(labelings: Sequence[ArrayLike]) -> float:
    """Mean ARI over all pairs of labelings of the same tiles; NaN for fewer than two."""
    from sklearn.metrics import adjusted_rand_score

    found = [adjusted_rand_score(one, other) for one, other in combinations(labelings, 2)]
    return float(np.mean(found)) if found else float("nan")


def used(labels: ArrayLike) -> int:
    """Number of clusters with at least one tile."""
    return len(np.unique(_ids(labels)))


def largest(labels: ArrayLike) -> float:
    """Share of tiles in the largest cluster."""
    return float(_sizes(labels)[0] / _ids(labels).size)


def holding(labels: ArrayLike, share: float = 0.9) -> int:
    """Number of clusters, the largest first, that hold `share` of the tiles.

    Example:
        >>> holding([0] * 6 + [1] * 3 + [2], share=0.9)
        2
    """
    sums = np.cumsum(_sizes(labels))
    return int(np.searchsorted(sums, np.ceil(share * sums[-1] - 1e-9))) + 1


def _named(classes: Ints, clusters: Ints, learn: Ints, score: Ints) -> int:
    table = contingency(classes[learn], clusters[learn])
    names = np.where(table.any(axis=1), table.argmax(axis=1), -1) if table.size else np.array([])
    names = np.append(names, np.full(clusters.max() + 1 - len(names), -1))
    return int((names[clusters[score]] == classes[score]).sum())


def _sizes(labels: ArrayLike) -> Ints:
    sizes = np.unique(_ids(labels), return_counts=True)[1]
    return np.sort(sizes)[::-1].astype(np.int64)


def _ids(values: ArrayLike) -> Ints:
    ids = np.asarray(values)
    if ids.ndim != 1 or (ids.size and ids.dtype.kind not in "iu"):
        raise InputError(
            f"labels are whole numbers, one a tile, got {ids.dtype} of shape {ids.shape}"
        )
    return ids.astype(np.int64)


def _share(hits: Any, table: Counts) -> float:
    total = int(table.sum())
    return float(hits) / total if total else float("nan")
