"""Calibration of a classifier's probabilities: reliability and likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agri_core.files.errors import InputError

BINS = 15
"""Bins of the expected calibration error, as in Guo et al. 2017."""

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Reliability:
    """Patches by the probability of their most probable class, in bins of equal width.

    Attributes:
        count: patches in each bin, `(B,)`.
        confidence: their mean probability, NaN in an empty bin.
        accuracy: the share that is right, NaN in an empty bin.
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
    """Sort patches into `bins` by the largest probability of each row of `(N, K)`.

    Example:
        >>> sure = np.array([[0.9, 0.1], [0.8, 0.2]])
        >>> round(reliability(sure, np.array([0, 0]), bins=2).error, 3)
        0.15
    """
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
    """Return the probabilities before they were divided by a temperature: softmax(T ln p)."""
    logits = temperature * np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float64)


def likelihood(probabilities: Doubles, truth: Ints) -> float:
    """Return the mean negative log-likelihood in nats.

    Example:
        >>> round(likelihood(np.array([[0.5, 0.5], [0.25, 0.75]]), np.array([0, 1])), 3)
        0.49
    """
    picked = probabilities[np.arange(len(truth)), truth]
    # A probability of 0 for what came true would cost an infinite loss.
    return float(-np.log(np.maximum(picked, 1e-30)).mean())


def _check(probabilities: Doubles, truth: Ints) -> None:
    if probabilities.ndim != 2 or len(probabilities) != len(truth) or len(truth) == 0:
        raise InputError(
            "probabilities (N, K) and classes (N,) of one patch or more are expected, got "
            f"{probabilities.shape} and {truth.shape}"
        )
