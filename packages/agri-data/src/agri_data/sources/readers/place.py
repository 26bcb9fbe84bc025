"""Where imagery lies on the ground: CRS text, six transform numbers, pixel size in metres."""

from __future__ import annotations

import math
from typing import Any

from agri_core.files.errors import InputError
from rasterio.transform import Affine

METRES_PER_DEGREE = 111_320.0
"""Length of a degree of latitude, and of longitude at the equator, in metres (mean sphere)."""


def crs_text(crs: Any) -> str:
    """Return "EPSG:32633", or WKT where there is no code, or "" where there is no CRS."""
    return str(crs.to_string()) if crs else ""


def transform_text(transform: Affine | None) -> str:
    """Return the six numbers "a b c d e f", exactly, or "" where there is no transform."""
    if transform is None:
        return ""
    return " ".join(repr(float(value)) for value in tuple(transform)[:6])


def shifted(transform: Affine, row: int, col: int) -> Affine:
    """Return the transform of the window whose upper left pixel is `(row, col)`."""
    return transform * Affine.translation(col, row)


def pixel_metres(crs: Any, transform: Affine, shape: tuple[int, int]) -> float | None:
    """Return the mean ground size of a pixel in metres, None without a CRS.

    In degrees it is taken at the centre of the image: the square root of width times height.

    Raises:
        InputError: the transform is degenerate.
    """
    if not crs:
        return None
    area = abs(transform.determinant)
    if not area > 0:
        raise InputError(f"the transform {transform_text(transform)} maps pixels to no area")
    if crs.is_geographic:
        _, latitude = transform * (shape[1] / 2, shape[0] / 2)
        return math.sqrt(area * math.cos(math.radians(latitude))) * METRES_PER_DEGREE
    return math.sqrt(area) * float(crs.linear_units_factor[1])
