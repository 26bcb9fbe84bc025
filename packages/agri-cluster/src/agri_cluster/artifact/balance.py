"""Whether a clustering is dominated: its tiles lie in far fewer clusters than were asked for.

Dominated means one of two things. The largest cluster holds more than half of the tiles (of two
clusters 90 %, of three two thirds: with so few, one of them often holds the majority). Or the
effective number of clusters, exp(entropy of the shares), is below half of K. Land cover is uneven,
so a limit closer to even shares would be raised by sound clusterings: shares that fall by 0.6 from
cluster to cluster (40 %, 24 %, 14 %, ...) are 5.1 effective clusters of 10, and pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agri_cluster.data.shares import perplexity, shares
from agri_cluster.data.tiles import Ints

LARGEST = {2: 0.9, 3: 2 / 3}
"""Share of the largest cluster above which few clusters are dominated."""

MAJORITY = 0.5
"""The same of four clusters and more: one holds more than all others together."""

EFFECTIVE = 0.5
"""Least effective number of clusters, as a share of K."""


@dataclass(frozen=True, slots=True)
class Balance:
    """How evenly tiles are spread over K clusters.

    Attributes:
        clusters: K.
        cluster: the number of the largest cluster.
        largest: its share of the tiles, 0..1.
        effective: exp(entropy of the shares), 1..K.
        empty: clusters without a tile.
    """

    clusters: int
    cluster: int
    largest: float
    effective: float
    empty: int

    @classmethod
    def of(cls, labels: Ints, clusters: int) -> Balance:
        """Measure the clusters `labels`, `(N,)`, each below `clusters`.

        Example:
            >>> import numpy as np
            >>> found = Balance.of(np.array([0, 0, 0, 1]), clusters=2)
            >>> found.largest, round(found.effective, 2), found.dominated
            (0.75, 1.75, False)
        """
        now = shares(labels, clusters)
        largest = int(now.argmax())
        return cls(clusters, largest, float(now[largest]), perplexity(now), int((now == 0).sum()))

    @property
    def dominated(self) -> bool:
        """Whether the tiles lie in far fewer clusters than K."""
        few = self.effective < EFFECTIVE * self.clusters
        return self.clusters > 1 and (few or self.largest > LARGEST.get(self.clusters, MAJORITY))

    @property
    def warning(self) -> str:
        """What a reader of the clustering should know, "" where it is not dominated."""
        if not self.dominated:
            return ""
        return (
            f"the clustering is dominated: cluster {self.cluster} holds {self.largest:.0%} of the "
            f"tiles, effectively {self.effective:.1f} of {self.clusters} clusters; look at other "
            "bands, another encoder, --balance or fewer clusters before relying on it"
        )

    def to_json(self) -> dict[str, Any]:
        """Return the record `balance` of cluster.json."""
        return {
            "dominated": self.dominated, "largest": round(self.largest, 6),
            "effective": round(self.effective, 6), "empty": self.empty,
        }  # fmt: skip
