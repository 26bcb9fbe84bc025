"""The training commands where the extra for training is not installed."""

from __future__ import annotations

from typing import Annotated

import typer


def missing_extra(
    words: Annotated[list[str] | None, typer.Argument(help="Ignored.")] = None,
) -> None:
    """Raise an error: training needs the extra `agri-classify[train]`, which is not installed.

    Example: agri-classify train --help
    """
    from agri_core.files.errors import MissingError

    raise MissingError(
        "training needs torch and agri-train, which are not installed; add them with "
        "`uv pip install 'agri-classify[train]'`"
    )
