"""Pixel positions beyond the rim of a scene, reflected into it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def reflect(start: int, stop: int, length: int) -> NDArray[np.int64]:
    """Map positions `[start, stop)` into `[0, length)` by mirroring at the rim.

    The rim pixel itself is not repeated: -1 is 1 (as in numpy's `reflect`), over and over where
    the range is longer than the scene.

    Example:
        >>> reflect(-2, 6, length=4).tolist()
        [2, 1, 0, 1, 2, 3, 2, 1]
    """
    positions = np.arange(start, stop)
    if length == 1:
        return np.zeros_like(positions)
    period = 2 * (length - 1)
    positions = positions % period
    return np.minimum(positions, period - positions)
