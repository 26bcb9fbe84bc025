"""Wider values to 8 bits, for models that were trained on 8-bit pictures."""

import math
from typing import Any

import numpy as np
from agri_core.files.errors import InputError
from numpy.typing import NDArray

EUROSAT = 2750.0
"""The digital number that became 255 in the pictures of EuroSAT."""


def to_bytes(
    values: NDArray[Any], scale: float, valid: NDArray[np.bool_] | None = None
) -> NDArray[np.uint8]:
    """Map 0 to `scale` linearly to 0 to 255, clipped, halves rounded up (as `gdal_translate` does).

    Args:
        values: Any real dtype.
        scale: The value that becomes 255.
        valid: Of a shape that broadcasts to that of `values`; what is not valid becomes 0.

    Example:
        >>> to_bytes(np.array([0, 1375, 2750, 9000]), scale=EUROSAT).tolist()
        [0, 128, 255, 255]
    """
    wide = values.astype(np.float32)
    if valid is not None:
        np.copyto(wide, 0, where=~valid)
    np.clip(wide, 0, scale, out=wide)
    wide *= 255
    wide /= np.float32(scale)
    # astype cuts off, so a half more rounds halves up.
    wide += 0.5
    return wide.astype(np.uint8)


def check_scale(scale: float, dtype: np.dtype[Any], where: object) -> None:
    """Refuse a scale that is no positive number, or for values that have 8 bits already."""
    if not 0 < scale < math.inf:
        raise InputError(f"scale must be above 0, for example {EUROSAT:g}, got {scale:g}")
    if dtype == np.uint8:
        raise InputError(f"{where} has 8-bit values already; leave the scale out")
