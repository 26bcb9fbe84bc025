"""`agri-annotate diff`: the corrections of a proposed annotation."""

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import OUTPUT
from agri_core.files.console import SKIPPED, echo, tell


def diff(
    proposed: Annotated[Path, typer.Argument(help="Annotation file a person began with.")],
    corrected: Annotated[Path, typer.Argument(help="Annotation file the person saved.")],
    pictures: Annotated[
        Path | None, typer.Option(help="Folder of the pictures, for their sizes.")
    ] = None,
    attribute: Annotated[
        str | None, typer.Option(help="Attribute that names the class, if there are several.")
    ] = None,
    classes: Annotated[
        Path | None, typer.Option(help="classes.json; without it the options of both files.")
    ] = None,
    line: Annotated[float | None, typer.Option(help="Width of polylines in pixels.")] = None,
    radius: Annotated[float | None, typer.Option(help="Radius of points in pixels.")] = None,
    seconds: Annotated[
        float | None, typer.Option(help="Your own figure to draw a region; nothing is measured.")
    ] = None,
    out: Annotated[Path | None, OUTPUT, typer.Option(help="JSON to write.")] = None,
) -> None:
    """Compare a proposed annotation with its corrected version.

    Regions of a picture match one to one, the highest IoU first, above 0.5. Counted are regions
    kept (IoU above 0.99, same class), moved, relabelled, added and removed, pictures untouched,
    and the IoU per class of the masks that both files draw. Annotation files hold no times, so none
    are reported; --seconds states your own.

    Exit code 0: all was compared; 3: a region or picture could not be; 2: nothing was compared.

    Example: agri-annotate diff guess.json corrected.json --pictures images --out diff.json
    """
    from agri_core.files.atomic import write_json
    from agri_core.legend import Legend

    from agri_annotate.diff.diff import Options, compare_files
    from agri_annotate.diff.difference import table, to_json
    from agri_annotate.formats.conversion import listed

    legend = None if classes is None else Legend.read(classes)
    options = Options(attribute, legend, line, radius, seconds)
    difference = compare_files(proposed, corrected, options, pictures)
    for text in listed(difference.problems):
        tell(text)
    echo(table(difference))
    if out is not None:
        write_json(out, to_json(difference))
    if any(problem.severity == "lost" for problem in difference.problems):
        raise typer.Exit(SKIPPED)
