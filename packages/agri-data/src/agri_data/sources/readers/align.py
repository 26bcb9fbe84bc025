"""One grid for the bands of a scene: where the grid is, and reading any file onto it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from agri_core.files.errors import InputError
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from agri_data.sources.readers.raster import Facts

NEAR = 1e-3
"""Grids whose corners differ by less than this share of a pixel are the same grid."""

TOLERANCE = 0.01
"""Largest error of a position in source pixels when warping between CRSs."""

# Any CRS serves where files have none: source and target are the same, so nothing is projected.
_PLANE = CRS.from_epsg(3857)


@dataclass(frozen=True, slots=True)
class Grid:
    """A pixel grid: `shape` is `(height, width)`, `transform` maps (col, row) to the ground."""

    crs: Any
    transform: Affine
    shape: tuple[int, int]

    def corners(self) -> list[tuple[float, float]]:
        """Ground coordinates of the four outer corners."""
        height, width = self.shape
        return [self.transform * (x, y) for x in (0, width) for y in (0, height)]

    def matches(self, other: Grid) -> bool:
        """Whether both grids have the same pixels, up to `NEAR` of a pixel."""
        if self.shape != other.shape or self.crs != other.crs:
            return False
        limit = NEAR * max(pixel_size(self.transform))
        pairs = zip(self.corners(), other.corners(), strict=True)
        return all(math.dist(a, b) <= limit for a, b in pairs)


def pixel_size(transform: Affine) -> tuple[float, float]:
    """Return the width and height of a pixel in units of the CRS."""
    return math.hypot(transform.a, transform.d), math.hypot(transform.b, transform.e)


def place(files: Mapping[str, Facts]) -> dict[str, Grid]:
    """Return the grid of each file of a scene.

    Files without any georeference are taken to cover the same ground, so their sizes must be
    whole multiples of each other.

    Raises:
        InputError: some files have a georeference and some have none, or sizes do not nest.
    """
    bare = [facts for facts in files.values() if facts.transform is None]
    if not bare:
        return {
            band: Grid(facts.crs, facts.transform or Affine.identity(), facts.shape)
            for band, facts in files.items()
        }
    if len(bare) < len(files):
        raise InputError(
            f"{bare[0].name} has no georeference, other files of its scene have one; give it one"
        )
    finest = max(files.values(), key=lambda facts: facts.shape)
    return {band: _nested(facts, finest) for band, facts in files.items()}


def common_grid(grids: Mapping[str, Grid], resolution: str | float) -> Grid:
    """Return the grid of a scene: that of the finest file, of a named band, or of a given pixel.

    Raises:
        InputError: `resolution` names no band of the scene.
    """
    finest = min(grids.values(), key=lambda grid: math.prod(pixel_size(grid.transform)))
    if resolution == "finest":
        return finest
    if isinstance(resolution, str):
        if resolution not in grids:
            raise InputError(
                f"'resolution' is 'finest', a size, or one of {', '.join(grids)}; "
                f"got {resolution!r}"
            )
        return grids[resolution]
    width, height = pixel_size(finest.transform)
    scale = Affine.scale(resolution / width, resolution / height)
    rows = math.ceil(finest.shape[0] * height / resolution - NEAR)
    cols = math.ceil(finest.shape[1] * width / resolution - NEAR)
    return Grid(finest.crs, finest.transform * scale, (max(rows, 1), max(cols, 1)))


def check_alignable(grid: Grid, other: Grid, warp: bool, where: str) -> None:
    """Refuse a file in another CRS unless warping was asked for.

    Raises:
        InputError: the CRS differs and `warp` is False, or there is only one to warp between.
    """
    if grid.crs == other.crs:
        return
    if not grid.crs or not other.crs:
        raise InputError(f"{where} lacks a coordinate reference system that its scene has; add it")
    if not warp:
        raise InputError(
            f"{where} is in {other.crs.to_string()}, its scene is in {grid.crs.to_string()}; "
            "write 'align: warp' to bring it to the scene's grid"
        )


class Reader:
    """Reads windows of one open raster on the grid of its scene."""

    def __init__(self, source: Any, covers: bool) -> None:
        """Read from `source`; its last band is alpha (coverage) unless it `covers` the grid."""
        self._source, self._covers = source, covers

    def read(
        self, row: int, col: int, shape: tuple[int, int], bands: Sequence[int]
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return a window `(H, W, C)` of `bands` (0-based), and where the file covers it `(H, W)`.

        Whether covered pixels hold data is another matter: see the "no data" value.
        """
        window = Window(col, row, shape[1], shape[0])
        indexes = [band + 1 for band in bands]
        if self._covers:
            values = self._source.read(indexes, window=window)
            return np.moveaxis(values, 0, -1), np.ones(shape, np.bool_)
        values = self._source.read([*indexes, self._source.count], window=window)
        return np.moveaxis(values[:-1], 0, -1), values[-1] > 0


@contextmanager
def on_grid(
    dataset: Any, own: Grid, grid: Grid, resampling: str, nodata: float | None
) -> Iterator[Reader]:
    """Yield a reader of `dataset` on `grid`, warped lazily where it is on another grid.

    "No data" takes no part in interpolation: weights are those of the valid neighbours alone, so
    zeros beside a scene's edge do not darken it.
    """
    if own.matches(grid):
        yield Reader(dataset, covers=True)
        return
    floating = np.issubdtype(np.dtype(dataset.dtypes[0]), np.floating)
    empty = float("nan") if nodata is None and floating else nodata
    with WarpedVRT(
        dataset,
        src_crs=own.crs or _PLANE,
        src_transform=own.transform,
        crs=grid.crs or _PLANE,
        transform=grid.transform,
        width=grid.shape[1],
        height=grid.shape[0],
        resampling=Resampling[resampling],
        src_nodata=empty,
        nodata=empty,
        add_alpha=empty is None,
        tolerance=TOLERANCE,
        UNIFIED_SRC_NODATA="NO",
    ) as view:
        yield Reader(view, covers=empty is not None)


def _nested(facts: Facts, finest: Facts) -> Grid:
    rows, cols = (big / small for big, small in zip(finest.shape, facts.shape, strict=True))
    if rows != cols or rows != int(rows):
        raise InputError(
            f"{facts.name} is {facts.shape[0]}x{facts.shape[1]} pixels and {finest.name} "
            f"{finest.shape[0]}x{finest.shape[1]}; without a georeference their sizes must be "
            "whole multiples"
        )
    return Grid(None, Affine.scale(rows), facts.shape)
