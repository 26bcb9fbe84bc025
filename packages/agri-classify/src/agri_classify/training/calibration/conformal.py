"""Conformal sets: the classes that remain possible at a nominal coverage."""

from __future__ import annotations

from math import ceil

import numpy as np
from agri_core.files.errors import InputError
from numpy.typing import NDArray

# One wrong set in a hundred; the promise needs at least 99 patches, see `rank` below.
NOMINAL = 0.99


def least_probability(
    probabilities: NDArray[np.floating], truth: NDArray[np.int64], nominal: float = NOMINAL
) -> float:
    """Return the threshold of sets that hold the true class with the chance `nominal`.

    A class is in the set when its probability reaches the threshold. It is chosen on patches that
    were not trained on (split conformal prediction, Vovk et al. 2005; these sets: Sadinle et al.
    2019, arXiv:1609.00451) and holds for patches of the same kind. 0 (all classes) where there
    are too few patches to promise as much.

    Example:
        >>> own = np.array([0.9, 0.8, 0.7, 0.6])
        >>> least_probability(np.column_stack([own, 1 - own]), np.zeros(4, np.int64), nominal=0.8)
        0.6
        >>> least_probability(np.column_stack([own, 1 - own]), np.zeros(4, np.int64), nominal=0.99)
        0.0
    """
    if not 0 < nominal < 1:
        raise InputError(f"the coverage of a conformal set is between 0 and 1, got {nominal}")
    # Falling order: the threshold is the probability that all but 1 % of true classes reach.
    own = np.sort(probabilities[np.arange(len(truth)), truth])[::-1]
    # n + 1 and not n: the new patch is one more draw, exchangeable with the n judged ones, which
    # makes the coverage hold for finite n. A rank above n cannot be met by any of them.
    rank = ceil((len(own) + 1) * nominal)
    return float(own[rank - 1]) if rank <= len(own) else 0.0
