"""Fit the width and the sharpness of Student's kernel to the initial clusters.

    q_ij ~ (1 + REACH² d_ij² / m²)^(-(alpha + 1) / 2)

with m the median distance of a row to its nearest centre, which is the kernel of
`agri_cluster.dec.student` on an embedding divided by m / (REACH sqrt(alpha)). The gradient of
a row on a centre is then largest at half the median distance (d = sqrt(alpha)) and falls beyond,
so that rows between two centres, where the initial clusters err, do not dominate.

The exponent remains. DEC learns from the difference between a soft assignment and its sharpened
form: if nearly uniform, there is nothing to sharpen (alpha = 1 in a wide embedding of even
distances); if nearly hard, the target repeats the initial clusters, errors included (alpha = D - 1,
van der Maaten 2009). Half way, in logarithms, from the uniform 1/K to 1 lies a mean largest soft
label of K^(-1/2): 0.71 for 2 clusters, 0.32 for 10, 0.1 for 100. It grows with alpha.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agri_cluster.data.distances import log_assignment
from agri_cluster.init.initial import median_distance

# The kernel falls off where the distance is sqrt(alpha). The embedding is divided so that the
# median distance to the nearest centre is REACH of those units, beyond the kernel's core.
REACH = 2.0
# 20 halvings of a logarithmic range up to ln 2000 leave a relative error of 1e-5 in alpha, far
# below what the mean confidence of a sample can resolve.
BISECTIONS = 20
# Rows per block: their distances to 1000 centres take 33 MB in float64.
BLOCK = 4096

Rows = NDArray[np.floating]


def wanted_confidence(clusters: int) -> float:
    """Return the mean largest soft label to start from with K clusters, K^(-1/2).

    Example:
        >>> wanted_confidence(4), wanted_confidence(100)
        (0.5, 0.1)
    """
    return float(clusters**-0.5)


def mean_confidence(z: Rows, centres: Rows, alpha: float) -> float:
    """Return the mean over rows `(N, D)` of the largest soft label among centres `(K, D)`."""
    parts = [z[first : first + BLOCK] for first in range(0, len(z), BLOCK)]
    total = sum(float(np.exp(log_assignment(part, centres, alpha).max(1)).sum()) for part in parts)
    return total / len(z)


def fit_kernel(z: Rows, centres: Rows) -> tuple[float, float]:
    """Return alpha, from 1 to max(1, D - 1), and the divisor of the embedding.

    Alpha gives the wanted confidence, by bisection of its logarithm; it is clipped to 1 and D - 1.
    Where half of the rows or more lie on their centre, the median distance is 0 and the divisor 1.

    Args:
        z: rows of the embedding, `(N, D)`.
        centres: `(K, D)`.
    """
    unit = median_distance(z, centres) / REACH or 1.0
    wanted, low, high = wanted_confidence(len(centres)), 1.0, max(1.0, z.shape[1] - 1.0)

    def sharp_enough(alpha: float) -> bool:
        # Scale and alpha change together: d²/alpha stays the same for the median row, so that
        # alpha alone sets how steeply the soft labels fall, and confidence grows with it
        # steadily.
        wide = np.sqrt(alpha) / unit
        return mean_confidence(z * wide, centres * wide, alpha) >= wanted

    # Outside the range no alpha gives the wanted confidence; the nearer end is the best there is.
    if sharp_enough(low):
        high = low
    elif not sharp_enough(high):
        low = high
    for _ in range(BISECTIONS if low < high else 0):
        # Halved in logarithms: alpha is an exponent, and from 1 to 2 matters as much as from 50
        # to 100.
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if sharp_enough(middle) else (middle, high)
    # The upper end always satisfies `sharp_enough`, the lower one only at the start.
    return high, float(unit / np.sqrt(high))
