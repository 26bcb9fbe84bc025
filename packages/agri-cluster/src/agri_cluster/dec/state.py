"""The state of a refinement: everything that a resumed run needs besides the network's weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agri_cluster.backend.checkpoint import Arrays
from agri_cluster.data.tiles import Ints

FACTS = ("iteration", "calm", "reseeds", "best", "errors", "warmup", "history")
ARRAYS = ("labels", "initial", "order")


@dataclass(slots=True)
class RefineState:
    """The state of a refinement.

    Attributes:
        labels: of the last target update, `(N,)`.
        initial: share of tiles in each initial cluster, `(K,)`.
        iteration: steps taken.
        calm: consecutive target updates with few label changes.
        reseeds: how often centres were moved.
        best: perplexity of the cluster sizes in the best state so far.
        order: tiles of the current epoch that no step has seen yet.
        errors: reconstruction errors since the last update.
        warmup: a row per evaluation of the warm-up.
        history: a row per target update.
    """

    labels: Ints
    initial: NDArray[np.float64]
    iteration: int = 0
    calm: int = 0
    reseeds: int = 0
    best: float = 0.0
    order: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    errors: list[float] = field(default_factory=list)
    warmup: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)

    def arrays(self) -> Arrays:
        """Return the arrays of a checkpoint."""
        return {name: getattr(self, name) for name in ARRAYS}

    def facts(self) -> dict[str, Any]:
        """Return the JSON-able values of a checkpoint."""
        return {name: getattr(self, name) for name in FACTS}

    @classmethod
    def restored(cls, arrays: Arrays, facts: dict[str, Any]) -> RefineState:
        """Return the state of a checkpoint."""
        values: dict[str, Any] = {name: arrays[name] for name in ARRAYS}
        return cls(**values, **{name: facts[name] for name in FACTS})
