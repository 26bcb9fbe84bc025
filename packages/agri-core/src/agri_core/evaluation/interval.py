"""The 95 % CI of scores, for few places and perfect scores as well.

A bootstrap draws from the places that were seen, so it cannot tell what they do not show: 24 of 24
right would give the interval 1..1. Where it degenerates, a share gets the Wilson interval, and any
other metric none.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from agri_core import confusion
from agri_core.confusion import Counts

Z = 1.959963984540054
"""97.5 % quantile of the standard normal distribution: the 95 % CI has two sides."""

ENOUGH = 10
"""Places from which on a bootstrap is trusted."""

UNKNOWN = (math.nan, math.nan)


def wilson(share: float, count: int) -> tuple[float, float]:
    """Return the Wilson score interval of a share of `count` independent draws.

    Source: Wilson 1927; recommended for small counts by Brown, Cai & DasGupta 2001.

    Args:
        share: of the draws that are right, 0 to 1.
        count: of the draws, 1 or more.

    Example:
        >>> low, high = wilson(24 / 24, 24)
        >>> round(low, 4), round(high, 4)
        (0.862, 1.0)
    """
    weight = Z * Z / count
    centre = (share + weight / 2) / (1 + weight)
    half = Z * math.sqrt(share * (1 - share) / count + weight / (4 * count)) / (1 + weight)
    return max(centre - half, 0.0), min(centre + half, 1.0)


def accuracy_interval(places: Counts, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % CI of the accuracy.

    It is the bootstrap over places, or with few places, or where the bootstrap touches 0 or 1 or
    has no width, the Wilson interval that counts each place as one draw: patches of one place are
    alike, so more draws would promise too much.

    Args:
        places: `(P, K, K)`, one confusion matrix a place.
        seed: of the bootstrap.

    Returns:
        Low and high; both NaN with fewer than two places.

    Example:
        >>> right = np.tile([[1, 0], [0, 0]], (24, 1, 1))
        >>> [round(end, 4) for end in accuracy_interval(right)]
        [0.862, 1.0]
    """
    # A place without a counted pixel is no draw; a resample of it changes nothing.
    places = places[places.sum(axis=(1, 2)) > 0]
    if len(places) < 2:
        return UNKNOWN
    low, high = confusion.bootstrap(_right_and_wrong(places), confusion.accuracy, seed=seed)
    if len(places) >= ENOUGH and 0 < low < high < 1:
        return low, high
    return wilson(confusion.accuracy(places.sum(axis=0)), len(places))


def metric_interval(
    places: Counts, metric: Callable[[Counts], float], seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % CI of any metric by bootstrap over places.

    Args:
        places: `(P, ..., K, K)`, the counts of each place.
        metric: a function of the summed counts.
        seed: of the bootstrap.

    Returns:
        Low and high; both NaN with fewer than two places, or if all resamples have one value: the
        places do not show how much the metric varies.
    """
    low, high = confusion.bootstrap(places, metric, seed=seed)
    return (low, high) if low < high else UNKNOWN


def _right_and_wrong(places: Counts) -> Counts:
    """Return counts `(P, 2, 2)` of the same accuracies, for many places quicker to resample."""
    right = np.trace(places, axis1=1, axis2=2)
    out = np.zeros((len(places), 2, 2), np.int64)
    out[:, 0, 0], out[:, 0, 1] = right, places.sum(axis=(1, 2)) - right
    return out
