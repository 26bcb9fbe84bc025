"""The unit of pixel values, guessed from their type and size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from agri_core.bands import Unit

REFLECTANCE_LIMIT = 4.0
"""Real numbers whose 99th percentile is below it are reflectance.

Reflectance of snow and of sun glint reaches about 1.5; digital numbers (10 000 a unit of
reflectance) have their 99th percentile in the hundreds even over water."""

PERCENTILE = 99
"""Not the largest value: a single saturated or damaged pixel must not decide."""


def guess_unit(values: NDArray[Any], dtype: np.dtype[Any]) -> Unit:
    """Guess the unit of values: 8-bit numbers, digital numbers, or reflectance about 0 to 1.

    Args:
        values: valid ones; those that are not finite are left out. Real numbers, none of them
            known, count as reflectance.
        dtype: of the raster.
    """
    if dtype == np.uint8:
        return "uint8"
    if dtype.kind in "iu":
        return "dn"
    known = values[np.isfinite(values)]
    if not known.size or np.percentile(known, PERCENTILE) < REFLECTANCE_LIMIT:
        return "reflectance"
    return "dn"
