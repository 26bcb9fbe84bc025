"""Suggest a number of clusters: four rules, their curves, and the range in which they agree.

No rule is exact. Silhouette (Rousseeuw 1987), Davies-Bouldin (1979), the gap statistic (Tibshirani,
Walther and Hastie 2001) and the eigengap of a neighbour graph each give one vote; the suggestion is
the shortest range that holds most of the votes, with its middle. Calinski-Harabasz is left out: it
prefers two clusters nearly everywhere.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from agri_core.files.console import progress
from agri_core.files.errors import InputError
from numpy.typing import NDArray

from agri_cluster.data.tiles import Floats, Ints, Tiles, sample

ROWS = 3_000
"""Maximum number of rows, drawn at random: the time grows with their cube."""
# k-means initialisations per K, and reference sets of the gap statistic.
N_INIT = 10
REFERENCES = 10
NEIGHBOURS = 10
QUORUM = 3
"""Votes that the suggested range holds."""
# At 0 tiles are as near to the next cluster as to their own one.
MIN_SILHOUETTE = 0.05
Doubles = NDArray[np.float64]
Curve = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A suggested range for the number of clusters.

    Attributes:
        candidates: the K that were tried, rising.
        curves: the value at each candidate of "silhouette" (higher is better), "davies_bouldin"
            (lower is better), "gap" (of the logarithm of the spread within, higher is better),
            "gap_error" and "eigengap" (higher is better).
        votes: the K that each rule prefers; None where it prefers none of them.
        low: least K of the range.
        high: greatest K of the range.
        best: the K to try first.
        rows: number of rows that were used.
        warnings: reasons to doubt it.
    """

    candidates: tuple[int, ...]
    curves: dict[str, Curve]
    votes: dict[str, int | None]
    low: int
    high: int
    best: int
    rows: int
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the suggestion without the curves."""
        return {
            "best": self.best,
            "low": self.low,
            "high": self.high,
            "votes": self.votes,
            "min_clusters": self.candidates[0],
            "max_clusters": self.candidates[-1],
            "rows": self.rows,
            "warnings": list(self.warnings),
        }


def suggest_k(rows: Tiles, candidates: Sequence[int], rng: np.random.Generator) -> Suggestion:
    """Suggest a number of clusters for rows `(N, F)`.

    Args:
        rows: a space with meaningful distances: an embedding, or some tens of principal components.
        candidates: the K to try, 2 or more each.
        rng: draws the rows, the k-means starts and the references of the gap statistic.

    Raises:
        InputError: no candidate is possible for these rows.
    """
    values = np.asarray(rows.take(sample(rows, ROWS, rng)), np.float64)
    tried = _possible(values, candidates)
    distances = _distances(values)
    runs = [_kmeans(values, k, rng, N_INIT) for k in progress(tried, "clusters")]
    gap, error = _gap(values, tried, np.array([spread for _, spread in runs]), rng)
    curves = {
        "silhouette": tuple(_silhouette(distances, labels) for labels, _ in runs),
        "davies_bouldin": tuple(_davies_bouldin(values, labels) for labels, _ in runs),
        "gap": gap,
        "gap_error": error,
        "eigengap": _eigengap(values, tried),
    }
    return _concluded(tried, curves, len(values))


def spaced(low: int, high: int, count: int = 30) -> tuple[int, ...]:
    """Return all K from `low` to `high`, or at most `count` of them, geometrically spaced.

    Raises:
        InputError: the two are not 2 or more in rising order.

    Example:
        >>> spaced(2, 6), spaced(2, 200, count=5)
        ((2, 3, 4, 5, 6), (2, 6, 20, 63, 200))
    """
    if not 2 <= low <= high:
        raise InputError(f"the numbers of clusters to try are from 2 up, got {low} to {high}")
    if high - low < count:
        return tuple(range(low, high + 1))
    return tuple(int(k) for k in np.unique(np.geomspace(low, high, count).round()))


def _possible(values: Doubles, candidates: Sequence[int]) -> tuple[int, ...]:
    different = len(np.unique(values, axis=0))
    tried = tuple(sorted({k for k in candidates if 2 <= k <= min(different, len(values) - 1)}))
    if not tried:
        raise InputError(
            f"{len(values)} tiles, {different} of them different, cannot form any of "
            f"{list(candidates)[:8]} clusters"
        )
    return tried


def _kmeans(
    values: Doubles, clusters: int, rng: np.random.Generator, n_init: int
) -> tuple[Ints, float]:
    """Labels of the best of several k-means runs, and the mean of their log inertia.

    The mean, not the minimum: the references of the gap statistic have one run each.
    """
    from sklearn.cluster import KMeans

    runs = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(n_init):
            seed = int(rng.integers(2**31))
            runs.append(KMeans(clusters, n_init=1, random_state=seed).fit(values))
    best = min(runs, key=lambda run: float(run.inertia_))
    # 1e-300 stands for a zero inertia (as many clusters as different rows), whose log is -inf.
    spread = float(np.mean([math.log(max(run.inertia_, 1e-300)) for run in runs]))
    return np.asarray(best.labels_, np.int64), spread


def _distances(values: Doubles) -> Floats:
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(values, values), np.float32)


def _silhouette(distances: Floats, labels: Ints) -> float:
    from sklearn.metrics import silhouette_score

    return float(silhouette_score(distances, labels, metric="precomputed"))


def _davies_bouldin(values: Doubles, labels: Ints) -> float:
    from sklearn.metrics import davies_bouldin_score

    return float(davies_bouldin_score(values, labels))


def _gap(
    values: Doubles, tried: Sequence[int], spread: Doubles, rng: np.random.Generator
) -> tuple[Curve, Curve]:
    """Gap and its error: the spread relative to uniform points in the box of the principal axes."""
    centred = values - values.mean(axis=0)
    # The second of the two references of Tibshirani et al. 2001: uniform in the box of the
    # principal axes, since a box along the columns is far larger than correlated data.
    rotated = centred @ np.linalg.svd(centred, full_matrices=False)[2].T
    low, high = rotated.min(axis=0), rotated.max(axis=0)
    found = np.empty((REFERENCES, len(tried)))
    for number in progress(range(REFERENCES), "references"):
        even = rng.uniform(low, high, rotated.shape)
        found[number] = [_kmeans(even, k, rng, 1)[1] for k in tried]
    gap = found.mean(axis=0) - spread
    # s_k = sd_k sqrt(1 + 1/B): the error of the simulation with B references is part of it.
    error = found.std(axis=0) * math.sqrt(1 + 1 / REFERENCES)
    return tuple(map(float, gap)), tuple(map(float, error))


def _eigengap(values: Doubles, tried: Sequence[int]) -> Curve:
    """Drop from the K-th to the next largest eigenvalue of the normalised neighbour graph."""
    from scipy.linalg import eigvalsh
    from sklearn.neighbors import kneighbors_graph

    count = min(NEIGHBOURS, len(values) - 1)
    graph = kneighbors_graph(values, count).toarray()
    graph = (graph + graph.T) / 2
    root = 1 / np.sqrt(graph.sum(axis=1))
    graph *= root[:, None] * root
    # Only the largest K+1 eigenvalues are needed; all others would cost time for nothing.
    top = (len(values) - tried[-1] - 1, len(values) - 1)
    found = eigvalsh(graph, subset_by_index=top, overwrite_a=True)[::-1]
    return tuple(float(found[k - 1] - found[k]) for k in tried)


def _votes(tried: Sequence[int], curves: dict[str, Curve]) -> dict[str, int | None]:
    gap, error = np.array(curves["gap"]), np.array(curves["gap_error"])
    # The smallest K with gap(K) >= gap(K+1) - s(K+1), the rule of the same paper.
    enough = np.flatnonzero(gap[:-1] >= gap[1:] - error[1:])
    return {
        "silhouette": tried[int(np.argmax(curves["silhouette"]))],
        "davies_bouldin": tried[int(np.argmin(curves["davies_bouldin"]))],
        "gap": tried[enough[0]] if enough.size else None,
        "eigengap": tried[int(np.argmax(curves["eigengap"]))],
    }


def _agreed(votes: Sequence[int]) -> tuple[int, int]:
    """The shortest range of `QUORUM` votes, or of all where they are fewer; the lower of two."""
    ranked, held = sorted(votes), min(QUORUM, len(votes))
    ends = [(ranked[i], ranked[i + held - 1]) for i in range(len(ranked) - held + 1)]
    return min(ends, key=lambda pair: pair[1] - pair[0])


def _concluded(tried: tuple[int, ...], curves: dict[str, Curve], rows: int) -> Suggestion:
    votes = _votes(tried, curves)
    low, high = _agreed([vote for vote in votes.values() if vote is not None])
    best = min(tried, key=lambda k: abs(k - (low + high) / 2))
    notes = tuple(_notes(tried, curves, votes, low, high))
    return Suggestion(tried, curves, votes, low, high, best, rows, notes)


def _notes(
    tried: Sequence[int],
    curves: dict[str, Curve],
    votes: dict[str, int | None],
    low: int,
    high: int,
) -> Iterator[str]:
    if high - low > max(4, low // 2):
        told = ", ".join(f"{name} {vote or 'none'}" for name, vote in votes.items())
        yield f"the rules disagree ({told}): look at the curves before using the range"
    if len(tried) > 1 and high == tried[-1]:
        yield f"the range ends at the largest number tried, {high}: try more clusters"
    best = max(curves["silhouette"])
    if best < MIN_SILHOUETTE:
        yield (
            f"the clusters are hardly separated (silhouette {best:.2f} at best): any number of "
            "them divides a continuum"
        )
