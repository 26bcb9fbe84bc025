"""How good a clustering is, from counts: agreement with known classes, and what needs no classes.

Everything about agreement is a formula on one table of counts `(K, C)`: tiles of each cluster and
class. Clusters and classes are numbers from 0; a class below 0 means "not known" and is left out.
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
"""At most so many tiles are drawn for a silhouette, whose cost grows with their square."""


def contingency(truth: ArrayLike, labels: ArrayLike) -> Counts:
    """Count the tiles of each cluster and class, `(K, C)`, those of unknown class left out.

    Raises:
        InputError: the two are of unequal length, or a cluster is below 0.
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
    """Best share of tiles matched when each cluster stands for one class and no class for two.

    Where there are more clusters than classes (or fewer) the rest of them counts as wrong, so the
    figure says something only for K = C.
    """
    from scipy.optimize import linear_sum_assignment

    rows, cols = linear_sum_assignment(table, maximize=True)
    return _share(table[rows, cols].sum(), table)


def purity(table: Counts) -> float:
    """Share of tiles that are of the commonest class of their cluster; grows with K by itself."""
    return _share(table.max(axis=1, initial=0).sum(), table)


def mutual_information(table: Counts) -> float:
    """Mutual information of clusters and classes, in nats."""
    return _entropy(table.sum(1)) + _entropy(table.sum(0)) - _entropy(table)


def nmi(table: Counts) -> float:
    """Mutual information over the mean of the two entropies; not adjusted for chance."""
    mean = (_entropy(table.sum(1)) + _entropy(table.sum(0))) / 2
    return 1.0 if mean == 0 else float(np.clip(mutual_information(table) / mean, 0, 1))


def ami(table: Counts) -> float:
    """NMI adjusted for chance (Vinh et al. 2010): 0 expected of random labels, 1 at best."""
    from sklearn.metrics.cluster import expected_mutual_information

    lean = table[table.sum(1) > 0][:, table.sum(0) > 0]
    if min(lean.shape, default=0) < 2:
        return 1.0 if lean.size == 1 else 0.0
    chance = float(expected_mutual_information(lean, int(lean.sum())))
    mean = (_entropy(lean.sum(1)) + _entropy(lean.sum(0))) / 2
    return _ratio(mutual_information(lean) - chance, mean - chance)


def ari(table: Counts) -> float:
    """Rand index adjusted for chance (Hubert and Arabie 1985): 0 expected of random labels."""
    pairs, rows, cols = _pairs(table), _pairs(table.sum(1)), _pairs(table.sum(0))
    total = _pairs(table.sum())
    chance = rows * cols / total if total else 0.0
    return _ratio(pairs - chance, (rows + cols) / 2 - chance)


def homogeneity(table: Counts) -> float:
    """1 when every cluster holds one class only; of one class alone it is 1."""
    entropy = _entropy(table.sum(0))
    return 1.0 if entropy == 0 else max(mutual_information(table) / entropy, 0.0)


def completeness(table: Counts) -> float:
    """1 when every class lies in one cluster only."""
    return homogeneity(table.T)


def heldout_purity(truth: ArrayLike, labels: ArrayLike, rng: np.random.Generator) -> float:
    """Purity with the class of each cluster learnt on one half and scored on the other.

    Both halves take both parts and the mean counts. A cluster that the first half lacks is wrong
    in the second: nobody has named it.
    """
    classes, clusters = _ids(truth), _ids(labels)
    known = np.flatnonzero(classes >= 0)
    order = rng.permutation(known)
    halves = np.array_split(order, 2)
    scored = zip(halves, halves[::-1], strict=True)
    hits = sum(_named(classes, clusters, learn, score) for learn, score in scored)
    return hits / len(known) if len(known) else float("nan")


def permuted(labels: ArrayLike, rng: np.random.Generator) -> Ints:
    """Return the labels in random order: the control of any purity, clusters of equal sizes."""
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
    found = [ari(contingency(one, other)) for one, other in combinations(labelings, 2)]
    return float(np.mean(found)) if found else float("nan")


def churn(before: ArrayLike, after: ArrayLike) -> float:
    """Share of tiles whose label is another than before, 0..1."""
    return float(np.mean(_ids(before) != _ids(after)))


def used(labels: ArrayLike) -> int:
    """How many clusters hold at least one tile."""
    return len(np.unique(_ids(labels)))


def largest(labels: ArrayLike) -> float:
    """Share of tiles in the largest cluster."""
    return float(_sizes(labels)[0] / _ids(labels).size)


def holding(labels: ArrayLike, share: float = 0.9) -> int:
    """How many clusters, the largest first, it takes to hold `share` of the tiles."""
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


def _entropy(counts: NDArray[np.int64]) -> float:
    shares = counts[counts > 0] / max(counts.sum(), 1)
    return float(-(shares * np.log(shares)).sum())


def _pairs(counts: Any) -> float:
    whole = np.asarray(counts, np.float64)
    return float((whole * (whole - 1) / 2).sum())


def _ratio(above: float, below: float) -> float:
    return 1.0 if abs(below) < 1e-12 else float(above / below)


def _share(hits: Any, table: Counts) -> float:
    total = int(table.sum())
    return float(hits) / total if total else float("nan")
