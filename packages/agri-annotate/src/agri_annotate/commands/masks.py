"""`agri-annotate masks`: an exact mask of each picture."""

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import REPLACED, added

from agri_annotate.commands.check import (
    Alias,
    Attribute,
    Classes,
    Empty,
    File,
    Fold,
    Format,
    Line,
    Overlap,
    Pictures,
    Priority,
    Radius,
    Single,
    Undrawn,
    Unlabelled,
    run,
)


def masks(
    file: File,
    pictures: Pictures,
    out: Annotated[
        Path, REPLACED, typer.Option(help="Folder to write; replaced if an earlier output.")
    ],
    attribute: Attribute = None,
    single: Single = None,
    classes: Classes = None,
    alias: Alias = None,
    fold: Fold = False,
    unlabelled: Unlabelled = "refuse",
    undrawn: Undrawn = "",
    overlap: Overlap = "last",
    priority: Priority = "",
    line: Line = None,
    radius: Radius = None,
    empty: Empty = True,
    format: Format = "png",  # noqa: A002 - the name of the option
    report: Annotated[
        Path | None,
        added("report.json", "report.html"),
        typer.Option(help="Folder of report.json and report.html instead of OUT."),
    ] = None,
) -> None:
    """Draw an exact mask of each picture that FILE speaks of.

    A pixel belongs to a shape when its centre does. OUT gets masks/NAME.png (palette, 255 = not
    known), masks.csv (image,mask), classes.json, report.json and report.html. FILE may be of any
    version of VIA, or COCO.

    Exit code 0: nothing was lost; 3: written, but a region or picture is missing; 2: not written.

    Example: agri-annotate masks fields.json --pictures images --attribute label --out drawn
    """
    run(
        file, pictures, out, report, attribute=attribute, single=single, classes=classes,
        alias=alias, fold=fold, unlabelled=unlabelled, undrawn=undrawn, overlap=overlap,
        priority=priority, line=line, radius=radius, empty=empty, kind=format,
    )  # fmt: skip
