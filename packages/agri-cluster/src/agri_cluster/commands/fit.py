"""`agri-cluster fit`: group tiles without labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from agri_core.files.commands import OUTPUT
from agri_core.files.params import fill_from, with_settings

from agri_cluster.settings import FitSettings


@with_settings(FitSettings)
def fit(
    chips: Annotated[Path, typer.Argument(help="A chip store, or a folder of pictures.")],
    *,
    out: Annotated[
        Path, OUTPUT, typer.Option(help="Folder of the grouping; an earlier one is replaced.")
    ],
    params: Annotated[
        Path | None,
        typer.Option(
            help="YAML file whose section `cluster` fills the options.",
            is_eager=True,
            callback=fill_from("cluster"),
        ),
    ] = None,
    bands: Annotated[
        str, typer.Option(help="Bands by name, such as B04,B03,B02; all when empty.")
    ] = "",
    split: Annotated[
        str, typer.Option(help="Only the chips of a part: train, val or test; all when empty.")
    ] = "",
    seed: Annotated[int, typer.Option(help="Every random number comes from it.")] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where a stopped run left off.")
    ] = False,
    settings: dict[str, Any],
) -> None:
    """Learn to describe tiles, group them, and write model, groups and their history to OUT.

    Labels are never looked at. The state of a running fit lies beside OUT, so that --resume goes on
    after a kill.

    Example: agri-cluster fit data/tiles --clusters 12 --encoder convae --out data/cluster
    """
    from agri_core.files.console import say

    from agri_cluster.fit import Source
    from agri_cluster.fit import fit as run_fit

    names = tuple(name.strip() for name in bands.split(",") if name.strip())
    source = Source(chips, names, split or None)
    info = run_fit(source, out, FitSettings(**settings), seed, resume)
    say(
        f"{info['tiles']} tiles in {info['used']} of {settings['clusters']} groups after "
        f"{info['n_iter']} steps ({info['stop_reason']})"
    )
    say(f"next: agri-cluster report {out} {chips} --out reports/cluster")
