"""The warm-up before the refinement: the embedding learns a start that is not its own.

Groups of the input (Ward, spectral, UMAP, given labels) are no nearest centres of the embedding.
Refining from centres that do not give the groups would lose what the start knew; so embedding and
centres are first trained like a classifier, by Adam, until they give the start's labels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agri_core.files.console import progress
from agri_core.files.errors import InputError


@dataclass(frozen=True, slots=True)
class Warmup:
    """How long a start's labels are learnt.

    Attributes:
        limit: steps at most.
        lr: of Adam.
        learnt: share of tiles that must have the start's label; the warm-up is then done.
        patience: looks in a row that may find no higher share before it ends as well.
    """

    limit: int = 3000
    lr: float = 0.001
    learnt: float = 0.995
    patience: int = 5

    def __post_init__(self) -> None:
        if self.limit < 0 or not self.lr > 0 or not 0 <= self.learnt <= 1 or self.patience < 1:
            raise InputError(
                "a warm-up has a limit of 0 or more, lr above 0, a share learnt from 0 to 1 and "
                f"patience of 1 or more, got {self}"
            )


def learn_start(
    how: Warmup, interval: int, step: Callable[[], None], agreement: Callable[[], float]
) -> list[dict[str, Any]]:
    """Take steps until the labels are learnt, no more is learnt, or the limit is reached.

    Args:
        how: when to end.
        interval: steps between two looks.
        step: takes one.
        agreement: gives the share of tiles that have the start's label.

    Returns:
        a row per look: `step`, and `agreement` after so many.
    """
    history = [{"step": 0, "agreement": agreement()}]
    best, calm = history[0]["agreement"], 0
    for done in progress(range(1, how.limit + 1), "warm-up"):
        step()
        if done % interval and done != how.limit:
            continue
        now = agreement()
        history.append({"step": done, "agreement": now})
        best, calm = (now, 0) if now > best else (best, calm + 1)
        if now >= how.learnt or calm >= how.patience:
            break
    return history
