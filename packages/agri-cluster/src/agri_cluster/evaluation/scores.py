"""All figures of one clustering as one record."""

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
    """What is known of one clustering; None where it cannot be known.

    Attributes:
        tiles: how many were grouped.
        clusters: K, how many groups were asked for.
        used: groups with at least one tile.
        largest: share of tiles in the largest group.
        holding: groups it takes to hold 90 % of the tiles.
        classes: C, how many classes the labelled tiles are of; all below need it.
        labelled: tiles of known class.
        acc: best one-to-one match, only where K = C.
        nmi: normalised mutual information.
        ami: the same, adjusted for chance.
        ari: Rand index adjusted for chance.
        homogeneity: 1 where every group holds one class.
        completeness: 1 where every class is in one group.
        purity: share of tiles of the commonest class of their group.
        permuted: purity after the labels are shuffled, what chance gives at these sizes.
        heldout: purity with the groups named on one half and scored on the other.
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
        """Return the figures, rounded to six places."""
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
        labels: the group of each tile, `(N,)`, from 0.
        clusters: K, how many groups were asked for.
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
    return {
        "classes": classes,
        "labelled": int(table.sum()),
        "acc": metrics.accuracy(table) if clusters == classes else None,
        "nmi": metrics.nmi(table),
        "ami": metrics.ami(table),
        "ari": metrics.ari(table),
        "homogeneity": metrics.homogeneity(table),
        "completeness": metrics.completeness(table),
        "purity": metrics.purity(table),
        **_controls(labels, truth, seed),
    }


def _controls(labels: Ints, truth: Ints, seed: int) -> dict[str, float]:
    known = truth >= 0
    labels, truth = labels[known], truth[known]
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
