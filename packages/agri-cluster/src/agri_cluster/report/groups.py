"""What is known of each group of tiles: its size, how sure its tiles are of it, who is near."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agri_cluster.artifact.fitted import Fitted
from agri_cluster.data.tiles import Floats, Ints, sample
from agri_cluster.evaluation.merge import linkage
from agri_cluster.report.palette import colour

Joins = NDArray[np.float64]

NEAR = 3
MIN_LEAVES, MAX_LEAVES = 3, 400
SILHOUETTE = 4000
"""Tiles drawn for the silhouettes, whose cost grows with their square."""


@dataclass(frozen=True, slots=True)
class Group:
    """One cluster with at least one tile.

    Attributes:
        cluster: its number.
        name: given by the user, else "".
        tiles: how many it holds.
        share: of all tiles, 0..1.
        confidence: mean soft label of its tiles, 0..1.
        margin: their mean distance in soft label to the second cluster, 0..1.
        silhouette: mean of its tiles in the sample, -1..1; None where the sample has too few.
        near: the used clusters with the closest centres, closest first.
    """

    cluster: int
    name: str
    tiles: int
    share: float
    confidence: float
    margin: float
    silhouette: float | None
    near: tuple[int, ...]

    @property
    def colour(self) -> str:
        """The colour of the cluster wherever it is drawn, "#rrggbb"."""
        return colour(self.cluster)


def groups(fitted: Fitted, names: Mapping[int, str], rng: np.random.Generator) -> list[Group]:
    """Describe each used cluster, in rising order of number."""
    labels = fitted.labels
    sizes = np.bincount(labels, minlength=fitted.clusters)
    used = np.flatnonzero(sizes)
    sums = {
        column: np.bincount(labels, fitted.table[column].to_numpy(np.float64), fitted.clusters)
        for column in ("confidence", "margin")
    }
    silhouettes = _silhouettes(fitted, rng)
    near = neighbours(fitted.centres[used])
    return [
        Group(
            cluster=int(cluster),
            name=names.get(int(cluster), ""),
            tiles=int(sizes[cluster]),
            share=float(sizes[cluster] / len(labels)),
            confidence=float(sums["confidence"][cluster] / sizes[cluster]),
            margin=float(sums["margin"][cluster] / sizes[cluster]),
            silhouette=silhouettes.get(int(cluster)),
            near=tuple(int(used[other]) for other in near[position]),
        )
        for position, cluster in enumerate(used)
    ]


def neighbours(centres: Floats) -> Ints:
    """Return for each centre `(K, D)` the positions of the closest others, `(K, <= NEAR)`."""
    distance = _squared(centres)
    np.fill_diagonal(distance, np.inf)
    order = np.argsort(distance, axis=1, kind="stable")
    return order[:, : min(NEAR, len(centres) - 1)].astype(np.int64)


def tree(fitted: Fitted, groups: Sequence[Group]) -> Joins:
    """Return Ward's tree of the used centres, its leaves ordered so that neighbours are alike.

    Rows are joins as `agri_cluster.evaluation.merge.linkage` describes them.
    """
    from scipy.cluster.hierarchy import optimal_leaf_ordering
    from scipy.spatial.distance import pdist

    centres = fitted.centres[[group.cluster for group in groups]].astype(np.float64)
    joins = linkage(centres, [group.tiles for group in groups])
    if not MIN_LEAVES <= len(groups) <= MAX_LEAVES:
        return joins
    return np.asarray(optimal_leaf_ordering(joins, pdist(centres)), np.float64)


def leaves(joins: Joins) -> list[int]:
    """Return the positions of the groups from the top of the drawn tree to its foot."""
    from scipy.cluster.hierarchy import leaves_list

    return [int(position) for position in leaves_list(joins)[::-1]] if len(joins) else [0]


def _silhouettes(fitted: Fitted, rng: np.random.Generator) -> dict[int, float]:
    from sklearn.metrics import silhouette_samples

    # Silhouettes need all pairs of distances: 128 MB for 4000 rows in float64; time and memory
    # grow with the square.
    rows = sample(fitted.embedding, SILHOUETTE, rng)
    labels = fitted.labels[rows]
    found, positions, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if not 2 <= len(found) < len(rows):
        return {}
    values = silhouette_samples(fitted.embedding.take(rows), labels)
    means = np.bincount(positions, values) / counts
    return {int(k): float(mean) for k, mean, n in zip(found, means, counts, strict=True) if n > 1}


def _squared(centres: Floats) -> NDArray[np.float64]:
    points = np.asarray(centres, np.float64)
    norms = (points**2).sum(axis=1)
    return np.asarray(norms[:, None] + norms[None] - 2 * points @ points.T, np.float64)
