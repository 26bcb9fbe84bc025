"""How a map agrees with a reference raster on the same grid, from counts, block by block.

The reference must be independent of the map's training data for the score to mean anything; it
is not a design-based accuracy estimate unless the reference is a probability sample.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from agri_data import confusion as counts
from agri_data.errors import InputError
from agri_data.legend import IGNORE, Legend
from numpy.typing import NDArray
from rasterio.windows import Window

BLOCK = 128
"""Side of the square blocks, in pixels, that stand for "places" in the bootstrap interval."""


@dataclass(frozen=True, slots=True)
class Score:
    """Agreement of a map with its reference.

    Attributes:
        legend: the classes.
        blocks: `(N, K, K)` confusion counts, one a block, rows = reference.
    """

    legend: Legend
    blocks: NDArray[np.int64]

    @property
    def matrix(self) -> NDArray[np.int64]:
        """The whole map's confusion counts `(K, K)`."""
        total: NDArray[np.int64] = self.blocks.sum(0)
        return total

    def to_json(self) -> dict[str, Any]:
        """Return the figures; a class absent from both rasters is None."""
        cm = self.matrix
        low, high = counts.bootstrap(self.blocks, counts.mean_iou)
        share, best = counts.majority(cm)
        return {
            "pixels": int(cm.sum()),
            "miou": _number(counts.mean_iou(cm)),
            "miou_low": _number(low),
            "miou_high": _number(high),
            "accuracy": _number(counts.accuracy(cm)),
            "majority_accuracy": _number(share),
            "majority_class": self.legend.names[best],
            "kappa": _number(counts.kappa(cm)),
            "iou": dict(zip(self.legend.names, map(_number, counts.iou(cm)), strict=True)),
            "f1": dict(zip(self.legend.names, map(_number, counts.f1(cm)), strict=True)),
        }


def score_map(path: Path, reference: Path, legend: Legend) -> Score:
    """Count the agreement of the class map `path` with the raster `reference`.

    Pixels where either raster is 255 are left out.

    Raises:
        InputError: the grids differ, a raster holds other classes, or nothing can be compared.
    """
    with rasterio.open(path) as map_raster, rasterio.open(reference) as truth_raster:
        _check_same_grid(map_raster, truth_raster)
        blocks = []
        for window in _windows(map_raster.height, map_raster.width):
            truth = truth_raster.read(1, window=window)
            found = map_raster.read(1, window=window)
            truth = np.where(found == IGNORE, IGNORE, truth)
            blocks.append(counts.confusion(truth, found, len(legend)))
    kept = np.array([block for block in blocks if block.any()], np.int64)
    if not len(kept):
        raise InputError(f"{path} and {reference} have no pixel with data in common")
    return Score(legend, kept)


def _check_same_grid(first: Any, second: Any) -> None:
    for name in ("width", "height", "crs", "transform"):
        ours, theirs = getattr(first, name), getattr(second, name)
        same = ours.almost_equals(theirs) if name == "transform" else ours == theirs
        if not same:
            raise InputError(
                f"a map and its reference must lie on one grid: {first.name} has {name} "
                f"{ours!r}, {second.name} has {theirs!r}; warp the reference to the map's grid"
            )


def _windows(height: int, width: int) -> list[Window]:
    return [
        Window(col, row, min(BLOCK, width - col), min(BLOCK, height - row))
        for row in range(0, height, BLOCK)
        for col in range(0, width, BLOCK)
    ]


def _number(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None
