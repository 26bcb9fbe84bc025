"""k-means on rows of any number: k-means++ on a sample, then Lloyd's algorithm on all of them."""

from __future__ import annotations

import numpy as np
from agri_core.files.errors import InputError

from agri_cluster.data.tiles import Floats, Tiles, sample
from agri_cluster.init.lloyd import Means, lloyd

SAMPLE = 256
"""Rows per centre that k-means++ draws from, as faiss trains on."""
# The authors' code gives faiss 20 iterations an epoch, fewer than its default of 25.
MAX_ITER = 20
# Relative decrease of the inertia that counts as converged, near the rounding of float32.
TOL = 1e-6


def best_kmeans(
    rows: Tiles,
    n_clusters: int,
    rng: np.random.Generator,
    *,
    n_init: int = 1,
    max_iter: int = MAX_ITER,
) -> Means:
    """Return the result of least inertia of `n_init` initialisations."""
    runs = (kmeans(rows, n_clusters, rng, max_iter) for _ in range(n_init))
    return min(runs, key=lambda run: run.inertia)


def kmeans(
    rows: Tiles, n_clusters: int, rng: np.random.Generator, max_iter: int = MAX_ITER
) -> Means:
    """Cluster rows `(N, D)`; an empty cluster is given half of another.

    Raises:
        InputError: there are fewer rows than clusters.
    """
    if len(rows) < n_clusters:
        raise InputError(f"{n_clusters} clusters need as many tiles or more, got {len(rows)}")
    return lloyd(rows, _initial(rows, n_clusters, rng), max_iter, tol=TOL, rng=rng)


def _initial(rows: Tiles, n_clusters: int, rng: np.random.Generator) -> Floats:
    from sklearn.cluster import kmeans_plusplus

    drawn = rows.take(sample(rows, SAMPLE * n_clusters, rng))
    centres, _ = kmeans_plusplus(drawn, n_clusters, random_state=int(rng.integers(2**31)))
    return np.asarray(centres, np.float32)
