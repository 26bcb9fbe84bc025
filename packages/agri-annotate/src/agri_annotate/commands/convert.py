"""`agri-annotate convert`: an annotation file in another form."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from agri_core.files.commands import OUTPUT
from agri_core.files.console import SKIPPED, say

if TYPE_CHECKING:
    from agri_annotate.model.project import Form


def convert(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Annotation file of any VIA form.")],
    to: Annotated[
        str,
        typer.Option(
            help="via1-json, via1-csv, via2-json, via2-project, via2-csv, via3-json, via3-csv or "
            "coco."
        ),
    ],
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

    form = _form(to)
    conversion = convert_file(file, form, out, pictures, attribute)
    for line in listed(conversion.problems):
        typer.echo(line, err=True)
    say(conversion.summary())
    if conversion.lost:
        raise typer.Exit(SKIPPED)


def _form(name: str) -> "Form":
    from typing import get_args

    from agri_core.files.errors import InputError

    from agri_annotate.model.project import Form

    forms: tuple[Form, ...] = get_args(Form)
    for form in forms:
        if form == name:
            return form
    raise InputError(f"--to must be one of {', '.join(forms)}; got {name!r}")
