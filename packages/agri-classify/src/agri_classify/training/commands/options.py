"""Options shared by the training commands."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import INPUT, REPLACED, RESUMED

from agri_classify.choices import MAX_HIDDEN, Evaluated, NetworkName

Chips = Annotated[Path, typer.Option(help="Folder of the chip store (`agri-data chips`).")]
Network = Annotated[
    NetworkName, typer.Option(help="The network; compact and large are for small patches.")
]
Bands = Annotated[str, typer.Option(help="Bands by name, such as B04,B03,B02; all when empty.")]
Report = Annotated[
    Path, REPLACED, typer.Option(help="Folder of the report; an earlier report is replaced.")
]
Runs = Annotated[
    Path,
    RESUMED,
    typer.Option(help="Folder of the training runs; interrupted studies resume here."),
]
Judged = Annotated[Evaluated, typer.Option(help="Split to evaluate on.")]


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """Options of the network, its head and its inference; the fields of `Plan` of these names."""

    weights: Annotated[
        str, INPUT, typer.Option(help="Weights of the body: none, imagenet (downloads), or a file.")
    ] = "none"
    frozen: Annotated[bool, typer.Option(help="Train only the head; see --unfreeze-every.")] = False
    hidden: Annotated[
        int,
        typer.Option(
            min=0, max=MAX_HIDDEN, help="Width of the hidden layer of the head; 0 = none."
        ),
    ] = 256
    dropout: Annotated[float, typer.Option(help="Dropout rate in the head.")] = 0.5
    views: Annotated[
        int, typer.Option(help="Mirrored and rotated views averaged at inference: 1, 2, 4 or 8.")
    ] = 1
