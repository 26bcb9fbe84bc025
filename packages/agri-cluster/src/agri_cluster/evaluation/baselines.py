"""Baselines: simple ways to cluster the same tiles, which a deep clustering has to outperform."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from agri_core.files.console import progress
from agri_core.files.errors import AgriError, InputError

from agri_cluster.data.tiles import Ints, Tiles, in_memory, sample
from agri_cluster.evaluation.spaces import fitting
from agri_cluster.init import methods
from agri_cluster.init.lloyd import lloyd
from agri_cluster.init.umap import umap_layout

Algorithm = Callable[[Tiles, int, int], Ints]

N_INIT, WIDE_N_INIT = 10, 3
WIDE = 1024
"""Columns beyond which k-means has fewer initialisations, to bound the time."""
PASSES = 5
LARGEST_WARD = LARGEST_UMAP = 100_000


@dataclass(frozen=True, slots=True)
class Baseline:
    """A baseline: its name, the name of its space, and its clustering algorithm."""

    name: str
    space: str
    algorithm: Algorithm


@dataclass(frozen=True, slots=True)
class Space:
    """Rows to cluster, or why there are none, and the cost of computing them.

    Attributes:
        rows: `(N, F)`, None when it failed.
        seconds: wall time.
        cpu: processor seconds.
        trouble: why there are no rows, "" when there are.
    """

    rows: Tiles | None
    seconds: float = 0.0
    cpu: float = 0.0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class MethodRun:
    """One run of a method.

    Attributes:
        seed: of the run, None where the method is deterministic or the seed is unknown.
        labels: the cluster of each tile, `(N,)`; None when the run failed.
        seconds: wall time, the space included; None where not measured here.
        cpu: processor seconds, those of child processes included.
        trouble: why there are no labels, "" when there are.
    """

    seed: int | None
    labels: Ints | None
    seconds: float | None = None
    cpu: float | None = None
    trouble: str = ""


class Stopwatch:
    """Wall and processor seconds since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), _processor()

    def read(self) -> tuple[float, float]:
        """Return wall seconds and processor seconds."""
        return time.perf_counter() - self._wall, _processor() - self._cpu


def kmeans(rows: Tiles, clusters: int, seed: int) -> Ints:
    """Cluster by k-means, the best of several k-means++ initialisations.

    Where not all rows fit into memory, the centres of a sample are refined by full passes over all
    rows.

    Raises:
        InputError: there are fewer rows than clusters.
    """
    from sklearn.cluster import KMeans

    _check_count(rows, clusters)
    rng = np.random.default_rng(seed)
    part = rows.take(sample(rows, max(fitting(rows), clusters), rng))
    n_init = N_INIT if rows.shape[0] <= WIDE else WIDE_N_INIT
    with warnings.catch_warnings():
        # Fewer different rows than clusters: the table shows how many are used.
        warnings.simplefilter("ignore")
        model = KMeans(clusters, n_init=n_init, random_state=seed).fit(part)
    if len(part) == len(rows):
        return np.asarray(model.labels_, np.int64)
    return lloyd(rows, np.asarray(model.cluster_centers_, np.float32), PASSES).labels


def ward(rows: Tiles, clusters: int, seed: int = 0) -> Ints:
    """Cluster by Ward's rule.

    Raises:
        InputError: there are fewer rows than clusters, or more than `LARGEST_WARD`.
    """
    _check_count(rows, clusters, LARGEST_WARD)
    return methods.ward(in_memory(rows), clusters, np.random.default_rng(seed))


def umap_kmeans(rows: Tiles, clusters: int, seed: int) -> Ints:
    """Cluster by k-means on a UMAP layout in ten dimensions (after N2D, McConville et al. 2021).

    Raises:
        MissingError: umap-learn is not installed.
        InputError: there are fewer rows than clusters, or more than `LARGEST_UMAP`.
    """
    from sklearn.cluster import KMeans

    _check_count(rows, clusters, LARGEST_UMAP)
    layout = umap_layout(in_memory(rows), seed=seed)
    labels = KMeans(clusters, n_init=N_INIT, random_state=seed).fit_predict(layout)
    return np.asarray(labels, np.int64)


BASELINES = (
    Baseline("k-means", "values", kmeans),
    Baseline("band statistics + k-means", "bands", kmeans),
    Baseline("PCA + k-means", "pca", kmeans),
    Baseline("PCA + Ward", "pca", ward),
    Baseline("PCA + UMAP + k-means", "pca", umap_kmeans),
)
OF_FEATURES = (
    Baseline("features + k-means", "features", kmeans),
    Baseline("features + Ward", "features", ward),
    Baseline("features + UMAP + k-means", "features", umap_kmeans),
)


def make_space(make: Callable[[], Tiles]) -> Space:
    """Compute a space and time it; a failure is recorded, not raised."""
    watch = Stopwatch()
    try:
        rows = make()
    except (AgriError, MemoryError) as error:
        return Space(None, trouble=_reason(error))
    return Space(rows, *watch.read())


def run_baselines(
    spaces: Mapping[str, Space],
    clusters: int,
    seeds: Sequence[int] = (0,),
    baselines: Sequence[Baseline] = BASELINES,
) -> dict[str, list[MethodRun]]:
    """Run each baseline with each seed; return the runs by the baseline's name.

    A baseline that fails, or whose space does, has the reason in its runs.
    """
    plan = [(item, seed) for item in baselines for seed in seeds]
    found: dict[str, list[MethodRun]] = {item.name: [] for item in baselines}
    for item, seed in progress(plan, "baselines"):
        found[item.name].append(run_one(item, spaces[item.space], clusters, seed))
    return found


def run_one(item: Baseline, space: Space, clusters: int, seed: int) -> MethodRun:
    """Run one baseline with one seed; a failure is recorded, not raised."""
    if space.rows is None:
        return MethodRun(seed, None, trouble=space.trouble)
    watch = Stopwatch()
    try:
        labels = item.algorithm(space.rows, clusters, seed)
    except (AgriError, MemoryError) as error:
        return MethodRun(seed, None, trouble=_reason(error))
    seconds, cpu = watch.read()
    return MethodRun(seed, labels, space.seconds + seconds, space.cpu + cpu)


def _reason(error: Exception) -> str:
    return str(error) or "not enough memory"


def _check_count(rows: Tiles, clusters: int, most: int | None = None) -> None:
    if len(rows) < clusters:
        raise InputError(f"{clusters} clusters need as many tiles, got {len(rows)}")
    if most is not None and len(rows) > most:
        raise InputError(f"{len(rows)} tiles are too many here, at most {most} are tried")


def _processor() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system
