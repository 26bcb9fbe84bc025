"""How long a clustering is refined, and how often its target is renewed."""

from __future__ import annotations

from dataclasses import dataclass, field

from agri_core.files.errors import InputError

from agri_cluster.dec.warmup import Warmup

TARGETS = {"full": 1.0, "ema": 0.9, "batch": 0.0}
"""Ways to sharpen the target, with the momentum of the frequencies from batch to batch."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long, and how often the target is renewed.

    Attributes:
        batch: tiles a step.
        limit: steps at most.
        target: whose frequencies sharpen it: "full", of all tiles at the last refresh (DEC); or, of
            the assignment as it is at the step, "batch", of its tiles, or "ema", a moving average.
        interval: steps between refreshes; None = one pass over the tiles, from 20 to 200.
        tol: share of labels that may change at a refresh of a clustering that has converged.
        patience: refreshes in a row that must be so calm.
        budget: seconds at most, checked at refreshes; None = no limit.
        warmup: how the embedding first learns a start's labels, where those are more than the
            nearest centre.
    """

    batch: int = 256
    limit: int = 2000
    target: str = "full"
    interval: int | None = None
    tol: float = 0.001
    patience: int = 2
    budget: float | None = None
    warmup: Warmup = field(default_factory=Warmup)

    def __post_init__(self) -> None:
        if min(self.batch, self.patience) < 1 or min(self.limit, self.tol) < 0:
            raise InputError(
                "batch and patience of 1 or more, and limit and tol of 0 or more are expected, "
                f"got {self}"
            )
        if self.target not in TARGETS:
            raise InputError(f"target is one of {', '.join(TARGETS)}, got {self.target!r}")
        if self.interval is not None and self.interval < 1:
            raise InputError(f"the refresh interval is 1 step or more, got {self.interval}")

    def steps(self, tiles: int) -> int:
        """Return the steps between two refreshes for a set of that many tiles."""
        if self.interval is not None:
            return self.interval
        return min(max(-(-tiles // self.batch), 20), 200)
