"""Accuracy, confidence intervals and calibration of a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from agri_core import confusion as counts
from agri_core.files.errors import InputError
from numpy.typing import NDArray

from agri_classify.prediction.answer import possible

BINS = 15
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Reliability:
    """Patches binned by confidence, in bins of equal width.

    Attributes:
        count: patches in each bin, `(B,)`.
        confidence: their mean confidence, NaN in an empty bin.
        accuracy: their accuracy, NaN in an empty bin.
    """

    count: Ints
    confidence: Doubles
    accuracy: Doubles

    @property
    def error(self) -> float:
        """The expected calibration error: the mean gap of the bins, weighted by their patches.

        Source: Guo et al. 2017, arXiv:1706.04599.
        """
        held = self.count > 0
        gap = np.abs(self.accuracy[held] - self.confidence[held])
        return float((gap * self.count[held]).sum() / self.count.sum())


def reliability(probabilities: Doubles, truth: Ints, bins: int = BINS) -> Reliability:
    """Bin patches by the largest probability of each row of `(N, K)`."""
    _check(probabilities, truth)
    best = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    place = np.minimum((best * bins).astype(np.int64), bins - 1)
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(place, best, bins) / count
        accuracy = np.bincount(place, right, bins) / count
    return Reliability(count, confidence, accuracy)


def without_temperature(probabilities: Doubles, temperature: float) -> Doubles:
    """Return the probabilities without temperature scaling: softmax(T ln p)."""
    logits = temperature * np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float64)


def likelihood(probabilities: Doubles, truth: Ints) -> float:
    """Return the mean negative log-likelihood in nats."""
    picked = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(picked, 1e-30)).mean())


def interval(right: NDArray[np.bool_], places: Ints, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % CI of the accuracy by bootstrap over places; NaN with a single place.

    Args:
        right: whether each patch is classified correctly, `(N,)`.
        places: number of the place of each patch, `(N,)`.
        seed: of the bootstrap.
    """
    _, unit = np.unique(places, return_inverse=True)
    matrices = np.zeros((int(unit.max()) + 1, 2, 2), np.int64)
    # Accuracy needs only counts of right and wrong: one row of a confusion matrix holds them.
    matrices[:, 0, 0], matrices[:, 0, 1] = np.bincount(unit, right), np.bincount(unit, ~right)
    return counts.bootstrap(matrices, counts.accuracy, seed=seed)


def set_scores(kept: NDArray[np.bool_], truth: Ints) -> dict[str, float]:
    """Return coverage and mean size of the sets `(N, K)` for the truth `(N,)`."""
    held = kept[np.arange(len(truth)), truth]
    return {"coverage": float(held.mean()), "size": float(kept.sum(axis=1).mean())}


def coverage(probabilities: Doubles, truth: Ints, least: float) -> dict[str, float]:
    """Return coverage and mean size of the conformal sets."""
    return set_scores(possible(probabilities, least), truth)


def class_rows(cm: Ints, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return precision, recall, F1 and number of patches of each class; n/a is None."""
    parts = (counts.precision(cm), counts.recall(cm), counts.f1(cm))
    rows = []
    for number, name in enumerate(names):
        values = [None if np.isnan(part[number]) else float(part[number]) for part in parts]
        found = dict(zip(("precision", "recall", "f1"), values, strict=True))
        rows.append({"class": name, **found, "patches": int(cm[number].sum())})
    return rows


def _check(probabilities: Doubles, truth: Ints) -> None:
    if probabilities.ndim != 2 or len(probabilities) != len(truth) or len(truth) == 0:
        raise InputError(
            "probabilities (N, K) and classes (N,) of one patch or more are expected, got "
            f"{probabilities.shape} and {truth.shape}"
        )
