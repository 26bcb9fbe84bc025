"""Ward, spectral and UMAP clustering of rows that are all in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from agri_cluster.data.tiles import Floats, Ints

# The default `n_neighbors` of UMAP; also used for the neighbour graph of Ward and spectral.
NEIGHBOURS = 15
WHOLE_WARD = 10_000
"""Rows up to which Ward's rule may merge any two clusters; its memory grows with their square."""
# Maximum number of eigenvectors: 1.5 per cluster, up to 50 clusters.
VECTORS = 75
WHOLE_SPECTRUM = 2_000
"""Rows up to which a full eigendecomposition is faster than an iterative one."""
SPECTRAL_INITS, UMAP_INITS = 10, 20


def ward(z: Floats, clusters: int, rng: np.random.Generator) -> Ints:
    """Cluster by Ward's rule; beyond `WHOLE_WARD` rows only neighbours in a graph may merge."""
    import warnings

    from sklearn.cluster import AgglomerativeClustering

    graph = neighbour_graph(z) if len(z) > WHOLE_WARD else None
    with warnings.catch_warnings():
        # scikit-learn joins the components of the graph, and warns that it does.
        warnings.simplefilter("ignore")
        labels = AgglomerativeClustering(clusters, connectivity=graph).fit_predict(z)
    return np.asarray(labels, np.int64)


def spectral(z: Floats, clusters: int, rng: np.random.Generator) -> Ints:
    """Cluster by k-means on the leading eigenvectors of the neighbour graph, rows of unit length.

    Ng, Jordan and Weiss (2002), with the eigenvectors of the random walk (Shi and Malik 2000), and
    half as many again as clusters: clusters of uneven size or shape take more than one vector
    each. Beyond `VECTORS` further ones separate only a few tiles.
    """
    from scipy.sparse import diags
    from sklearn.cluster import KMeans

    graph = neighbour_graph(z)
    # D^(-1/2) W D^(-1/2) is symmetric, which eigh and eigsh need, and has the eigenvalues of the
    # random walk D^(-1) W; its eigenvectors are those times D^(-1/2), applied below.
    root = 1.0 / np.sqrt(np.asarray(graph.sum(axis=1)).ravel())
    count = min(clusters + clusters // 2, VECTORS, len(z) - 1)
    vectors = leading_vectors((diags(root) @ graph @ diags(root)).tocsr(), count, rng)
    vectors *= root[:, None]
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    seed = int(rng.integers(2**31))
    model = KMeans(clusters, n_init=SPECTRAL_INITS, random_state=seed)
    # Rows of unit length (Ng, Jordan and Weiss 2002, step 4). 1e-12 keeps a row of zeros, a tile
    # without weight in any leading vector, from becoming NaN.
    return np.asarray(model.fit_predict(vectors / np.maximum(length, 1e-12)), np.int64)


def leading_vectors(walk: Any, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the eigenvectors `(N, count)` of the largest eigenvalues of a graph, falling.

    Each connected part of the graph is decomposed by itself. All of them share the eigenvalue 1,
    and an iterative method finds of equal eigenvalues only some: it would lose whole parts.

    Args:
        walk: `(N, N)`, sparse and symmetric, D^(-1/2) W D^(-1/2).
        count: below N.
        rng: draws where iterations start.
    """
    from scipy.sparse.csgraph import connected_components

    parts, part = connected_components(walk, directed=False)
    values: list[float] = []
    found: list[tuple[Ints, NDArray[np.float64]]] = []
    # Larger parts first: of equal eigenvalues those are kept when there are too many.
    for chosen in np.argsort(-np.bincount(part, minlength=parts), kind="stable"):
        rows = np.flatnonzero(part == chosen)
        own, vectors = _decompose(walk[rows][:, rows], min(count, len(rows)), rng)
        values.extend(own)
        found.extend((rows, vector) for vector in vectors.T)
    # Rounded, as equal eigenvalues of different parts differ by their last digits.
    order = np.argsort(-np.round(values, 9), kind="stable")[:count]
    out = np.zeros((walk.shape[0], count))
    for column, place in enumerate(order):
        rows, vector = found[place]
        out[rows, column] = vector
    return out


def _decompose(
    walk: Any, count: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the `count` largest eigenvalues of one connected part, falling, and their vectors."""
    from scipy.sparse.linalg import eigsh

    if walk.shape[0] <= WHOLE_SPECTRUM:
        values, vectors = np.linalg.eigh(walk.toarray())
    else:
        # LA: the largest algebraic eigenvalues; by magnitude, those near -1 of almost bipartite
        # parts would be found too. v0 is drawn here, since ARPACK's own start is not seeded.
        values, vectors = eigsh(walk, k=count, which="LA", v0=rng.random(walk.shape[0]))
    order = np.argsort(-values, kind="stable")[:count]
    return values[order], vectors[:, order]


def umap_kmeans(z: Floats, clusters: int, rng: np.random.Generator) -> Ints:
    """Cluster by k-means on a UMAP layout (N2D, McConville et al. 2021)."""
    from sklearn.cluster import KMeans

    from agri_cluster.init.umap import umap_layout

    layout = umap_layout(z, seed=int(rng.integers(2**31)))
    model = KMeans(clusters, n_init=UMAP_INITS, random_state=int(rng.integers(2**31)))
    return np.asarray(model.fit_predict(layout), np.int64)


def neighbour_graph(z: Floats, count: int = NEIGHBOURS) -> Any:
    """Return the symmetric graph `(N, N)` of nearest neighbours, sparse, weights 0.5 or 1."""
    from sklearn.neighbors import kneighbors_graph

    graph = kneighbors_graph(z, min(count, len(z) - 1), mode="connectivity", include_self=False)
    # "Nearest" is one-sided: the mean is 1 where both rows name each other and 0.5 where one
    # does.
    return 0.5 * (graph + graph.T)
