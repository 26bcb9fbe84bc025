"""All metrics of one clustering as one record."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from agri_cluster.data.tiles import Ints, Tiles
from agri_cluster.evaluation import metrics


@dataclass(frozen=True, slots=True)
class Scores:
    """Metrics of one clustering; None where they do not apply.

    Attributes:
        tiles: number of tiles.
        clusters: K, the number of clusters asked for.
        used: clusters with at least one tile.
        largest: share of tiles in the largest cluster.
        holding: number of clusters that hold 90 % of the tiles.
        classes: C, the classes of the labelled tiles; all below need it.
        labelled: tiles of known class.
        acc: accuracy of the best one-to-one assignment, only where K = C.
        nmi: normalised mutual information.
        ami: adjusted mutual information.
        ari: adjusted Rand index.
        homogeneity: 1 where every cluster holds one class.
        completeness: 1 where every class is in one cluster.
        purity: share of tiles of the majority class of their cluster.
        permuted: purity after the labels are shuffled: chance level at these sizes.
        heldout: purity with majority classes of one half, scored on the other half.
        heldout_permuted: the same after the labels are shuffled.
        silhouette: mean silhouette in each named space.
    """

    tiles: int
    clusters: int
    used: int
    largest: float
    holding: int
    classes: int | None = None
    labelled: int | None = None
    acc: float | None = None
    nmi: float | None = None
    ami: float | None = None
    ari: float | None = None
    homogeneity: float | None = None
    completeness: float | None = None
    purity: float | None = None
    permuted: float | None = None
    heldout: float | None = None
    heldout_permuted: float | None = None
    silhouette: Mapping[str, float | None] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the metrics, rounded to six places."""
        found = {item.name: getattr(self, item.name) for item in fields(self)}
        found["silhouette"] = {name: _rounded(value) for name, value in self.silhouette.items()}
        return {name: _rounded(value) for name, value in found.items()}


def score(
    labels: Ints,
    clusters: int,
    *,
    truth: Ints | None = None,
    spaces: Mapping[str, Tiles] | None = None,
    seed: int = 0,
) -> Scores:
    """Score one clustering.

    Args:
        labels: the cluster of each tile, `(N,)`, from 0.
        clusters: K, the number of clusters asked for.
        truth: the class of each tile, `(N,)`, -1 where unknown. Only scores see it.
        spaces: rows `(N, F)` to measure silhouettes in, by the space's name.
        seed: draws halves, permutations and the tiles of silhouettes, the same for each clustering.

    Raises:
        InputError: labels and truth are of unequal length, or a label is below 0.
    """
    return Scores(
        tiles=len(labels),
        clusters=clusters,
        used=metrics.used(labels),
        largest=metrics.largest(labels),
        holding=metrics.holding(labels),
        silhouette={
            name: _known(metrics.silhouette(rows, labels, np.random.default_rng(seed)))
            for name, rows in (spaces or {}).items()
        },
        **_agreement(labels, clusters, truth, seed),
    )


def _agreement(labels: Ints, clusters: int, truth: Ints | None, seed: int) -> dict[str, Any]:
    if truth is None or not (truth >= 0).any():
        return {}
    table = metrics.contingency(truth, labels)
    classes = int((table.sum(axis=0) > 0).sum())
    known = truth >= 0
    return {
        "classes": classes,
        "labelled": int(table.sum()),
        "acc": metrics.accuracy(table) if clusters == classes else None,
        "purity": metrics.purity(table),
        **_information(labels[known], truth[known]),
        **_controls(labels[known], truth[known], seed),
    }


def _information(labels: Ints, truth: Ints) -> dict[str, float]:
    from sklearn import metrics as sk

    homogeneity, completeness, _ = sk.homogeneity_completeness_v_measure(truth, labels)
    return {
        "nmi": float(sk.normalized_mutual_info_score(truth, labels)),
        "ami": float(sk.adjusted_mutual_info_score(truth, labels)),
        "ari": float(sk.adjusted_rand_score(truth, labels)),
        "homogeneity": float(homogeneity),
        "completeness": float(completeness),
    }


def _controls(labels: Ints, truth: Ints, seed: int) -> dict[str, float]:
    shuffled = metrics.permuted(labels, np.random.default_rng(seed))
    halves = [np.random.default_rng(seed + 1) for _ in range(2)]
    return {
        "permuted": metrics.purity(metrics.contingency(truth, shuffled)),
        "heldout": metrics.heldout_purity(truth, labels, halves[0]),
        "heldout_permuted": metrics.heldout_purity(truth, shuffled, halves[1]),
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _rounded(value: Any) -> Any:
    return round(value, 6) if isinstance(value, float) else value
