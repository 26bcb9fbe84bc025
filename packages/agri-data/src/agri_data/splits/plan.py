"""The method and settings of a split, checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from agri_core.files.errors import InputError

from agri_data.choices import Method

MAX_FOLDS = 100
"""More trainings than anyone runs; leaving out one of many places is what so many folds mean."""

METHODS: tuple[str, ...] = get_args(Method)


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """The settings of a split.

    Attributes:
        method: what is kept whole: a `block` of ground, a `group`, nothing (`random`), or, for
            `kfold`, blocks if `block` is given, else groups if there are any, else nothing.
        fractions: wanted shares of train, val and test, summing to 1; `kfold` does not use them.
        seed: the same seed gives the same lists, whatever the order of the rows.
        block: side of a block in metres (pixels without coordinates); None chooses one.
        buffer: of chips of different splits nearer than this, in the same unit, one is left out.
        folds: k of `kfold`.
        fold: which fold is the test split, from 0; the next one is val if there are 3 or more.
    """

    method: Method = "block"
    fractions: tuple[float, float, float] = (0.7, 0.15, 0.15)
    seed: int = 0
    block: float | None = None
    buffer: float = 0.0
    folds: int = 5
    fold: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InputError(f"a split method is one of {', '.join(METHODS)}, got {self.method!r}")
        self._check_fractions()
        if self.seed < 0:
            raise InputError(f"a seed is 0 or more, got {self.seed}")
        if self.block is not None and not self.block > 0:
            raise InputError(f"a block is wider than 0, got {self.block}")
        if not self.buffer >= 0:
            raise InputError(f"a buffer is 0 or wider, got {self.buffer}")
        if self.method == "kfold":
            self._check_folds()

    def _check_fractions(self) -> None:
        if len(self.fractions) != 3 or not all(0 <= f <= 1 for f in self.fractions):
            raise InputError(
                "fractions are three numbers from 0 to 1 for train, val and test, "
                f"got {self.fractions}"
            )
        if abs(sum(self.fractions) - 1) > 1e-6:
            raise InputError(
                f"the fractions of train, val and test must sum to 1, got {self.fractions} "
                f"with the sum {sum(self.fractions):g}"
            )

    def _check_folds(self) -> None:
        if not 2 <= self.folds <= MAX_FOLDS:
            raise InputError(f"k-fold takes 2 to {MAX_FOLDS} folds, got {self.folds}")
        if not 0 <= self.fold < self.folds:
            raise InputError(f"the test fold is from 0 to {self.folds - 1}, got {self.fold}")

    @property
    def shares(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """The wanted share of each split, or of each fold."""
        if self.method == "kfold":
            return np.full(self.folds, 1 / self.folds)
        return np.array(self.fractions, np.float64)

    def singly(self, grouped: bool) -> bool:
        """Return whether single chips are dealt, given whether chips have groups."""
        if self.method == "kfold":
            return self.block is None and not grouped
        return self.method == "random"

    def to_dict(self) -> dict[str, Any]:
        """Return the settings that took part, for JSON."""
        content: dict[str, Any] = {"method": self.method, "seed": self.seed}
        if self.method == "kfold":
            content |= {"folds": self.folds, "fold": self.fold}
        else:
            content["fractions"] = list(self.fractions)
        return content | {"buffer": self.buffer}
