"""Squared distances to centres, and Student's t soft assignment from them, in numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


def squared_distances(z: NDArray[np.floating], centres: NDArray[np.floating]) -> Doubles:
    """Return squared Euclidean distances `(B, K)` of rows `(B, D)` to centres `(K, D)`.

    Example:
        >>> squared_distances(np.array([[3.0, 4.0]]), np.array([[0.0, 0.0], [3.0, 4.0]])).tolist()
        [[25.0, 0.0]]
    """
    # float64: |z|² + |c|² - 2 z.c cancels, and in float32 leaves no digit for rows far from the
    # origin.
    points, marks = np.asarray(z, np.float64), np.asarray(centres, np.float64)
    square = np.square(points).sum(1)[:, None] + np.square(marks).sum(1) - 2 * points @ marks.T
    # Rounding may leave -1e-16 for a row on its centre, whose root would be NaN.
    return np.asarray(np.maximum(square, 0.0))


def log_assignment(z: NDArray[np.floating], centres: NDArray[np.floating], alpha: float) -> Doubles:
    """Return log q `(B, K)` in float64: what the layer computes, for embeddings kept on disk.

    Example:
        >>> centres = np.array([[0.0], [2.0]])
        >>> np.exp(log_assignment(np.array([[0.0], [1.0]]), centres, alpha=1.0)).round(3).tolist()
        [[0.833, 0.167], [0.5, 0.5]]
    """
    logits = -0.5 * (alpha + 1.0) * np.log1p(squared_distances(z, centres) / alpha)
    # Log-sum-exp: without the row's maximum all exp() underflow when alpha is large and rows far.
    logits -= logits.max(axis=1, keepdims=True)
    return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))
