"""Where the pixels of a raster lie."""

import math
from dataclasses import dataclass

from affine import Affine
from rasterio.crs import CRS
from rasterio.io import DatasetReader


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the pixels of a raster lie; `crs` is None for an image that is not georeferenced."""

    crs: CRS | None
    transform: Affine
    height: int
    width: int

    @classmethod
    def of(cls, dataset: DatasetReader) -> "Grid":
        """Take the grid of an open raster."""
        return cls(dataset.crs, dataset.transform, dataset.height, dataset.width)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top of the four corners."""
        a, b, c, d, e, f = self.transform[:6]
        ends = [(x, y) for x in (0, self.width) for y in (0, self.height)]
        xs = [a * x + b * y + c for x, y in ends]
        ys = [d * x + e * y + f for x, y in ends]
        return min(xs), min(ys), max(xs), max(ys)

    @property
    def pixel(self) -> float:
        """Side of a pixel in units of the CRS (geometric mean)."""
        return math.sqrt(abs(self.transform.determinant))
