"""`agri-cluster suggest-k`: a range for the number of clusters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import added

from agri_cluster.choices import MAX_SEED


def suggest_k(
    source: Annotated[
        Path, typer.Argument(help="A folder that 'fit' made, a chip store, or pictures.")
    ],
    out: Annotated[
        Path,
        added("suggestion.json", "curves.csv", "curves.png"),
        typer.Option(help="Folder for the chart and the curves."),
    ],
    min_clusters: Annotated[int, typer.Option(help="Fewest clusters to try, 2 or more.")] = 2,
    max_clusters: Annotated[int, typer.Option(help="Most clusters to try.")] = 20,
    n_components: Annotated[int, typer.Option(min=1, help="Principal components used.")] = 20,
    seed: Annotated[
        int, typer.Option(min=0, max=MAX_SEED, help="Seed of tiles, k-means and references.")
    ] = 0,
) -> None:
    """Suggest a number of clusters, by four rules and the range in which most of them agree.

    For a fitted clustering its embedding is used, which was trained for the number of clusters
    asked for; for tiles, the principal components of the band statistics. OUT gets
    suggestion.json, curves.csv and curves.png.

    Example: agri-cluster suggest-k data/tiles --max-clusters 30 --out reports/clusters
    """
    import numpy as np
    from agri_core.files.console import echo, warn

    from agri_cluster.evaluation.choose import spaced, suggest_k
    from agri_cluster.evaluation.suggestion import describe, open_rows, write_suggestion

    rng = np.random.default_rng(seed)
    rows = open_rows(source, n_components, rng)
    suggestion = suggest_k(rows, spaced(min_clusters, max_clusters), rng)
    write_suggestion(suggestion, out)
    for note in suggestion.warnings:
        warn(note)
    echo(describe(suggestion))
    echo(f"curves: {out / 'curves.png'}")
