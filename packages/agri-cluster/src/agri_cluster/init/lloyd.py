"""Lloyd's algorithm on rows that are read from disk a batch at a time.

scikit-learn's KMeans holds all rows in memory, and the scores of its MiniBatchKMeans vary some
twenty times as much between seeds. This is the one loop that streams the rows; every k-means of
this package on more rows than fit into memory ends in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agri_cluster.data.distances import squared_distances
from agri_cluster.data.tiles import Floats, Ints, Tiles, batches

READ = 4096
"""Rows per batch: distances to 1000 centres take 32 MiB."""
NUDGE = 1 / 1024
"""By which two copies of a centre are moved apart, as in faiss."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Means:
    """A k-means result.

    Attributes:
        centres: `(K, D)`.
        labels: the nearest centre of each row, `(N,)`.
        inertia: mean squared distance of the rows to their centres.
        splits: how often an empty cluster was given half of another.
    """

    centres: Floats
    labels: Ints
    inertia: float
    splits: int = 0


def lloyd(
    rows: Tiles,
    centres: Floats,
    max_iter: int,
    *,
    tol: float = 0.0,
    rng: np.random.Generator | None = None,
) -> Means:
    """Move centres `(K, D)` to the means of their rows `(N, D)`, at most `max_iter` times.

    Args:
        rows: the rows.
        centres: initial centres.
        max_iter: maximum number of passes.
        tol: relative decrease of the inertia below which the loop ends.
        rng: draws the cluster that an empty one is given half of; without it the centre of an empty
            cluster stays where it is.
    """
    splits, before = 0, np.inf
    for _ in range(max_iter):
        sums, sizes, inertia = _accumulate(rows, centres)
        # The divisor 1 only avoids 0 / 0: an empty cluster keeps its centre in the next line.
        means = sums / np.maximum(sizes, 1)[:, None]
        centres = np.where(sizes[:, None] > 0, means, centres).astype(np.float32)
        empty = int((sizes == 0).sum()) if rng is not None else 0
        # The inertia is that of the centres before the move, so the loop ends one pass late and
        # never early. Not while a cluster is empty: the split after it lowers the inertia again.
        if not empty and inertia >= before * (1 - tol):
            break
        before = inertia
        if rng is not None:
            centres, splits = split(centres, sizes, rng), splits + empty
    return Means(centres, nearest(rows, centres), _accumulate(rows, centres)[2], splits)


def split(centres: Floats, sizes: Ints, rng: np.random.Generator) -> Floats:
    """Replace each empty centre by a copy of a non-empty one and move the two slightly apart.

    faiss's rule (`Clustering.cpp`, split_clusters): a cluster is drawn in proportion to its size
    less one, the copy is made a 1024th larger in even columns and smaller in odd ones, the
    original the reverse, and each is taken to hold half.

    Args:
        centres: `(K, D)`.
        sizes: rows in each cluster, `(K,)`.
        rng: draws the clusters.
    """
    centres, sizes = centres.copy(), sizes.astype(np.int64)
    nudge = np.where(np.arange(centres.shape[1]) % 2, -NUDGE, NUDGE).astype(np.float32)
    for empty in np.flatnonzero(sizes == 0):
        # Less one, because a cluster of a single row cannot be split in two.
        weight = np.maximum(sizes - 1, 0)
        if not weight.any():
            break
        full = rng.choice(len(sizes), p=weight / weight.sum())
        # Opposite signs in alternating columns: the two copies differ in direction and not only
        # in length, so that rows on both sides of the centre exist whatever its sign.
        centres[empty] = centres[full] * (1 + nudge)
        centres[full] *= 1 - nudge
        sizes[empty] = sizes[full] // 2
        sizes[full] -= sizes[empty]
    return centres


def nearest(rows: Tiles, centres: NDArray[np.floating]) -> Ints:
    """Return the nearest centre of each row, `(N,)`."""
    return np.concatenate([squared_distances(z, centres).argmin(1) for _, z in batches(rows)])


def cluster_means(rows: Tiles, labels: Ints, clusters: int) -> Floats:
    """Return the mean row of each cluster, `(K, D)`; that of an empty cluster is NaN."""
    sums = sum(_sums(z, labels[indices], clusters) for indices, z in batches(rows))
    sizes = np.bincount(labels, minlength=clusters)[:, None]
    with np.errstate(invalid="ignore"):
        return np.asarray(sums / sizes, np.float32)


def _accumulate(rows: Tiles, centres: Floats) -> tuple[Doubles, Ints, float]:
    """Return sums `(K, D)` and sizes `(K,)` of the clusters, and the mean squared distance."""
    # float64 sums: adding a million values in float32 leaves about five correct digits.
    sums, inertia = np.zeros(centres.shape), 0.0
    sizes = np.zeros(len(centres), np.int64)
    for _, z in batches(rows, READ):
        square = squared_distances(z, centres)
        labels = square.argmin(axis=1)
        sizes += np.bincount(labels, minlength=len(centres))
        sums += _sums(z, labels, len(centres))
        inertia += float(square[np.arange(len(z)), labels].sum())
    return sums, sizes, inertia / len(rows)


def _sums(z: Floats, labels: Ints, clusters: int) -> Doubles:
    """Sum the rows of each cluster by a sparse membership matrix, which is faster than add.at."""
    from scipy.sparse import csr_matrix

    members = csr_matrix((np.ones(len(z)), (labels, np.arange(len(z)))), (clusters, len(z)))
    return np.asarray(members @ z.astype(np.float64))
