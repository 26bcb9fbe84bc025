"""Snapshots of a few tiles' embedding and labels over the refreshes, for pictures of the way."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from agri_cluster.artifact.fitted import SERIES
from agri_cluster.data.rows import RowFile
from agri_cluster.data.tiles import Floats, Ints

MOST = 24


@dataclass(slots=True)
class Series:
    """At most `MOST` snapshots, spread over the run; every other is dropped when there are more.

    Attributes:
        rows: positions of the tiles, `(M,)`, drawn once.
        shots: refresh number, labels `(M,)` and embedding `(M, D)`.
    """

    rows: Ints
    shots: list[tuple[int, Ints, Floats]] = field(default_factory=list)
    _step: int = 1

    @classmethod
    def draw(cls, count: int, rng: np.random.Generator) -> Series:
        """Choose at most `SERIES` of `count` tiles."""
        size = min(count, SERIES)
        return cls(np.sort(rng.choice(count, size, replace=False)).astype(np.int64))

    def add(self, refresh: int, labels: Ints, rows: RowFile) -> None:
        """Keep what a refresh found, if it is one of those to keep."""
        if refresh % self._step:
            return
        self.shots.append((refresh, labels[self.rows], rows.take(self.rows)))
        if len(self.shots) > MOST:
            self._step *= 2
            self.shots = [shot for shot in self.shots if shot[0] % self._step == 0]
