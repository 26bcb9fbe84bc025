"""Schedule of the refinement: its length, and the interval of target updates."""

from __future__ import annotations

from dataclasses import dataclass, field

from agri_core.files.errors import InputError, SettingError

from agri_cluster.choices import Target
from agri_cluster.dec.warmup import Warmup

TARGETS: dict[Target, float] = {"full": 1.0, "ema": 0.9, "batch": 0.0}
"""Ways to sharpen the target: momentum of the cluster frequencies from batch to batch."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Length of the refinement, and interval of target updates.

    Attributes:
        batch_size: tiles per step.
        max_iter: maximum number of steps.
        target: whose frequencies sharpen it: "full", of all tiles at the last update (DEC); or, of
            the assignment at the step, "batch", of its tiles, or "ema", a moving average.
        update_interval: steps between target updates; None = one epoch, from 20 to 200 steps.
        tol: share of labels changed below which an update counts as calm.
        patience: consecutive calm updates that end the run.
        budget: maximum seconds, checked at updates; None = no limit.
        warmup: how the embedding learns initial labels that are not those of the nearest centre.
    """

    batch_size: int = 256
    max_iter: int = 2000
    target: Target = "full"
    update_interval: int | None = None
    # The convergence threshold of Xie et al. 2016: under 0.1 % of the labels change.
    tol: float = 0.001
    # Two in a row, since a single calm update may occur by chance.
    patience: int = 2
    budget: float | None = None
    warmup: Warmup = field(default_factory=Warmup)

    def __post_init__(self) -> None:
        if min(self.batch_size, self.patience) < 1 or min(self.max_iter, self.tol) < 0:
            raise InputError(
                "batch_size and patience of 1 or more, and max_iter and tol of 0 or more are "
                f"expected, got {self}"
            )
        if self.target not in TARGETS:
            raise SettingError("target", f"is one of {', '.join(TARGETS)}, got {self.target!r}")
        if self.update_interval is not None and self.update_interval < 1:
            raise SettingError("update_interval", f"is 1 or more, got {self.update_interval}")

    def steps(self, tiles: int) -> int:
        """Return the steps between two target updates for a set of that many tiles."""
        if self.update_interval is not None:
            return self.update_interval
        # An update is a pass over all tiles: at least 20 steps bound its share of the time on small
        # sets, at most 200 the age of the target on large ones.
        return min(max(-(-tiles // self.batch_size), 20), 200)
