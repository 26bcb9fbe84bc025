"""Plain ways to group the same tiles, which a deep clustering has to beat to be worth its cost."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from agri_core.files.console import progress
from agri_core.files.errors import AgriError, InputError

from agri_cluster.data.tiles import Floats, Ints, Tiles, batches, in_memory, sample
from agri_cluster.evaluation.spaces import fitting
from agri_cluster.init import starts
from agri_cluster.init.umap import umap_layout

Group = Callable[[Tiles, int, int], Ints]

TRIES, WIDE_TRIES = 10, 3
WIDE = 1024
POLISH, SETTLED = 5, 0.002
LARGEST_WARD = LARGEST_UMAP = 100_000


@dataclass(frozen=True, slots=True)
class Baseline:
    """A way to group: its name, the name of its space and what it does there."""

    name: str
    space: str
    group: Group


@dataclass(frozen=True, slots=True)
class Space:
    """Rows to group in, or why there are none, and what it took to make them.

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
class Run:
    """One run of a method.

    Attributes:
        seed: of the run, None where the method draws nothing or the seed is not known.
        labels: the group of each tile, `(N,)`; None when the run failed.
        seconds: wall time, the space included; None where not measured here.
        cpu: processor seconds, those of other processes started for it included.
        trouble: why there are no labels, "" when there are.
    """

    seed: int | None
    labels: Ints | None
    seconds: float | None = None
    cpu: float | None = None
    trouble: str = ""


class Clock:
    """Wall and processor seconds since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), _processor()

    def read(self) -> tuple[float, float]:
        """Return wall seconds and processor seconds."""
        return time.perf_counter() - self._wall, _processor() - self._cpu


def kmeans(rows: Tiles, clusters: int, seed: int) -> Ints:
    """Group by k-means, the best of several k-means++ starts; a sample first where rows are many.

    Where not all rows fit into memory, the centres of a sample go through at most `POLISH` passes
    of Lloyd over all rows.

    Raises:
        InputError: there are fewer rows than clusters.
    """
    from sklearn.cluster import KMeans

    _check_count(rows, clusters)
    rng = np.random.default_rng(seed)
    part = rows.take(sample(rows, max(fitting(rows), clusters), rng))
    tries = TRIES if rows.shape[0] <= WIDE else WIDE_TRIES
    with warnings.catch_warnings():
        # Fewer different rows than clusters: the table shows how many are used.
        warnings.simplefilter("ignore")
        model = KMeans(clusters, n_init=tries, random_state=seed).fit(part)
    if len(part) == len(rows):
        return np.asarray(model.labels_, np.int64)
    return _polished(rows, np.asarray(model.cluster_centers_, np.float32))


def ward(rows: Tiles, clusters: int, seed: int = 0) -> Ints:
    """Group by Ward's rule, as a fit may start.

    Raises:
        InputError: there are fewer rows than clusters, or more than `LARGEST_WARD`.
    """
    _check_count(rows, clusters, LARGEST_WARD)
    return starts.ward(in_memory(rows), clusters, np.random.default_rng(seed))


def umap_kmeans(rows: Tiles, clusters: int, seed: int) -> Ints:
    """Group by k-means on a UMAP layout in ten dimensions (after N2D, McConville et al. 2021).

    Raises:
        MissingError: umap-learn is not installed.
        InputError: there are fewer rows than clusters, or more than `LARGEST_UMAP`.
    """
    from sklearn.cluster import KMeans

    _check_count(rows, clusters, LARGEST_UMAP)
    layout = umap_layout(in_memory(rows), seed=seed)
    labels = KMeans(clusters, n_init=TRIES, random_state=seed).fit_predict(layout)
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
    """Make a space and time it; what stops it is told in the record, not raised."""
    clock = Clock()
    try:
        rows = make()
    except (AgriError, MemoryError) as error:
        return Space(None, trouble=_reason(error))
    return Space(rows, *clock.read())


def run_baselines(
    spaces: Mapping[str, Space],
    clusters: int,
    seeds: Sequence[int] = (0,),
    baselines: Sequence[Baseline] = BASELINES,
) -> dict[str, list[Run]]:
    """Run each baseline with each seed; the runs of each, by its name.

    One that cannot be run, or whose space could not be made, tells why in its runs.
    """
    plan = [(item, seed) for item in baselines for seed in seeds]
    found: dict[str, list[Run]] = {item.name: [] for item in baselines}
    for item, seed in progress(plan, "baselines"):
        found[item.name].append(run_one(item, spaces[item.space], clusters, seed))
    return found


def run_one(item: Baseline, space: Space, clusters: int, seed: int) -> Run:
    """Run one baseline with one seed; what stops it is told in the run, not raised."""
    if space.rows is None:
        return Run(seed, None, trouble=space.trouble)
    clock = Clock()
    try:
        labels = item.group(space.rows, clusters, seed)
    except (AgriError, MemoryError) as error:
        return Run(seed, None, trouble=_reason(error))
    seconds, cpu = clock.read()
    return Run(seed, labels, space.seconds + seconds, space.cpu + cpu)


def _reason(error: Exception) -> str:
    return str(error) or "not enough memory"


def _polished(rows: Tiles, centres: Floats) -> Ints:
    labels, centres = _lloyd(rows, centres)
    for _ in range(POLISH):
        before = labels
        labels, centres = _lloyd(rows, centres)
        if np.mean(labels != before) < SETTLED:
            break
    return labels


def _lloyd(rows: Tiles, centres: Floats) -> tuple[Ints, Floats]:
    """The nearest centre of each row, and the mean row of each cluster; that of none stays."""
    labels = np.empty(len(rows), np.int64)
    totals = np.zeros(centres.shape)
    lengths = np.square(centres).sum(axis=1)
    for indices, part in batches(rows):
        labels[indices] = near = (lengths - 2 * part @ centres.T).argmin(axis=1)
        totals += np.eye(len(centres), dtype=np.float32)[near].T @ part
    count = np.bincount(labels, minlength=len(centres))[:, None]
    means = np.where(count > 0, totals / np.maximum(count, 1), centres)
    return labels, means.astype(np.float32)


def _check_count(rows: Tiles, clusters: int, most: int | None = None) -> None:
    if len(rows) < clusters:
        raise InputError(f"{clusters} clusters need as many tiles, got {len(rows)}")
    if most is not None and len(rows) > most:
        raise InputError(f"{len(rows)} tiles are too many here, at most {most} are tried")


def _processor() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system
