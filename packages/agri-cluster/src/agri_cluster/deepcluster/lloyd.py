"""k-means that reads its rows from disk and leaves no cluster empty while it can be helped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from agri_core.files.errors import InputError
from numpy.typing import NDArray

from agri_cluster.data.distances import squared_distances
from agri_cluster.data.tiles import Floats, Ints, Tiles, batches, sample
from agri_cluster.init.starts import nearest

SAMPLE = 256
"""Rows for each centre that the first centres are drawn from, as faiss trains on."""

READ = 4096
NUDGE = 1 / 1024

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Means:
    """Centres of groups of rows.

    Attributes:
        centres: `(K, D)`.
        labels: the nearest centre of each row, `(N,)`.
        inertia: mean squared distance of the rows to their centres.
        splits: how often an empty cluster was given half of another.
    """

    centres: Floats
    labels: Ints
    inertia: float
    splits: int


def best_means(
    rows: Tiles, clusters: int, rng: np.random.Generator, *, tries: int = 1, passes: int = 20
) -> Means:
    """Return the grouping of least inertia of `tries` starts."""
    return min((means(rows, clusters, rng, passes) for _ in range(tries)), key=lambda m: m.inertia)


def means(rows: Tiles, clusters: int, rng: np.random.Generator, passes: int = 20) -> Means:
    """Group rows `(N, D)` by Lloyd's rule from a k-means++ start, in at most `passes` passes.

    Raises:
        InputError: there are fewer rows than clusters.
    """
    if len(rows) < clusters:
        raise InputError(f"{clusters} clusters need as many tiles or more, got {len(rows)}")
    centres, splits, before = _first(rows, clusters, rng), 0, np.inf
    for _ in range(passes):
        total, count, inertia = _collect(rows, centres)
        moved = total / np.maximum(count, 1)[:, None]
        centres = np.where(count[:, None] > 0, moved, centres).astype(np.float32)
        empty = int((count == 0).sum())
        if not empty and inertia >= before * (1 - 1e-6):
            break
        centres, before, splits = split(centres, count, rng), inertia, splits + empty
    return Means(centres, nearest(rows, centres), _collect(rows, centres)[2], splits)


def split(centres: Floats, count: Ints, rng: np.random.Generator) -> Floats:
    """Put each empty centre beside one of a filled cluster and part the two a little.

    faiss's rule (`Clustering.cpp`, split_clusters): a cluster is drawn in proportion to its size
    less one, the copy is made a 1024th larger in even columns and smaller in odd ones, the
    original the reverse, and each is taken to hold half.

    Args:
        centres: `(K, D)`.
        count: rows in each cluster, `(K,)`.
        rng: draws the clusters.
    """
    centres, count = centres.copy(), count.astype(np.int64)
    nudge = np.where(np.arange(centres.shape[1]) % 2, -NUDGE, NUDGE).astype(np.float32)
    for empty in np.flatnonzero(count == 0):
        weight = np.maximum(count - 1, 0)
        if not weight.any():
            break
        full = rng.choice(len(count), p=weight / weight.sum())
        centres[empty] = centres[full] * (1 + nudge)
        centres[full] *= 1 - nudge
        count[empty] = count[full] // 2
        count[full] -= count[empty]
    return centres


def _first(rows: Tiles, clusters: int, rng: np.random.Generator) -> Floats:
    from sklearn.cluster import kmeans_plusplus

    drawn = rows.take(sample(rows, SAMPLE * clusters, rng))
    centres, _ = kmeans_plusplus(drawn, clusters, random_state=int(rng.integers(2**31)))
    return np.asarray(centres, np.float32)


def _collect(rows: Tiles, centres: Floats) -> tuple[Doubles, Ints, float]:
    """Return sums `(K, D)` and sizes `(K,)` of the clusters, and the mean squared distance."""
    total, inertia = np.zeros(centres.shape), 0.0
    count = np.zeros(len(centres), np.int64)
    for _, z in batches(rows, READ):
        square = squared_distances(z, centres)
        labels = square.argmin(axis=1)
        count += np.bincount(labels, minlength=len(centres))
        total += _sums(z, labels, len(centres))
        inertia += float(square[np.arange(len(z)), labels].sum())
    return total, count, inertia / len(rows)


def _sums(z: Floats, labels: Ints, clusters: int) -> Doubles:
    from scipy.sparse import csr_matrix

    members = csr_matrix((np.ones(len(z)), (labels, np.arange(len(z)))), (clusters, len(z)))
    return np.asarray(members @ z.astype(np.float64))
