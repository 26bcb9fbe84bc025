"""Training batches: the chosen tiles, each in one of its views."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from agri_cluster.data.rows import RowFile
from agri_cluster.data.tiles import Floats, Ints, Tiles
from agri_cluster.encoders.views import Views

Draw = Callable[[Ints, np.random.Generator], Floats]


@dataclass(frozen=True, slots=True)
class DrawViews:
    """Augmented copies of tiles."""

    tiles: Tiles = field(repr=False)
    views: Views

    def __call__(self, indices: Ints, rng: np.random.Generator) -> Floats:
        """Return a view of each of the tiles at `indices`."""
        return self.views(self.tiles.take(indices), rng)


@dataclass(frozen=True, slots=True)
class DrawRotations:
    """Features of tiles in one of their rotations or reflections."""

    rows: RowFile = field(repr=False)
    views: int

    def __call__(self, indices: Ints, rng: np.random.Generator) -> Floats:
        """Return the features of a random rotation or reflection of each tile at `indices`."""
        return self.rows.take(indices * self.views + rng.integers(self.views, size=len(indices)))
