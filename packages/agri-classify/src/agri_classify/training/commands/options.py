"""Options that the commands which train have in common."""

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import OUTPUT

Chips = Annotated[Path, typer.Option(help="Folder of the chip store (`agri-data chips`).")]
Network = Annotated[
    str, typer.Option(help="compact, large, resnet18, resnet50, wide_resnet50_2 or mobilenet.")
]
Bands = Annotated[str, typer.Option(help="Bands by name, such as B04,B03,B02; all when empty.")]
Weights = Annotated[
    str, typer.Option(help="Weights of the body: none, imagenet (downloads), or a file.")
]
Frozen = Annotated[bool, typer.Option(help="Train the head alone; see --unfreeze-every.")]
Hidden = Annotated[int, typer.Option(min=0, help="Inner width of the head; 0 = none.")]
Dropout = Annotated[float, typer.Option(help="Share dropped in the head.")]
Seen = Annotated[
    int, typer.Option(help="Mirrored and turned copies averaged in use: 1, 2, 4 or 8.")
]
Report = Annotated[
    Path, OUTPUT, typer.Option(help="Folder of the report; an earlier one is replaced.")
]
Runs = Annotated[
    Path, OUTPUT, typer.Option(help="Folder of the trainings; a stopped study goes on in it.")
]
Judged = Annotated[str, typer.Option(help="Part that is judged: test or val.")]


def words(text: str) -> tuple[str, ...]:
    """Split "a, b" into its words."""
    return tuple(word.strip() for word in text.split(",") if word.strip())
