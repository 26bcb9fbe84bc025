"""`agri-cluster predict`: the groups of tiles that were not there when it was fitted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import OUTPUT


def predict(
    folder: Annotated[Path, typer.Argument(help="The folder of `agri-cluster fit`.")],
    chips: Annotated[Path, typer.Argument(help="A chip store, or a folder of pictures.")],
    out: Annotated[Path, OUTPUT, typer.Option(help="The CSV to write.")],
    split: Annotated[
        str, typer.Option(help="Only the chips of a part: train, val or test; all when empty.")
    ] = "",
) -> None:
    """Write the group of each tile, with its confidence, margin and distance to the centre.

    Tiles are scaled by the numbers of the fit, not by their own.

    Example: agri-cluster predict data/cluster data/new-tiles --out new-groups.csv
    """
    from agri_core.files.console import say

    from agri_cluster.artifact.predict import predict_to

    count = predict_to(folder, chips, out, split or None)
    say(f"{count} tiles grouped in {out}")
