"""`agri-map info`: the card of a bundle."""

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.console import echo


def info(
    model: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Model bundle, an .onnx file.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the stored spec as JSON.")] = False,
) -> None:
    """Show what a bundle needs, gives, and how well it did.

    Example: agri-map info models/unet/model.onnx
    """
    from agri_core.files.hashing import sha256_file

    from agri_map.bundle.bundle import read_spec
    from agri_map.bundle.card import card

    spec = read_spec(model)
    if json:
        echo(spec.to_json())
    else:
        echo(card(spec, model.stat().st_size, sha256_file(model)))
