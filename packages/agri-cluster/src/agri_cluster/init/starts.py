"""Where the centres start: k-means, Ward, spectral, UMAP, or what the caller gives.

Methods that need all rows at once see at most `LIMIT` values; beyond that they see a sample, and
k-means centres are then polished by full passes over all rows (Lloyd), which a mini-batch k-means
alone does not replace: its scores vary some twenty times as much between seeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from agri_core.files.errors import InputError
from numpy.typing import NDArray

from agri_cluster.data.distances import squared_distances
from agri_cluster.data.tiles import Floats, Ints, Tiles, batches, sample

LIMIT = 4_000_000
NEIGHBOURS = 15
WHOLE_WARD = 10_000
POLISH = 5
VECTORS = 75
WHOLE_SPECTRUM = 2_000
METHODS = ("kmeans", "ward", "spectral", "umap")
Grouping = Callable[[Floats, int, np.random.Generator], Ints]


@dataclass(frozen=True, slots=True)
class Start:
    """A first grouping.

    Attributes:
        centres: `(K, D)`.
        labels: the group of each row, `(N,)`.
        inertias: of each k-means start, lowest first; empty for other methods.
        agreement: adjusted Rand index of the two best k-means starts; 1 where there is but one.
        shaped: whether `labels` are more than the nearest centre, so that the embedding has to
            learn them before its own centres can keep them.
    """

    centres: Floats
    labels: Ints
    inertias: tuple[float, ...] = ()
    agreement: float = 1.0
    shaped: bool = False


def start(
    rows: Tiles,
    clusters: int,
    method: object,
    tries: int,
    rng: np.random.Generator,
    whole: Tiles | None = None,
) -> Start:
    """Group rows `(N, D)` into `clusters`.

    Args:
        rows: the embedding.
        clusters: K.
        method: one of `METHODS`, centres `(K, D)`, labels `(N,)`, or a function of (rows, K, rng)
            that returns labels.
        tries: k-means starts.
        rng: draws every random number.
        whole: what methods other than k-means group instead of the embedding: an autoencoder keeps
            less of who is near whom than its input has.

    Raises:
        InputError: there are fewer different rows than clusters, or `method` is none of these.
    """
    if isinstance(method, str) and method == "kmeans":
        made = _kmeans(rows, clusters, tries, rng)
    elif isinstance(method, str) or callable(method):
        made = _grouped(rows, whole or rows, clusters, _grouping(method), rng)
    else:
        made = _given(rows, clusters, np.asarray(method))
    found = len(np.unique(made.labels))
    if found < clusters:
        raise InputError(
            f"{clusters} clusters were asked for, but the tiles fall into {found} different groups "
            f"at most; ask for {max(found, 2)} or fewer, or look for constant and repeated tiles"
        )
    return made


def nearest(rows: Tiles, centres: NDArray[np.floating]) -> Ints:
    """Return the nearest centre of each row, `(N,)`."""
    return np.concatenate([squared_distances(z, centres).argmin(1) for _, z in batches(rows)])


def spacing(z: Floats, centres: NDArray[np.floating]) -> float:
    """Return the median distance of rows `(N, D)` to their nearest of the centres `(K, D)`."""
    return float(np.median(np.sqrt(squared_distances(z, centres).min(axis=1))))


def group_means(rows: Tiles, labels: Ints, clusters: int) -> Floats:
    """Return the mean row of each group, `(K, D)`; that of an empty group is NaN."""
    total = np.zeros((clusters, *rows.shape))
    for indices, z in batches(rows):
        np.add.at(total, labels[indices], z)
    count = np.bincount(labels, minlength=clusters)[:, None]
    with np.errstate(invalid="ignore"):
        return np.asarray(total / count, np.float32)


def _kmeans(rows: Tiles, clusters: int, tries: int, rng: np.random.Generator) -> Start:
    from sklearn.metrics import adjusted_rand_score

    z = rows.take(sample(rows, max(LIMIT // rows.shape[0], clusters), rng))
    inertias: list[float] = []
    best: list[tuple[float, Floats, Ints]] = []
    for _ in range(tries):
        run = _one_kmeans(z, clusters, int(rng.integers(2**31)), whole=len(z) == len(rows))
        inertias.append(run[0])
        best = sorted([*best, run], key=lambda run: run[0])[:2]
    agreement = adjusted_rand_score(best[0][2], best[1][2]) if tries > 1 else 1.0
    centres = best[0][1]
    if len(z) < len(rows):
        for _ in range(POLISH):
            labels = nearest(rows, centres)
            means = group_means(rows, labels, clusters)
            centres = np.where(np.isfinite(means), means, centres)
    return Start(centres, nearest(rows, centres), tuple(sorted(inertias)), float(agreement))


def _one_kmeans(z: Floats, clusters: int, seed: int, whole: bool) -> tuple[float, Floats, Ints]:
    import warnings

    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # Fewer different rows than clusters: `start` says so in its own words.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # A sample is centred in place, and put back: a copy would be the most that is ever held.
        model = KMeans(clusters, n_init=1, random_state=seed, copy_x=whole).fit(z)
    centres = np.asarray(model.cluster_centers_, np.float32)
    return float(model.inertia_), centres, model.labels_.astype(np.int64)


def _grouped(
    rows: Tiles, whole: Tiles, clusters: int, group: Grouping, rng: np.random.Generator
) -> Start:
    chosen = sample(whole, max(LIMIT // whole.shape[0], clusters), rng)
    part = group(whole.take(chosen), clusters, rng)
    labels = np.asarray(part, np.int64)
    if len(chosen) < len(whole):
        labels = _spread(whole, chosen, labels)
    return _from_labels(rows, clusters, labels)


def _from_labels(rows: Tiles, clusters: int, labels: Ints) -> Start:
    if labels.min() < 0 or labels.max() >= clusters:
        raise InputError(
            f"labels of a start are from 0 to {clusters - 1}, got {labels.min()} to {labels.max()}"
        )
    means = group_means(rows, labels, clusters)
    return Start(np.nan_to_num(means), labels, shaped=True)


def _spread(rows: Tiles, chosen: Ints, part: Ints) -> Ints:
    """Give every row the label of the nearest row of the sample."""
    from sklearn.neighbors import KNeighborsClassifier

    model = KNeighborsClassifier(1).fit(rows.take(chosen), part)
    return np.concatenate([model.predict(z) for _, z in batches(rows)]).astype(np.int64)


def _given(rows: Tiles, clusters: int, given: NDArray[np.generic]) -> Start:
    if given.shape == (clusters, rows.shape[0]):
        centres = np.asarray(given, np.float32)
        if not np.isfinite(centres).all():
            raise InputError("the centres of a start are finite numbers; some given ones are not")
        return Start(centres, nearest(rows, centres))
    if given.shape == (len(rows),) and given.dtype.kind in "iu":
        return _from_labels(rows, clusters, given.astype(np.int64))
    raise InputError(
        f"a start is one of {', '.join(METHODS)}, a function, centres of shape "
        f"({clusters}, {rows.shape[0]}) or {len(rows)} whole-number labels, got an array of "
        f"{given.dtype} {given.shape}"
    )


def _grouping(method: str | Grouping) -> Grouping:
    if not isinstance(method, str):
        return method
    known = {"ward": ward, "spectral": spectral, "umap": by_umap}
    if method not in known:
        raise InputError(f"a start is one of {', '.join(METHODS)}, got {method!r}")
    return known[method]


def ward(z: Floats, clusters: int, rng: np.random.Generator) -> Ints:
    """Group by Ward's rule; beyond `WHOLE_WARD` rows only neighbours among them may merge."""
    import warnings

    from sklearn.cluster import AgglomerativeClustering

    graph = neighbour_graph(z) if len(z) > WHOLE_WARD else None
    with warnings.catch_warnings():
        # Parts of the graph that do not touch are joined by scikit-learn, which says so.
        warnings.simplefilter("ignore")
        labels = AgglomerativeClustering(clusters, connectivity=graph).fit_predict(z)
    return np.asarray(labels, np.int64)


def spectral(z: Floats, clusters: int, rng: np.random.Generator) -> Ints:
    """Group by k-means on the smoothest vectors of the neighbour graph, of unit length per row.

    Ng, Jordan and Weiss (2002), with the vectors of the random walk (Shi and Malik 2000), and half
    as many again as clusters: groups of uneven size or shape take more than one vector each. Of
    more than `VECTORS` the further ones hardly hold more than a few tiles apart.
    """
    from scipy.sparse import diags
    from scipy.sparse.linalg import eigsh
    from sklearn.cluster import KMeans

    graph = neighbour_graph(z)
    root = 1.0 / np.sqrt(np.asarray(graph.sum(axis=1)).ravel())
    count = min(clusters + clusters // 2, VECTORS, len(z) - 1)
    walk = diags(root) @ graph @ diags(root)
    if len(z) <= WHOLE_SPECTRUM:
        vectors = np.linalg.eigh(walk.toarray())[1][:, -count:]
    else:
        vectors = eigsh(walk, k=count, which="LA", v0=rng.random(len(z)))[1]
    vectors *= root[:, None]
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    model = KMeans(clusters, n_init=10, random_state=int(rng.integers(2**31)))
    return np.asarray(model.fit_predict(vectors / np.maximum(length, 1e-12)), np.int64)


def by_umap(z: Floats, clusters: int, rng: np.random.Generator) -> Ints:
    """Group by k-means on a UMAP layout (McConville et al. 2021), made in another process."""
    from sklearn.cluster import KMeans

    from agri_cluster.init.umap import umap_layout

    layout = umap_layout(z, seed=int(rng.integers(2**31)))
    model = KMeans(clusters, n_init=20, random_state=int(rng.integers(2**31)))
    return np.asarray(model.fit_predict(layout), np.int64)


def neighbour_graph(z: Floats, count: int = NEIGHBOURS) -> Any:
    """Return the symmetric graph `(N, N)` of nearest neighbours, sparse, weights 0.5 or 1."""
    from sklearn.neighbors import kneighbors_graph

    graph = kneighbors_graph(z, min(count, len(z) - 1), mode="connectivity", include_self=False)
    return 0.5 * (graph + graph.T)
