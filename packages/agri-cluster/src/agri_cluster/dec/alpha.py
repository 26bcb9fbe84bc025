"""Student's kernel, fitted to the first grouping: how wide the embedding is, and how sharp.

    q_ij ~ (1 + REACH² d_ij² / m²)^(-(alpha + 1) / 2)

with m the median distance of a row to its nearest centre, which is the kernel of
`agri_cluster.dec.student` on an embedding divided by m / (REACH sqrt(alpha)). A row then pulls
hardest on a centre at half the usual distance (d = sqrt(alpha)), and the less the farther it lies
beyond, so that rows between two centres, where the first grouping errs, do not lead.

What is left is the exponent. DEC learns from the gap between a soft assignment and its sharpened
form: nearly uniform, there is nothing to sharpen (alpha = 1 in a wide embedding of even distances);
nearly hard, the target is the first grouping again, mistakes included (alpha = D - 1, van der
Maaten 2009). Half way, in logarithms, from the 1/K of knowing nothing to 1 lies a mean largest
soft label of K^(-1/2): 0.71 for 2 clusters, 0.32 for 10, 0.1 for 100. It grows with alpha.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agri_cluster.data.distances import log_assignment
from agri_cluster.init.starts import spacing

REACH = 2.0
HALVINGS = 20
BLOCK = 4096

Rows = NDArray[np.floating]


def wanted_confidence(clusters: int) -> float:
    """Return the mean largest soft label to start from with K clusters, K^(-1/2)."""
    return float(clusters**-0.5)


def mean_confidence(z: Rows, centres: Rows, alpha: float) -> float:
    """Return the mean over rows `(N, D)` of the largest soft label among centres `(K, D)`."""
    parts = [z[first : first + BLOCK] for first in range(0, len(z), BLOCK)]
    total = sum(float(np.exp(log_assignment(part, centres, alpha).max(1)).sum()) for part in parts)
    return total / len(z)


def fit_kernel(z: Rows, centres: Rows) -> tuple[float, float]:
    """Return alpha, from 1 to max(1, D - 1), and what the embedding is to be divided by.

    Alpha gives the wanted confidence, found by halving an interval of its logarithm; it is 1 or
    D - 1 where that lies beyond them. Where half of the rows or more lie on their centre, nothing
    is known of distances, and the divisor is 1.

    Args:
        z: rows of the embedding, `(N, D)`.
        centres: `(K, D)`.
    """
    unit = spacing(z, centres) / REACH or 1.0
    wanted, low, high = wanted_confidence(len(centres)), 1.0, max(1.0, z.shape[1] - 1.0)

    def sure(alpha: float) -> bool:
        wide = np.sqrt(alpha) / unit
        return mean_confidence(z * wide, centres * wide, alpha) >= wanted

    if sure(low):
        high = low
    elif not sure(high):
        low = high
    for _ in range(HALVINGS if low < high else 0):
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if sure(middle) else (middle, high)
    return high, float(unit / np.sqrt(high))
