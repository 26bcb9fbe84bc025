"""`agri-cluster evaluate`: scores of a fitted clustering and of baselines on the same tiles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import added


def evaluate(
    fitted: Annotated[Path, typer.Argument(help="Folder that 'fit' made.")],
    chips: Annotated[Path, typer.Argument(help="The tiles it was fitted on.")],
    out: Annotated[
        Path,
        added("metrics.json", "table.csv", "table.md", "runs.csv"),
        typer.Option(help="Folder for the tables and metrics."),
    ],
    truth: Annotated[
        bool | None,
        typer.Option(help="Score against the chips' labels; by default if they have any."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each baseline.")] = 1,
    repeat: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="The same fit with another seed; repeatable."),
    ] = None,
    groups: Annotated[
        int | None, typer.Option(min=1, help="Also score the clusters merged into so many groups.")
    ] = None,
) -> None:
    """Compare a clustering with k-means, PCA, Ward, band statistics and UMAP on the same tiles.

    Labels of the chips are used only to score. A baseline that cannot be run is listed with the
    reason. OUT gets metrics.json, table.csv, table.md, runs.csv and, where labels
    are known, composition.csv.

    Example: agri-cluster evaluate data/cluster data/tiles --seeds 3 --out reports/cluster
    """
    import tempfile

    from agri_core.files.console import echo

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
        echo(write_evaluation(found, out))
    echo(f"\nevaluation: {out}")
