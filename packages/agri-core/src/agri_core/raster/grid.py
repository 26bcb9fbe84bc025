"""Pixel grids: where the pixels of a raster lie."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from agri_core.files.errors import InputError

if TYPE_CHECKING:
    from rasterio.crs import CRS

NEAR = 1e-3
"""Grids that differ by less than this share of a pixel are one grid.

Writers round the six numbers of a transform; a thousandth of a pixel is far below any
resampling error and far above rounding."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A pixel grid.

    Attributes:
        crs: coordinate reference system, None for an image that is not georeferenced.
        transform: from (column, row) of a pixel corner to the coordinates of the CRS.
        height: rows.
        width: columns.

    Example:
        >>> grid = Grid(None, Affine(10, 0, 500, 0, -10, 900), height=20, width=30)
        >>> grid.shape, grid.bounds, grid.pixel
        ((20, 30), (500.0, 700.0, 800.0, 900.0), 10.0)
    """

    crs: CRS | None
    transform: Affine
    height: int
    width: int

    @classmethod
    def of(cls, dataset: Any) -> Grid:
        """Return the grid of an open raster."""
        return cls(dataset.crs, dataset.transform, dataset.height, dataset.width)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.height, self.width

    @property
    def corners(self) -> NDArray[np.float64]:
        """Ground x, y of the four outer corners, `(4, 2)`: upper left, lower left, ..., right."""
        col, row = np.array([0.0, 0, 1, 1]), np.array([0.0, 1, 0, 1])
        return np.column_stack(to_ground(self.transform, col * self.width, row * self.height))

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top of the four corners."""
        (left, bottom), (right, top) = self.corners.min(0).tolist(), self.corners.max(0).tolist()
        return left, bottom, right, top

    @property
    def pixel_size(self) -> tuple[float, float]:
        """Width and height of a pixel in units of the CRS."""
        a, b, _, d, e, _ = self.transform[:6]
        return math.hypot(a, d), math.hypot(b, e)

    @property
    def pixel(self) -> float:
        """Side of a pixel in units of the CRS (geometric mean)."""
        return math.sqrt(abs(self.transform.determinant))

    def same_as(self, other: Grid, share: float = NEAR) -> bool:
        """Whether both grids have the same pixels, up to a `share` of a pixel.

        Compared in pixels, so degrees and metres, rotated and sheared grids have one limit.

        Raises:
            InputError: one of the grids has pixels without area.
        """
        if self.shape != other.shape or self.crs != other.crs:
            return False
        for grid in (self, other):
            check_area(grid.transform)
        x, y = other.corners.T
        # Both transforms are affine: if the corners agree, in pixels of this grid, all pixels do.
        moved = np.column_stack(to_ground(~self.transform, x, y))
        own = np.column_stack(to_ground(~self.transform, *self.corners.T))
        return bool(np.abs(moved - own).max() < share)


def to_ground(transform: Affine, x: Any, y: Any) -> tuple[Any, Any]:
    """Apply a transform to numbers or arrays `x`, `y`.

    affine 2.4 only knows `transform * (x, y)`, from 3.0 on that is deprecated for `@`.

    Example:
        >>> to_ground(Affine(10, 0, 500, 0, -10, 900), 2, 3)
        (520.0, 870.0)
    """
    a, b, c, d, e, f = transform[:6]
    return a * x + b * y + c, d * x + e * y + f


def shifted(transform: Affine, row: float, col: float) -> Affine:
    """Return the transform of the window whose upper left pixel is `(row, col)`.

    Example:
        >>> transform_text(shifted(Affine(10, 0, 500, 0, -10, 900), row=2, col=1))
        '10.0 0.0 510.0 0.0 -10.0 880.0'
    """
    a, b, _, d, e, _ = transform[:6]
    x, y = to_ground(transform, col, row)
    return Affine(a, b, x, d, e, y)


def scaled(transform: Affine, across: float, down: float) -> Affine:
    """Return the transform of pixels that are `across` times as wide and `down` times as high.

    Example:
        >>> transform_text(scaled(Affine(10, 0, 500, 0, -10, 900), across=2, down=2))
        '20.0 0.0 500.0 0.0 -20.0 900.0'
    """
    a, b, c, d, e, f = transform[:6]
    return Affine(a * across, b * down, c, d * across, e * down, f)


def check_area(transform: Affine) -> None:
    """Refuse a transform whose pixels have no area.

    Raises:
        InputError: the transform is degenerate or not finite.
    """
    if not (np.isfinite(transform.determinant) and transform.determinant):
        raise InputError(
            f"its georeference has pixels without area: {transform_text(transform)}; georeference "
            "the file again"
        )


def crs_text(crs: Any) -> str:
    """Return "EPSG:32633", or WKT where there is no code, or "" where there is no CRS."""
    return str(crs.to_string()) if crs else ""


def transform_text(transform: Affine | None) -> str:
    """Return the six numbers "a b c d e f", exactly, or "" where there is no transform."""
    if transform is None:
        return ""
    return " ".join(repr(float(value)) for value in tuple(transform)[:6])
