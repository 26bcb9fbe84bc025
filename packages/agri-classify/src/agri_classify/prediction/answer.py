"""The prediction for one patch: classes with probabilities, and the conformal set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from agri_map.bundle.spec import BundleSpec

TOP = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """Classes of a patch, most probable first.

    Attributes:
        top: the three most probable classes with their probabilities.
        possible: the conformal set, which holds the true class at the bundle's nominal
            coverage; empty if the bundle has no threshold.

    Example:
        >>> top = (("River", 0.6), ("SeaLake", 0.3), ("Forest", 0.1))
        >>> answer = Answer(top, ("River", "SeaLake"))
        >>> answer.label, answer.probability, answer.uncertain
        ('River', 0.6, True)
    """

    top: tuple[tuple[str, float], ...]
    possible: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The most probable class."""
        return self.top[0][0]

    @property
    def probability(self) -> float:
        """The probability of the most probable class."""
        return self.top[0][1]

    @property
    def uncertain(self) -> bool:
        """Whether more than one class remains possible."""
        return len(self.possible) > 1


def answers(probabilities: NDArray[np.floating], spec: BundleSpec) -> list[Answer]:
    """Return one answer per row of `(N, K)`."""
    names, least = spec.legend.names, threshold(spec)
    order = np.argsort(-probabilities, axis=1, kind="stable")
    none = np.zeros(probabilities.shape, bool)
    kept = none if least is None else possible(probabilities, least)
    found = []
    for row, ranks, held in zip(probabilities, order, kept, strict=True):
        top = tuple((names[k], float(row[k])) for k in ranks[:TOP])
        found.append(Answer(top, tuple(names[k] for k in ranks if held[k])))
    return found


def threshold(spec: BundleSpec) -> float | None:
    """Return the conformal threshold of a bundle, None if it has none."""
    found = spec.metrics.get("conformal")
    return float(found["threshold"]) if isinstance(found, dict) and "threshold" in found else None


def possible(probabilities: NDArray[np.floating], least: float) -> NDArray[np.bool_]:
    """Return which classes are in the conformal set of each patch, `(N, K)`.

    Classes with a probability of `least` or more, and always the most probable one (Sadinle et
    al. 2019, "LABEL" sets).

    Example:
        >>> possible(np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]]), least=0.25).tolist()
        [[True, False, False], [True, True, True]]
    """
    kept = probabilities >= least
    # An empty set would mean that no class is possible, which is no use to a user; adding the best
    # class can only raise the coverage.
    kept[np.arange(len(kept)), probabilities.argmax(axis=1)] = True
    return np.asarray(kept, bool)
