"""Snapshots of the embedding and labels of some tiles over the target updates."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from agri_cluster.artifact.fitted import SERIES
from agri_cluster.data.rows import RowFile
from agri_cluster.data.tiles import Floats, Ints

MAX_SHOTS = 24


@dataclass(slots=True)
class Series:
    """At most `MAX_SHOTS` snapshots spread over the run; beyond that, every other one is dropped.

    Attributes:
        rows: positions of the tiles, `(M,)`, drawn once.
        shots: number of the update, labels `(M,)` and embedding `(M, D)`.
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
        """Keep the snapshot of a target update, if it is one of those to keep."""
        if refresh % self._step:
            return
        self.shots.append((refresh, labels[self.rows], rows.take(self.rows)))
        if len(self.shots) > MAX_SHOTS:
            self._step *= 2
            self.shots = [shot for shot in self.shots if shot[0] % self._step == 0]
