"""`agri-data schema`: the JSON schema of a file, so that an editor completes and checks it."""

from __future__ import annotations

from typing import Annotated

import typer
from agri_core.files.console import echo

from agri_data.schemas import Name


def schema(
    name: Annotated[
        Name,
        typer.Argument(help="The file: a source description, a dataset.json or a classes.json."),
    ] = "description",
) -> None:
    """Print a JSON schema, with which an editor completes and checks a file.

    Write it next to your description, and name it there in the first line:
    # yaml-language-server: $schema=description.json

    Example: agri-data schema description > description.json
    """
    from agri_data.schemas import schema as text_of

    echo(text_of(name).rstrip("\n"))
