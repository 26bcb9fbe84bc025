"""The grid of a scene: that of its finest file, of a named band, or of a given pixel."""

from __future__ import annotations

import math
from collections.abc import Mapping

from agri_core.files.errors import InputError
from agri_core.raster.facts import Facts
from agri_core.raster.grid import NEAR, Grid, scaled
from rasterio.transform import Affine


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
            band: Grid(facts.crs, facts.transform or Affine.identity(), *facts.shape)
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
    finest = min(grids.values(), key=lambda grid: math.prod(grid.pixel_size))
    if resolution == "finest":
        return finest
    if isinstance(resolution, str):
        if resolution not in grids:
            raise InputError(
                f"'resolution' is the band {resolution!r}, which this scene lacks; it has "
                f"{', '.join(band for band in grids if band) or 'one file of all bands'}"
            )
        return grids[resolution]
    width, height = finest.pixel_size
    # NEAR: a size that divides the grid except for rounding must not add a row or column.
    rows = math.ceil(finest.height * height / resolution - NEAR)
    cols = math.ceil(finest.width * width / resolution - NEAR)
    transform = scaled(finest.transform, resolution / width, resolution / height)
    return Grid(finest.crs, transform, max(rows, 1), max(cols, 1))


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


def _nested(facts: Facts, finest: Facts) -> Grid:
    rows, cols = (big / small for big, small in zip(finest.shape, facts.shape, strict=True))
    if rows != cols or rows != int(rows):
        raise InputError(
            f"{facts.name} is {facts.shape[0]}x{facts.shape[1]} pixels and {finest.name} "
            f"{finest.shape[0]}x{finest.shape[1]}; without a georeference their sizes must be "
            "whole multiples"
        )
    return Grid(None, Affine.scale(rows), *facts.shape)
