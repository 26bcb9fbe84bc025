"""Options that several commands of `agri-segment` have in common."""

from pathlib import Path
from typing import Annotated

import typer
from agri_map.choices import EngineName, Precision

ENGINE = "Engine"
"""A panel of the help."""

Chips = Annotated[Path, typer.Option(help="Folder of the chip store (`agri-data chips`).")]
BatchSize = Annotated[
    int, typer.Option(min=1, help="Chips that are predicted at once.", rich_help_panel=ENGINE)
]
Engine = Annotated[EngineName, typer.Option(help="Runtime of the models.", rich_help_panel=ENGINE)]
Arithmetic = Annotated[
    Precision,
    typer.Option("--precision", help="bf16 needs openvino.", rich_help_panel=ENGINE),
]
Threads = Annotated[int, typer.Option(min=0, help="CPU threads; 0 = all.", rich_help_panel=ENGINE)]
