"""`agri-data chips`: a source becomes a chip store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from agri_core.files.commands import REPLACED
from agri_core.files.console import SKIPPED, echo, warn

if TYPE_CHECKING:
    from agri_data.build import Report


def chips(
    source: Annotated[Path, typer.Argument(help="A description (.yaml), or a EuroSAT zip/folder.")],
    out: Annotated[Path, REPLACED, typer.Option(help="The chip store to write.")],
    size: Annotated[int, typer.Option(help="Side of a chip in pixels.")] = 64,
    overlap: Annotated[int, typer.Option(help="Pixels that neighbouring chips share.")] = 0,
    root: Annotated[
        Path | None, typer.Option(help="Folder or .zip with the data, instead of its 'root'.")
    ] = None,
    share: Annotated[
        float | None,
        typer.Option(help="Make patches: label each chip by the class on this share of it."),
    ] = None,
    skip: Annotated[
        bool, typer.Option("--skip", help="Skip and list unreadable files; exits with code 3.")
    ] = False,
) -> None:
    """Build a chip store from imagery.

    SOURCE is a YAML description (see docs/own-data), or a EuroSAT archive or folder as it is.
    The store appears when it is whole; an earlier one at OUT is then replaced.
    With --share the masks of labelled imagery become one class name a chip, as EuroSAT has it;
    chips that no class covers so far are left out.

    Example: agri-data chips EuroSAT.zip --out data/eurosat

    Example: agri-data chips docs/own-data/dubai.yaml --root dubai.zip --size 256 --out data/dubai

    Example: agri-data chips data/scenes/source.yaml --size 32 --share 0.6 --out data/patches
    """
    from agri_data.build import build
    from agri_data.sources.windows import Cut

    tell(build(source, out, cut=Cut(size, overlap), root=root, skip=skip, share=share))


def tell(report: Report) -> None:
    """Print what was built; files that were skipped are warned of and make the exit code 3."""
    from agri_data.build import summary

    for line in summary(report):
        echo(line)
    for line in report.skipped:
        warn(line)
    if report.skipped:
        warn(f"{len(report.skipped)} skipped")
        raise typer.Exit(SKIPPED)
