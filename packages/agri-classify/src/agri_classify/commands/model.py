"""The option `--model`, the same in every command that uses one."""

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[
    Path,
    typer.Option(
        metavar="BUNDLE",
        help="Bundle (.onnx) of `agri-classify train`; the model in the box by default.",
        show_default=False,
    ),
]
