"""Initial clusters: k-means, Ward, spectral, UMAP, or given by the caller.

Methods that need all rows at once see at most `LIMIT` values. Beyond that they see a sample, and
k-means centres are then refined by full passes over all rows (`agri_cluster.init.lloyd`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

import numpy as np
from agri_core.files.errors import InputError, SettingError
from agri_core.files.hints import hint
from numpy.typing import NDArray

from agri_cluster.choices import Init
from agri_cluster.data.distances import squared_distances
from agri_cluster.data.tiles import Floats, Ints, Tiles, batches, sample
from agri_cluster.init.lloyd import cluster_means, lloyd, nearest
from agri_cluster.init.methods import spectral, umap_kmeans, ward

LIMIT = 4_000_000
"""Values of the rows that are clustered at once: 16 MiB as float32."""
# Lloyd passes over all rows after the sample's; each pass reads all rows once.
PASSES = 5
METHODS: tuple[str, ...] = get_args(Init)
Method = Callable[[Floats, int, np.random.Generator], Ints]


@dataclass(frozen=True, slots=True)
class InitialClusters:
    """The clusters that the refinement starts from.

    Attributes:
        centres: `(K, D)`.
        labels: the cluster of each row, `(N,)`.
        inertias: of each k-means initialisation, lowest first; empty for other methods.
        agreement: adjusted Rand index of the two best k-means runs; 1 where there is but one.
        needs_warmup: whether `labels` are not just the nearest centres, so that the embedding has
            to learn them first.
    """

    centres: Floats
    labels: Ints
    inertias: tuple[float, ...] = ()
    agreement: float = 1.0
    needs_warmup: bool = False


def initial_clusters(
    rows: Tiles,
    clusters: int,
    init: object,
    n_init: int,
    rng: np.random.Generator,
    inputs: Tiles | None = None,
) -> InitialClusters:
    """Cluster rows `(N, D)` into `clusters`.

    Args:
        rows: the embedding.
        clusters: K.
        init: one of `METHODS`, centres `(K, D)`, labels `(N,)`, or a function of (rows, K, rng)
            that returns labels.
        n_init: k-means initialisations.
        rng: draws every random number.
        inputs: what methods other than k-means cluster instead of the embedding: an autoencoder
            keeps less of the neighbourhoods than its input has.

    Raises:
        InputError: there are fewer different rows than clusters, or `init` is none of these.
    """
    if isinstance(init, str) and init == "kmeans":
        made = _kmeans(rows, clusters, n_init, rng)
    elif isinstance(init, str) or callable(init):
        made = _by_method(rows, inputs or rows, clusters, _method(init), rng)
    else:
        made = _given(rows, clusters, np.asarray(init))
    found = len(np.unique(made.labels))
    if found < clusters:
        raise InputError(
            f"{clusters} clusters were asked for, but the tiles form {found} different clusters at "
            f"most; ask for {max(found, 2)} or fewer, or look for constant and repeated tiles"
        )
    return made


def median_distance(z: Floats, centres: NDArray[np.floating]) -> float:
    """Return the median distance of rows `(N, D)` to their nearest of the centres `(K, D)`."""
    return float(np.median(np.sqrt(squared_distances(z, centres).min(axis=1))))


def _kmeans(rows: Tiles, clusters: int, n_init: int, rng: np.random.Generator) -> InitialClusters:
    from sklearn.metrics import adjusted_rand_score

    z = rows.take(sample(rows, max(LIMIT // rows.shape[0], clusters), rng))
    inertias: list[float] = []
    best: list[tuple[float, Floats, Ints]] = []
    for _ in range(n_init):
        run = _one_kmeans(z, clusters, int(rng.integers(2**31)), whole=len(z) == len(rows))
        inertias.append(run[0])
        # Two are kept, as the agreement of the best with the second best tells whether K-means is
        # stable.
        best = sorted([*best, run], key=lambda run: run[0])[:2]
    agreement = adjusted_rand_score(best[0][2], best[1][2]) if n_init > 1 else 1.0
    centres = best[0][1]
    if len(z) < len(rows):
        centres = lloyd(rows, centres, PASSES).centres
    return InitialClusters(
        centres, nearest(rows, centres), tuple(sorted(inertias)), float(agreement)
    )


def _one_kmeans(z: Floats, clusters: int, seed: int, whole: bool) -> tuple[float, Floats, Ints]:
    import warnings

    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # Fewer different rows than clusters: `initial_clusters` raises a clearer error.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # A sample is centred in place, and put back: a copy would be the peak of memory.
        model = KMeans(clusters, n_init=1, random_state=seed, copy_x=whole).fit(z)
    centres = np.asarray(model.cluster_centers_, np.float32)
    return float(model.inertia_), centres, model.labels_.astype(np.int64)


def _by_method(
    rows: Tiles, inputs: Tiles, clusters: int, method: Method, rng: np.random.Generator
) -> InitialClusters:
    chosen = sample(inputs, max(LIMIT // inputs.shape[0], clusters), rng)
    labels = np.asarray(method(inputs.take(chosen), clusters, rng), np.int64)
    if len(chosen) < len(inputs):
        labels = _spread(inputs, chosen, labels)
    return _from_labels(rows, clusters, labels)


def _from_labels(rows: Tiles, clusters: int, labels: Ints) -> InitialClusters:
    if labels.min() < 0 or labels.max() >= clusters:
        raise InputError(
            f"initial labels are from 0 to {clusters - 1}, got {labels.min()} to {labels.max()}"
        )
    means = cluster_means(rows, labels, clusters)
    # An empty cluster has a NaN mean; the check of `initial_clusters` counts the clusters found
    # and refuses it with its reason.
    return InitialClusters(np.nan_to_num(means), labels, needs_warmup=True)


def _spread(rows: Tiles, chosen: Ints, labels: Ints) -> Ints:
    """Give every row the label of the nearest row of the sample."""
    from sklearn.neighbors import KNeighborsClassifier

    # Nearest row and not nearest mean: spectral and Ward clusters need not be convex.
    model = KNeighborsClassifier(1).fit(rows.take(chosen), labels)
    return np.concatenate([model.predict(z) for _, z in batches(rows)]).astype(np.int64)


def _given(rows: Tiles, clusters: int, given: NDArray[np.generic]) -> InitialClusters:
    if given.shape == (clusters, rows.shape[0]):
        centres = np.asarray(given, np.float32)
        if not np.isfinite(centres).all():
            raise InputError("initial centres are finite numbers; some given ones are not")
        return InitialClusters(centres, nearest(rows, centres))
    if given.shape == (len(rows),) and given.dtype.kind in "iu":
        return _from_labels(rows, clusters, given.astype(np.int64))
    raise InputError(
        f"init is one of {', '.join(METHODS)}, a function, centres of shape "
        f"({clusters}, {rows.shape[0]}) or {len(rows)} whole-number labels, got an array of "
        f"{given.dtype} {given.shape}"
    )


def _method(init: str | Method) -> Method:
    if not isinstance(init, str):
        return init
    known = {"ward": ward, "spectral": spectral, "umap": umap_kmeans}
    if init not in known:
        near = hint(init, METHODS)
        raise SettingError("init", f"is one of {', '.join(METHODS)}, got {init!r}{near}")
    return known[init]
