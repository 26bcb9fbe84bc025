"""`agri-cluster evaluate`: a fitted clustering beside plain ways to group the same tiles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import OUTPUT


def evaluate(
    fitted: Annotated[Path, typer.Argument(help="Folder that 'fit' made.")],
    chips: Annotated[Path, typer.Argument(help="The tiles it was fitted on.")],
    out: Annotated[Path, OUTPUT, typer.Option(help="Folder for the table and the figures.")],
    truth: Annotated[
        bool | None,
        typer.Option(help="Score by the chips' labels; by default when they have any."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each baseline.")] = 1,
    repeat: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="The same fit with another seed; several times."),
    ] = None,
    groups: Annotated[
        int | None, typer.Option(min=1, help="Merge the clusters into so many as well.")
    ] = None,
) -> None:
    """Score a clustering beside k-means, PCA, Ward, band statistics and UMAP on the same tiles.

    Labels of the chips are used to score and for nothing else. A baseline that cannot be run is
    named with the reason. OUT gets metrics.json, table.csv, table.md, runs.csv and, where labels
    are known, composition.csv.

    Example: agri-cluster evaluate data/cluster data/tiles --seeds 3 --out reports/cluster
    """
    import tempfile

    from agri_core.files.console import say

    from agri_cluster.artifact.fitted import Fitted
    from agri_cluster.data.sources import open_tiles
    from agri_cluster.data.truth import find_truth
    from agri_cluster.evaluation.evaluation import evaluate as run_evaluation
    from agri_cluster.evaluation.evaluation import matching
    from agri_cluster.evaluation.evaluation_report import write_evaluation

    clustering = Fitted.open(fitted)
    tiles = matching(clustering, open_tiles(chips, scaling=clustering.info.get("scaling")))
    with tempfile.TemporaryDirectory(prefix="agri-cluster-") as folder:
        found = run_evaluation(
            clustering, tiles, Path(folder),
            truth=find_truth(chips, tiles.ids, truth),
            seeds=seeds, repeats=[Fitted.open(path) for path in repeat or ()], groups=groups,
        )  # fmt: skip
        say(write_evaluation(found, out))
    say(f"\nevaluation: {out}")
