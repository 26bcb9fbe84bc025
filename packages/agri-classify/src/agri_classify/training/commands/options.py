"""Options shared by the training commands."""

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import INPUT, REPLACED, RESUMED

Chips = Annotated[Path, typer.Option(help="Folder of the chip store (`agri-data chips`).")]
Network = Annotated[
    str, typer.Option(help="compact, large, resnet18, resnet50, wide_resnet50_2 or mobilenet.")
]
Bands = Annotated[str, typer.Option(help="Bands by name, such as B04,B03,B02; all when empty.")]
Weights = Annotated[
    str, INPUT, typer.Option(help="Weights of the body: none, imagenet (downloads), or a file.")
]
Frozen = Annotated[bool, typer.Option(help="Train only the head; see --unfreeze-every.")]
Hidden = Annotated[
    int, typer.Option(min=0, help="Width of the hidden layer of the head; 0 = none.")
]
Dropout = Annotated[float, typer.Option(help="Dropout rate in the head.")]
Seen = Annotated[
    int, typer.Option(help="Mirrored and rotated views averaged at inference: 1, 2, 4 or 8.")
]
Report = Annotated[
    Path, REPLACED, typer.Option(help="Folder of the report; an earlier report is replaced.")
]
Runs = Annotated[
    Path,
    RESUMED,
    typer.Option(help="Folder of the training runs; interrupted studies resume here."),
]
Judged = Annotated[str, typer.Option(help="Split to evaluate on: test or val.")]


def words(text: str) -> tuple[str, ...]:
    """Split "a, b" into its words."""
    return tuple(word.strip() for word in text.split(",") if word.strip())
