"""`agri-cluster fit`: cluster tiles without labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from agri_core.choices import Split
from agri_core.files.commands import REPLACED
from agri_core.files.options import with_settings, words
from agri_core.files.params import params_option

from agri_cluster.choices import MAX_SEED
from agri_cluster.dec.settings import FitSettings


@with_settings(FitSettings)
def fit(
    chips: Annotated[Path, typer.Argument(help="A chip store, or a folder of pictures.")],
    *,
    out: Annotated[
        Path, REPLACED, typer.Option(help="Folder of the clustering; an earlier one is replaced.")
    ],
    params: Annotated[Path | None, params_option("cluster")] = None,
    bands: Annotated[
        str, typer.Option(help="Bands by name, such as B04,B03,B02; all when empty.")
    ] = "",
    split: Annotated[
        Split | None, typer.Option(help="Only the chips of a split; all by default.")
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=MAX_SEED, help="Seed of every random number.")
    ] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted run.")] = False,
    settings: dict[str, Any],
) -> None:
    """Cluster tiles by deep embedded clustering and write model, clusters and history to OUT.

    Labels are never used. Checkpoints of a running fit are kept next to OUT, so that --resume
    continues after an interruption.

    Example: agri-cluster fit data/tiles --n-clusters 12 --encoder convae --out data/cluster
    """
    from agri_core.files.console import echo

    from agri_cluster.fit import TileSource
    from agri_cluster.fit import fit as run_fit

    source = TileSource(chips, words(bands), split)
    info = run_fit(source, out, FitSettings(**settings), seed, resume)
    echo(
        f"{info['tiles']} tiles in {info['used']} of {settings['n_clusters']} clusters after "
        f"{info['n_iter']} steps ({info['stop_reason']}"
        f"{', dominated by one cluster' if info['balance']['dominated'] else ''})"
    )
    echo(f"next: agri-cluster report {out} {chips} --out reports/cluster")
