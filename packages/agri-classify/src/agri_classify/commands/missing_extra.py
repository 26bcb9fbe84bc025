"""The commands that train, where only the light packages are installed."""

from __future__ import annotations

from typing import Annotated

import typer


def untrained(
    words: Annotated[
        list[str] | None, typer.Argument(help="Anything; nothing is done with it.")
    ] = None,
) -> None:
    """Train; this needs the extra `agri-classify[train]`, which is not installed.

    Example: agri-classify train --help
    """
    from agri_core.files.errors import MissingError

    raise MissingError(
        "training needs torch and agri-train, which are not installed; add them with "
        "`uv pip install 'agri-classify[train]'`"
    )
