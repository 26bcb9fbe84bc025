"""Evaluation of a fitted clustering: its scores and those of the baselines on the same tiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from agri_core.files.errors import InputError

from agri_cluster.artifact.fitted import Fitted
from agri_cluster.data.rows import RowFile
from agri_cluster.data.tiles import Ints, Part, Tiles
from agri_cluster.data.truth import Truth
from agri_cluster.evaluation.baselines import (
    BASELINES,
    OF_FEATURES,
    MethodRun,
    Space,
    make_space,
    run_baselines,
)
from agri_cluster.evaluation.comparison import Method, method
from agri_cluster.evaluation.merge import merge_clusters
from agri_cluster.evaluation.spaces import flat, principal, statistics, stored

FEATURES = "features.npy"
INITIAL = "initial"
"""Column of clusters.csv: the initial clusters."""
SPACES = {
    "values": "values of the tiles",
    "bands": "mean, standard deviation, minimum and maximum of each band",
    "pca": "principal components of the values",
    "features": "features of the frozen encoder",
}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The scores of a fitted clustering and of the methods it is compared with.

    Attributes:
        fitted: the clustering.
        methods: the clustering first, then its initial clusters and the baselines.
        truth: the class of each tile, None where unknown; only scores use it.
        group: the group of each cluster when they were merged, `(K,)`.
    """

    fitted: Fitted
    methods: tuple[Method, ...]
    truth: Truth | None = None
    group: Ints | None = None


def evaluate(
    fitted: Fitted,
    tiles: Tiles,
    folder: Path,
    *,
    truth: Truth | None = None,
    seeds: int = 1,
    repeats: Sequence[Fitted] = (),
    groups: int | None = None,
) -> Evaluation:
    """Score `fitted` and run the baselines.

    Args:
        fitted: the clustering.
        tiles: what it was fitted on, in its order (`matching`).
        folder: for rows that are computed once; some tens of numbers per tile.
        truth: the class of each tile.
        seeds: runs of each baseline, with the seeds 0, 1, ...
        repeats: the same fit with other seeds, for mean, standard deviation and stability.
        groups: also score the clusters merged into so many groups.

    Raises:
        InputError: a repeat is of other tiles, or `groups` is more than there are clusters.
    """
    for other in repeats:
        if list(other.table["chip_id"]) != list(fitted.table["chip_id"]):
            raise InputError(f"{other.path} is of other tiles than {fitted.path}")
    merged = None if groups is None else merge_clusters(fitted.centres, _sizes(fitted), groups)
    spaces = _spaces(fitted, tiles, folder)
    scorer = _Scorer(fitted.clusters, None if truth is None else truth.classes, _measured(spaces))
    methods = _own(fitted, repeats, merged, scorer)
    plan = (*BASELINES, *(OF_FEATURES if "features" in spaces else ()))
    runs = run_baselines(spaces, fitted.clusters, range(seeds), plan)
    methods += [scorer(item.name, SPACES[item.space], runs[item.name]) for item in plan]
    return Evaluation(fitted, tuple(methods), truth, merged)


def matching(fitted: Fitted, tiles: Tiles) -> Part:
    """Return the tiles of the clustering, in its order.

    Raises:
        InputError: `tiles` lacks some of them.
    """
    position = {name: row for row, name in enumerate(tiles.ids)}
    ids = list(fitted.table["chip_id"])
    lacking = [name for name in ids if name not in position]
    if lacking:
        raise InputError(
            f"{len(lacking)} of the {len(ids)} tiles of {fitted.path} are missing, such as "
            f"{lacking[0]!r}; give the chips it was fitted on"
        )
    return Part(tiles, [position[name] for name in ids])


@dataclass(frozen=True, slots=True)
class _Scorer:
    clusters: int
    truth: Ints | None
    spaces: Mapping[str, Tiles]

    def __call__(
        self, name: str, space: str, runs: Sequence[MethodRun], clusters: int | None = None
    ) -> Method:
        count = clusters or self.clusters
        return method(name, space, count, runs, truth=self.truth, spaces=self.spaces)


def _own(
    fitted: Fitted, repeats: Sequence[Fitted], merged: Ints | None, scorer: _Scorer
) -> list[Method]:
    """The clustering, merged or not, and its initial clusters where they were kept."""
    every = [fitted, *repeats]
    made = [scorer(_name(fitted), "its own embedding", [_run(item, item.labels) for item in every])]
    if merged is not None:
        count, title = int(merged.max()) + 1, f"{_name(fitted)}, merged"
        made.append(
            scorer(title, "Ward on its centres", [_run(fitted, merged[fitted.labels])], count)
        )
    if all(INITIAL in item.table for item in every):
        runs = [_run(item, item.table[INITIAL].to_numpy(np.int64)) for item in every]
        made.append(scorer("initial clusters", "the pretrained embedding", runs))
    return made


def _spaces(fitted: Fitted, tiles: Tiles, folder: Path) -> dict[str, Space]:
    rng = np.random.default_rng(0)
    made: dict[str, Callable[[], Tiles]] = {
        "values": lambda: flat(tiles),
        "bands": lambda: stored(statistics(tiles), folder / "bands.npy"),
        "pca": lambda: stored(principal(tiles, rng), folder / "pca.npy"),
    }
    if (fitted.path / FEATURES).is_file():
        made["features"] = lambda: RowFile(fitted.path / FEATURES, tiles.ids)
    return {name: make_space(make) for name, make in made.items()}


def _measured(spaces: Mapping[str, Space]) -> dict[str, Tiles]:
    """The spaces that every method's silhouette is measured in, so that they are comparable."""
    chosen = {name: spaces[name].rows for name in ("pca", "features") if name in spaces}
    return {name: rows for name, rows in chosen.items() if rows is not None}


def _run(fitted: Fitted, labels: Ints) -> MethodRun:
    spent = fitted.info.get("seconds"), fitted.info.get("cpu")
    return MethodRun(fitted.info.get("seed"), labels, *spent)


def _name(fitted: Fitted) -> str:
    objective = str(_setting(fitted, "objective") or "")
    return {"dec": "DEC", "idec": "IDEC", "deepcluster": "DeepCluster"}.get(objective, "clustering")


def _setting(fitted: Fitted, name: str) -> object:
    settings = fitted.info.get("settings")
    return settings.get(name) if isinstance(settings, Mapping) else fitted.info.get(name)


def _sizes(fitted: Fitted) -> Ints:
    return np.bincount(fitted.labels, minlength=fitted.clusters).astype(np.int64)
