"""The target distribution of deep embedded clustering, for the full set, a batch at a time.

    p_ij = (q_ij² / f_j) / Σ_k (q_ik² / f_k),   f_j = Σ_i q_ij over ALL tiles

(Xie et al. 2016, equation 3).

One pass sums f, K numbers; then the target of any batch follows from its own q. Summing f over a
mini-batch instead is another objective: at K = 100 and 64 tiles the favourite cluster of 5 % of
the tiles differs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
# The smallest normal float64: keeps the log of an empty cluster's frequency finite (-708).
TINY = np.finfo(np.float64).tiny


class Frequencies:
    """The soft cluster frequencies f, `(K,)`, summed over batches in float64."""

    def __init__(self, clusters: int) -> None:
        self.total = np.zeros(clusters)

    def add(self, log_q: Doubles) -> None:
        """Add a batch of log soft assignments `(B, K)`."""
        # float64, as a sum over a million tiles loses digits in float32; every target is divided
        # by it.
        self.total += np.exp(log_q).sum(axis=0)


class MovingFrequencies:
    """Cluster shares `(K,)` that follow the batches: m of the last ones, 1 - m of the batch's.

    With m = 0 they are those of the batch alone, which is what pt-dec and ClustPy sharpen by; 0.9
    is the moving average of TEMI (Adaloglou et al. 2023).
    """

    def __init__(self, shares: Doubles, momentum: float) -> None:
        self.shares, self.momentum = shares, momentum

    def add(self, log_q: Doubles) -> Doubles:
        """Take in a batch `(B, K)` and return the shares."""
        own = np.exp(log_q).mean(axis=0)
        self.shares = self.momentum * self.shares + (1.0 - self.momentum) * own
        return self.shares


def sharpened(log_q: Doubles, frequencies: Doubles) -> Doubles:
    """Return the log target `(B, K)` of a batch, given the full set's frequencies `(K,)`.

    Example:
        >>> log_q = np.log([[0.8, 0.2], [0.6, 0.4]])
        >>> frequencies = Frequencies(2)
        >>> frequencies.add(log_q)
        >>> np.exp(sharpened(log_q, frequencies.total)).round(3).tolist()
        [[0.873, 0.127], [0.491, 0.509]]
    """
    # The square of q and the division by f of Xie et al. 2016, equation 3, in logarithms, where q²
    # cannot underflow.
    logits = 2.0 * log_q - np.log(np.maximum(frequencies, TINY))
    # Log-sum-exp with the row's maximum taken out: the largest term is exp(0), so that the sum
    # can neither overflow nor become 0.
    logits -= logits.max(axis=1, keepdims=True)
    return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))


def smoothed(labels: NDArray[np.int64], clusters: int, share: float = 0.1) -> Doubles:
    """Return labels `(B,)` as a distribution `(B, K)` that leaves `share` to all clusters alike.

    Example:
        >>> smoothed(np.array([1]), clusters=2, share=0.1).round(3).tolist()
        [[0.05, 0.95]]
    """
    # Label smoothing: hard 0/1 targets have no finite optimum, and drive the embedding ever
    # further away from all other centres.
    rows = np.full((len(labels), clusters), share / clusters)
    rows[np.arange(len(labels)), labels] += 1.0 - share
    return rows


def divergence(log_p: Doubles, log_q: Doubles) -> Doubles:
    """Return KL(P||Q) of each row, in nats, `(B,)`.

    Example:
        >>> divergence(np.log([[0.5, 0.5]]), np.log([[0.9, 0.1]])).round(3).tolist()
        [0.511]
    """
    # From log p and not from p: where p underflows to 0, its logarithm is still finite, and the
    # product is 0 and not NaN.
    return np.asarray((np.exp(log_p) * (log_p - log_q)).sum(axis=1))
