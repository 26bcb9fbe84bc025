"""The groups of other tiles by a fitted clustering."""

from __future__ import annotations

from pathlib import Path

from agri_data.atomic import replacing_file
from agri_data.console import progress
from agri_data.csvfile import csv_text
from agri_data.errors import InputError

from agri_cluster.fitted import Fitted
from agri_cluster.save import HEADER, assignments, load_model
from agri_cluster.sources import open_tiles
from agri_cluster.tiles import BATCH


def predict_to(folder: Path, chips: Path, out: Path, split: str | None = None) -> int:
    """Write a row per tile of `chips` to the CSV `out`; return how many there are.

    Raises:
        AgriError: there is no clustering or no tiles, or the tiles are not of the fit's shape.
    """
    fitted = Fitted.open(folder)
    model = load_model(folder)
    tiles = open_tiles(chips, split=split, scaling=fitted.info["scaling"])
    expected = tuple(model.input_shape[1:])
    if tiles.shape != expected:
        raise InputError(
            f"the clustering in {folder} was made of tiles {expected}, those of {chips} are "
            f"{tiles.shape}; cut chips of the same size and bands"
        )
    made = assignments(model, tiles, fitted.centres, float(fitted.info["alpha"]))
    with replacing_file(out) as beside, beside.open("w", encoding="utf-8") as stream:
        stream.write(csv_text(HEADER, []))
        for indices, _, rows in progress(made, "grouping", -(-len(tiles) // BATCH)):
            named = ([tiles.ids[i], *row] for i, row in zip(indices, rows, strict=True))
            stream.write(csv_text((), named).lstrip("\n"))
    return len(tiles)
