"""`agri-data select`: the choice of pieces of imagery to annotate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import REPLACED


def select(
    source: Annotated[Path, typer.Argument(help="A description (.yaml) of the imagery.")],
    out: Annotated[
        Path, REPLACED, typer.Option(help="Folder for the pieces; an earlier one is replaced.")
    ],
    count: Annotated[int, typer.Option(help="Pieces to choose.")] = 48,
    size: Annotated[int, typer.Option(help="Side of a piece in pixels.")] = 128,
    valid: Annotated[float, typer.Option(help="Least share of pixels with data.")] = 0.9,
    groups: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="chip_id,group: the groups alternate (clusters)."),
    ] = None,
    chosen: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            help="chip_id: exactly these pieces in this order (`agri-cluster select`).",
        ),
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help="Folder or .zip with the data, instead of its 'root'.")
    ] = None,
) -> None:
    """Choose pieces of imagery for annotation that differ as much as possible.

    OUT/pictures holds them in natural colour, for an annotation tool; OUT/images holds all bands,
    for `agri-data drawn`. Labels of the source are not looked at.

    Example: agri-data select data/scenes/source.yaml --count 48 --size 128 --out data/select

    Example: agri-data select source.yaml --chosen chosen.csv --size 64 --out data/select
    """
    from agri_core.files.console import echo

    from agri_data.annotation.pieces import SelectionRequest, select_pieces
    from agri_data.annotation.select import read_chosen, read_groups

    by_group = read_groups(groups) if groups else None
    listed = read_chosen(chosen) if chosen else None
    request = SelectionRequest(len(listed) if listed else count, size, valid, by_group, listed)
    total = select_pieces(source, out, request, root)
    number = f"{total}" if listed else f"{min(count, total)} of {total}"
    echo(f"{number} pieces chosen; draw on the pictures in {out}/pictures")
