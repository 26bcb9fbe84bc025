"""Agreement of a map with a reference raster on the same grid, from counts, block by block.

The reference must be independent of the map's training data for the score to mean anything; it
is not a design-based accuracy estimate unless the reference is a probability sample.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from agri_core import confusion as counts
from agri_core.evaluation.evaluation import Evaluation
from agri_core.files.errors import InputError
from agri_core.legend import IGNORE
from agri_core.raster.grid import Grid
from rasterio.windows import Window

from agri_map.maps.mapfile import open_map, read_codes, read_legend

BLOCK = 128
"""Side in pixels of the square blocks, the places that the bootstrap interval resamples."""


SCORES = (
    "pixels", "miou", "miou_low", "miou_high", "accuracy", "majority_accuracy", "majority_class",
    "kappa", "iou", "f1",
)  # fmt: skip
"""What the file of a score holds, in its order."""


def score_map(path: Path, reference: Path) -> Evaluation:
    """Count the agreement of the class map `path` with the class raster `reference`.

    Pixels where either raster is 255 are left out.

    Raises:
        InputError: the grids differ, the reference holds other classes, or nothing can be compared.
    """
    with open_map(path) as map_raster, open_map(reference) as truth_raster:
        legend = read_legend(map_raster)
        _check_same_grid(map_raster, truth_raster)
        blocks = []
        for window in _windows(map_raster.height, map_raster.width):
            truth = read_codes(truth_raster, window)
            found = read_codes(map_raster, window)
            truth[found == IGNORE] = IGNORE
            blocks.append(counts.confusion(truth, found, len(legend)))
    kept = np.array([block for block in blocks if block.any()], np.int64)
    if not len(kept):
        raise InputError(f"{path} and {reference} have no pixel with data in common")
    return Evaluation(legend, reference.stem, kept, f"block of {BLOCK} pixels")


def to_json(score: Evaluation) -> dict[str, Any]:
    """Return the figures; a class absent from both rasters is None."""
    return {name: score.scores[name] for name in SCORES}


def to_text(score: Evaluation) -> str:
    """Return the figures as a table to print."""
    figures = score.scores
    low, high = figures["miou_low"], figures["miou_high"]
    interval = f" (95 % CI {low:.3f} to {high:.3f} over blocks)" if low is not None else ""
    lines = [f"{'class':<16}{'IoU':>8}{'F1':>8}"]
    lines += [
        f"{name:<16}{_show(figures['iou'][name]):>8}{_show(figures['f1'][name]):>8}"
        for name in score.legend.names
    ]
    lines += [
        f"mean IoU {_show(figures['miou'])}{interval}",
        f"accuracy {_show(figures['accuracy'])}, always {figures['majority_class']} would score "
        f"{_show(figures['majority_accuracy'])}; kappa {_show(figures['kappa'])}; "
        f"{figures['pixels']:,} pixels",
    ]
    return "\n".join(lines)


def _check_same_grid(first: Any, second: Any) -> None:
    if Grid.of(first).same_as(Grid.of(second)):
        return
    for name in ("width", "height", "crs", "transform"):
        ours, theirs = getattr(first, name), getattr(second, name)
        if ours != theirs:
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


def _show(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.3f}"
