"""Scores from counts: one confusion matrix, every metric a formula on top of it.

A matrix `cm` has shape `(K, K)`: rows are the truth, columns the prediction. A class absent from
both has no score: it is NaN, never 0 or 1. Matrices of several places add up.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agri_core.files.errors import InputError
from agri_core.legend import IGNORE

Counts = NDArray[np.int64]
Scores = NDArray[np.float64]


def confusion(truth: ArrayLike, predicted: ArrayLike, classes: int, ignore: int = IGNORE) -> Counts:
    """Count pairs of true and predicted class ids, leaving out pixels whose truth is `ignore`.

    Args:
        truth: class ids of any shape.
        predicted: class ids of the same shape.
        classes: K, the number of classes.
        ignore: the truth value that is not counted.

    Raises:
        InputError: the shapes differ, or a counted id is outside `0..K-1`.

    Example:
        >>> confusion([0, 0, 1, 255], [0, 1, 1, 0], classes=2).tolist()
        [[1, 1], [0, 1]]
    """
    true, found = np.asarray(truth), np.asarray(predicted)
    if true.shape != found.shape:
        raise InputError(f"truth has shape {true.shape} but the prediction {found.shape}")
    counted = true != ignore
    rows, cols = true[counted].astype(np.int64), found[counted].astype(np.int64)
    _check_ids(rows, classes, "truth")
    _check_ids(cols, classes, "prediction")
    # One number for (truth, prediction): their counts are the matrix, laid flat.
    pairs = np.bincount(rows * classes + cols, minlength=classes * classes)
    return pairs.reshape(classes, classes).astype(np.int64)


def iou(cm: Counts) -> Scores:
    """IoU per class, TP / (TP + FP + FN), shape `(..., K)`; NaN where the class is absent.

    Example:
        >>> iou(confusion([0, 0, 0, 1], [0, 0, 1, 1], classes=3)).round(2).tolist()
        [0.67, 0.5, nan]
    """
    hits = _hits(cm)
    return _ratio(hits, cm.sum(-1) + cm.sum(-2) - hits)


def f1(cm: Counts) -> Scores:
    """F1 (= Dice) per class, 2 TP / (2 TP + FP + FN); NaN where the class is absent.

    Example:
        >>> f1(confusion([0, 0, 0, 1], [0, 0, 1, 1], classes=2)).round(2).tolist()
        [0.8, 0.67]
    """
    return _ratio(2 * _hits(cm), cm.sum(-1) + cm.sum(-2))


def recall(cm: Counts) -> Scores:
    """Producer's accuracy per class, TP / (TP + FN); NaN where the truth lacks the class.

    Example:
        >>> recall(confusion([0, 0, 0, 1], [0, 0, 1, 1], classes=2)).round(2).tolist()
        [0.67, 1.0]
    """
    return _ratio(_hits(cm), cm.sum(-1))


def precision(cm: Counts) -> Scores:
    """User's accuracy per class, TP / (TP + FP); NaN where the class was never predicted.

    Example:
        >>> precision(confusion([0, 0, 0, 1], [0, 0, 1, 1], classes=2)).round(2).tolist()
        [1.0, 0.5]
    """
    return _ratio(_hits(cm), cm.sum(-2))


def mean_iou(cm: Counts) -> float:
    """Mean IoU over the classes that occur in truth or prediction; NaN for an empty matrix.

    Example:
        >>> round(mean_iou(confusion([0, 0, 0, 1], [0, 0, 1, 1], classes=3)), 3)
        0.583
    """
    return _nanmean(iou(cm))


def mean_f1(cm: Counts) -> float:
    """Mean F1 over the classes that occur in truth or prediction; NaN for an empty matrix."""
    return _nanmean(f1(cm))


def accuracy(cm: Counts) -> float:
    """Share of counted pixels that are right; NaN for an empty matrix.

    Example:
        >>> accuracy(confusion([0, 0, 0, 1], [0, 0, 1, 1], classes=2))
        0.75
    """
    return float(_ratio(np.asarray(_hits(cm).sum()), np.asarray(cm.sum())))


def kappa(cm: Counts) -> float:
    """Cohen's kappa, (p_o - p_e) / (1 - p_e); NaN when chance agreement is 1 or nothing counts.

    Example:
        >>> kappa(confusion([0, 0, 0, 1], [0, 0, 1, 1], classes=2))
        0.5
    """
    total = float(cm.sum())
    if total == 0:
        return float("nan")
    # Agreement of independent truth and prediction with the same totals.
    chance = float((cm.sum(1) / total) @ (cm.sum(0) / total))
    return float("nan") if chance == 1 else (accuracy(cm) - chance) / (1 - chance)


def shares_of_truth(cm: Counts) -> Scores:
    """Divide each row by its sum; a class that the truth lacks is NaN."""
    return _ratio(cm, np.broadcast_to(cm.sum(1, keepdims=True), cm.shape))


def majority(cm: Counts) -> tuple[float, int]:
    """Return the score of always guessing the majority class: `(accuracy, class id)`.

    Example:
        >>> majority(confusion([0, 0, 0, 1], [0, 0, 1, 1], classes=2))
        (0.75, 0)
    """
    truth = cm.sum(1)
    best = int(truth.argmax())
    return float(_ratio(truth[best], truth.sum())), best


def bootstrap(
    matrices: NDArray[np.int64],
    metric: Callable[[Counts], float],
    draws: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the 95 % CI (percentile bootstrap) of `metric` under resampling of whole places.

    Places, not pixels, are the independent unit: neighbouring pixels are alike, and an interval
    over pixels would be far too narrow (Efron & Tibshirani 1993, chapter 13, for the method).

    Args:
        matrices: `(N, K, K)`, one confusion matrix a place.
        metric: a function of the summed matrix.
        draws: the number of resamples.
        seed: of the resampling.

    Returns:
        Low and high; both NaN with fewer than two places, since nothing can be resampled.
    """
    places = len(matrices)
    if places < 2:
        return float("nan"), float("nan")
    # Drawing N of N places with replacement is a multinomial: one product sums all resamples.
    picks = np.random.default_rng(seed).multinomial(places, np.full(places, 1 / places), draws)
    flat = matrices.reshape(places, -1)
    sums = (picks @ flat).reshape(draws, *matrices.shape[1:])
    values = np.array([metric(cm) for cm in sums])
    low, high = (
        # A resample may lack every class that the metric needs; it is NaN and not counted.
        np.nanpercentile(values, [2.5, 97.5]) if np.isfinite(values).any() else (np.nan,) * 2
    )
    return float(low), float(high)


def _hits(cm: Counts) -> NDArray[np.int64]:
    return np.diagonal(cm, axis1=-2, axis2=-1)


def _ratio(top: NDArray[np.int64], bottom: NDArray[np.int64]) -> Scores:
    out = np.full(np.shape(bottom), np.nan)
    np.divide(top, bottom, out=out, where=np.asarray(bottom) > 0)
    return out


def _nanmean(values: Scores) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def _check_ids(ids: NDArray[np.int64], classes: int, what: str) -> None:
    if ids.size and (ids.min() < 0 or ids.max() >= classes):
        bad = sorted(set(ids[(ids < 0) | (ids >= classes)][:1000].tolist()))[:8]
        raise InputError(f"the {what} holds the class ids {bad}, expected 0..{classes - 1}")
