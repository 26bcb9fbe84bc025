"""Assign other tiles to the clusters of a fitted clustering."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from agri_core.files.atomic import replacing_file
from agri_core.files.console import progress
from agri_core.files.errors import InputError

from agri_cluster.artifact.fitted import TABLE_COLUMNS, Fitted
from agri_cluster.artifact.save import columns, load_model
from agri_cluster.data.sources import open_tiles
from agri_cluster.data.tiles import BATCH, batches


def predict_to(folder: Path, chips: Path, out: Path, split: str | None = None) -> int:
    """Write a row per tile of `chips` to the CSV `out`; return how many there are.

    Raises:
        AgriError: there is no clustering or no tiles, or the tiles are not of the fit's shape.
    """
    fitted = Fitted.open(folder)
    scaling = fitted.info.get("scaling")
    if scaling is None or "alpha" not in fitted.info:
        raise InputError(f"{folder}/cluster.json lacks scaling or alpha; fit again")
    model = load_model(folder)
    tiles = open_tiles(chips, split=split, scaling=scaling)
    expected = tuple(model.input_shape[1:])
    if tiles.shape != expected:
        raise InputError(
            f"the clustering in {folder} was made of tiles {expected}, those of {chips} are "
            f"{tiles.shape}; cut chips of the same size and bands"
        )
    fitted.warn_dominated()
    width = tuple(model.output_shape)
    if len(width) != 2 or width[1] != fitted.centres.shape[1]:
        raise InputError(
            f"the model in {folder} gives {width}, its centres are of {fitted.centres.shape[1]} "
            "dimensions; the clustering is damaged, fit again"
        )
    alpha = float(fitted.info["alpha"])
    with (
        replacing_file(out) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as stream,
    ):
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(TABLE_COLUMNS)
        for indices, items in progress(batches(tiles), "predicting", -(-len(tiles) // BATCH)):
            z = np.asarray(model.predict_on_batch(items), np.float32)
            if not np.isfinite(z).all():
                raise InputError(f"the model in {folder} gives NaN or infinity; fit again")
            for i, line in zip(indices, columns(z, fitted.centres, alpha), strict=True):
                table.writerow((tiles.ids[i], *line))
    return len(tiles)
