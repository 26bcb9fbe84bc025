"""`agri-cluster report`: one page that shows what is in each cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import added
from agri_core.files.console import echo

from agri_cluster.choices import MAX_SEED

PAGE = "report.html"


def report(
    fitted: Annotated[Path, typer.Argument(help="Folder that 'fit' made.")],
    chips: Annotated[Path, typer.Argument(help="The tiles it was fitted on.")],
    out: Annotated[
        Path, added("report.html"), typer.Option(help="Folder for the page, pictures and tables.")
    ],
    names: Annotated[
        Path | None, typer.Option(help="Names of clusters, as 'select' takes them.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Draws the tiles to show.")] = 0,
    tsne: Annotated[bool, typer.Option(help="Draw the map of the tiles, which is slow.")] = True,
) -> None:
    """Show the clusters on one page: their tiles, spectra, sizes, similarity and training.

    The page opens without a network. Where 'evaluate' has left its table in OUT, the page has it.

    Example: agri-cluster report models/cluster data/tiles --out reports/cluster
    """
    import numpy as np
    from agri_core.files.atomic import adding_files

    from agri_cluster.artifact.fitted import Fitted
    from agri_cluster.data.pictures import open_source
    from agri_cluster.evaluation.scoreboard import read_scoreboard
    from agri_cluster.report.page import page
    from agri_cluster.report.report import WRITTEN, make_report
    from agri_cluster.selection.naming import check_names, read_names

    clustering, source, board = Fitted.open(fitted), open_source(chips), read_scoreboard(out)
    given = {}
    if names is not None:
        sizes = np.bincount(clustering.labels, minlength=clustering.clusters)
        given = read_names(names)
        check_names(given, sizes, str(names))
    with adding_files(out, retired=WRITTEN) as folder:
        found = make_report(clustering, source, folder, names=given, seed=seed, tsne=tsne)
        (folder / PAGE).write_text(page(found, board), encoding="utf-8")
    clustering.warn_dominated()
    size = (out / PAGE).stat().st_size / 1e6
    echo(f"wrote {out / PAGE}: {len(found.groups)} clusters on one page of {size:.1f} MB")
