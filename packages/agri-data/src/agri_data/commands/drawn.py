"""`agri-data drawn`: pieces and the masks of drawings become a source of chips."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import OUTPUT


def drawn(
    selected: Annotated[Path, typer.Argument(help="The folder of `agri-data select`.")],
    masks: Annotated[Path, typer.Argument(help="A folder with masks.csv and classes.json.")],
    out: Annotated[Path, OUTPUT, typer.Option(help="The description to write, a .yaml.")],
) -> None:
    """Describe the pieces that were drawn on, so that `agri-data chips` reads them.

    Example: agri-data drawn data/select data/annotate/drawn --out data/annotate/source.yaml
    """
    from agri_core.files.console import echo

    from agri_data.annotation.drawn import describe_drawn

    count = describe_drawn(selected, masks, out)
    echo(f"{count} pieces with drawings in {out}; next: agri-data chips {out}")
