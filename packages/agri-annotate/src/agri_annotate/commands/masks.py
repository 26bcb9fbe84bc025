"""`agri-annotate masks`: an exact mask of each picture."""

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import REPLACED, added
from agri_core.files.options import with_records

from agri_annotate.commands.check import run
from agri_annotate.commands.options import File, Format, MaskOptions, Pictures


@with_records
def masks(
    file: File,
    pictures: Pictures,
    *,
    out: Annotated[
        Path, REPLACED, typer.Option(help="Folder to write; replaced if an earlier output.")
    ],
    stated: MaskOptions,
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
    run(file, pictures, out, stated, kind=format, report=report)
