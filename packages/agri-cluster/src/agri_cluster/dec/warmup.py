"""Warm-up before the refinement: embedding and centres learn initial labels of another space.

Clusters of the input (Ward, spectral, UMAP, given labels) are not the nearest centres of the
embedding. Refining from centres that do not reproduce them would lose them; so embedding and
centres are first trained as a classifier, by Adam, until they do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agri_core.files.console import progress
from agri_core.files.errors import InputError


@dataclass(frozen=True, slots=True)
class Warmup:
    """Length of the warm-up.

    Attributes:
        max_iter: maximum number of steps.
        learning_rate: of Adam.
        agreement: share of tiles with their initial label at which the warm-up ends.
        patience: consecutive evaluations without a higher share that end it as well.
    """

    # An upper bound; `agreement` and `patience` can end the warm-up earlier.
    max_iter: int = 3000
    learning_rate: float = 0.001
    # Not 1, since tiles on the border of two initial clusters may never agree.
    agreement: float = 0.995
    patience: int = 5

    def __post_init__(self) -> None:
        if self.max_iter < 0 or not self.learning_rate > 0 or self.patience < 1:
            raise InputError(
                "a warm-up has max_iter of 0 or more, learning_rate above 0 and patience of 1 or "
                f"more, got {self}"
            )
        if not 0 <= self.agreement <= 1:
            raise InputError(f"a warm-up has an agreement from 0 to 1, got {self.agreement}")


def learn_labels(
    config: Warmup, interval: int, step: Callable[[], None], agreement: Callable[[], float]
) -> list[dict[str, Any]]:
    """Take steps until the labels are learned, the agreement stalls, or the limit is reached.

    Args:
        config: when to end.
        interval: steps between two evaluations.
        step: takes one.
        agreement: returns the share of tiles that have their initial label.

    Returns:
        a row per evaluation: `step`, and `agreement` after so many.
    """
    history = [{"step": 0, "agreement": agreement()}]
    best, calm = history[0]["agreement"], 0
    for done in progress(range(1, config.max_iter + 1), "warm-up"):
        step()
        if done % interval and done != config.max_iter:
            continue
        now = agreement()
        history.append({"step": done, "agreement": now})
        # Compared with the best value and not with the last one: between two evaluations with
        # mini-batches the agreement may also fall.
        best, calm = (now, 0) if now > best else (best, calm + 1)
        if now >= config.agreement or calm >= config.patience:
            break
    return history
