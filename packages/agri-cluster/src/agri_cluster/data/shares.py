"""Shares of the tiles in each cluster, and how many clusters they amount to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agri_cluster.data.tiles import Ints

Doubles = NDArray[np.float64]


def shares(labels: Ints, clusters: int) -> Doubles:
    """Return the share of tiles in each cluster, `(K,)`.

    Example:
        >>> shares(np.array([0, 0, 0, 2]), clusters=3).tolist()
        [0.75, 0.0, 0.25]
    """
    return np.bincount(labels, minlength=clusters) / max(len(labels), 1)


def perplexity(now: Doubles) -> float:
    """Return the perplexity of the shares `(K,)`: the effective number of clusters, 1 to K.

    Example:
        >>> round(perplexity(np.array([0.25, 0.25, 0.5, 0.0])), 3)
        2.828
    """
    # 0 log 0 is 0 in an entropy, but NaN in floating point; empty clusters are left out instead.
    held = now[now > 0]
    return float(np.exp(-(held * np.log(held)).sum()))
