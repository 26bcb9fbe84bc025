"""`agri-annotate convert`: an annotation file in another form."""

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import OUTPUT
from agri_core.files.console import SKIPPED, echo, tell

from agri_annotate.choices import Form


def convert(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Annotation file of any VIA form.")],
    to: Annotated[Form, typer.Option(help="The form to write.")],
    out: Annotated[Path, OUTPUT, typer.Option(help="File to write.")],
    pictures: Annotated[
        Path | None,
        typer.Option(help="Folder of the pictures, for their sizes: VIA's keys, and COCO."),
    ] = None,
    attribute: Annotated[
        str | None, typer.Option(help="Attribute whose values become the categories of COCO.")
    ] = None,
) -> None:
    """Convert between VIA 1, 2 and 3, JSON, CSV and COCO.

    Everything that the target can hold is kept; what it cannot is listed on stderr. The form of
    FILE is seen from its content. Without --pictures the sizes recorded in FILE are used.

    Exit code 0: nothing was lost; 3: written, but something is missing from it; 2: not written.

    Example: agri-annotate convert fields.json --to coco --out coco.json --pictures images
    """
    from agri_annotate.formats.conversion import convert_file, listed

    conversion = convert_file(file, to, out, pictures, attribute)
    for line in listed(conversion.problems):
        tell(line)
    echo(conversion.summary())
    if conversion.lost:
        raise typer.Exit(SKIPPED)
