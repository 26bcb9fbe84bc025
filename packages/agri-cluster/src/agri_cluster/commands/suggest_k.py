"""`agri-cluster suggest-k`: how many groups there may be."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import OUTPUT


def suggest_k(
    source: Annotated[
        Path, typer.Argument(help="A folder that 'fit' made, a chip store, or pictures.")
    ],
    out: Annotated[Path, OUTPUT, typer.Option(help="Folder for the chart and the curves.")],
    least: Annotated[int, typer.Option(help="Fewest groups to try, 2 or more.")] = 2,
    most: Annotated[int, typer.Option(help="Most groups to try.")] = 20,
    parts: Annotated[int, typer.Option(min=1, help="Principal components to look at.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Draws tiles, starts and references.")] = 0,
) -> None:
    """Suggest a number of groups, by four rules and the range in which most of them agree.

    Of a fitted clustering its embedding is looked at, which has been trained to fall into as many
    groups as were asked for; of tiles, the principal components of the bands' statistics. OUT gets
    suggestion.json, curves.csv and curves.png.

    Example: agri-cluster suggest-k data/tiles --most 30 --out reports/groups
    """
    import numpy as np
    from agri_core.files.console import say, warn

    from agri_cluster.evaluation.choose import spaced, suggest_k
    from agri_cluster.evaluation.suggestion import describe, open_rows, write_suggestion

    rng = np.random.default_rng(seed)
    rows = open_rows(source, parts, rng)
    suggestion = suggest_k(rows, spaced(least, most), rng)
    write_suggestion(suggestion, out)
    for note in suggestion.warnings:
        warn(note)
    say(describe(suggestion))
    say(f"curves: {out / 'curves.png'}")
