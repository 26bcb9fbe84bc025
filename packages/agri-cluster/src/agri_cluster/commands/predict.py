"""`agri-cluster predict`: assign new tiles to the clusters of a fit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from agri_core.choices import Split
from agri_core.files.commands import OUTPUT


def predict(
    folder: Annotated[Path, typer.Argument(help="The folder of `agri-cluster fit`.")],
    chips: Annotated[Path, typer.Argument(help="A chip store, or a folder of pictures.")],
    out: Annotated[Path, OUTPUT, typer.Option(help="The CSV to write.")],
    split: Annotated[
        Split | None, typer.Option(help="Only the chips of a split; all by default.")
    ] = None,
) -> None:
    """Write the cluster of each tile, with its confidence, margin and distance to the centre.

    Tiles are scaled by the statistics of the fit, not by their own.

    Example: agri-cluster predict data/cluster data/new-tiles --out new-clusters.csv
    """
    from agri_core.files.console import echo

    from agri_cluster.artifact.predict import predict_to

    count = predict_to(folder, chips, out, split)
    echo(f"{count} tiles assigned to clusters in {out}")
