"""`agri-annotate prelabel`: maps as drawings to correct."""

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import OUTPUT
from agri_core.files.console import SKIPPED, echo, tell

from agri_annotate.choices import Background

MAPS, OUTLINES = "Class maps", "Outlines"
"""Panels of the help."""


def prelabel(
    maps: Annotated[
        Path,
        typer.Argument(metavar="MAPS", help="A class map, a folder of them, or a CSV image,mask."),
    ],
    pictures: Annotated[Path, typer.Option(help="Folder of the pictures, or the one picture.")],
    out: Annotated[Path, OUTPUT, typer.Option(help="VIA 2 project to write.")],
    classes: Annotated[
        Path | None,
        typer.Option(help="classes.json; without it the one next to MAPS.", rich_help_panel=MAPS),
    ] = None,
    attribute: Annotated[str, typer.Option(help="Name of the dropdown of classes.")] = "class",
    confidence: Annotated[
        Path | None,
        typer.Option(help="Raster of 0..1 or percent, or a folder of them.", rich_help_panel=MAPS),
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option(
            help="Pixels a border may be moved; 0 keeps each pixel edge.", rich_help_panel=OUTLINES
        ),
    ] = 1.0,
    fidelity: Annotated[
        float,
        typer.Option(
            help="IoU each class keeps, lowering the tolerance where needed.",
            rich_help_panel=OUTLINES,
        ),
    ] = 0.98,
    minimum: Annotated[
        int, typer.Option(help="Pixels of the smallest region.", rich_help_panel=OUTLINES)
    ] = 64,
    background: Annotated[
        Background,
        typer.Option(
            help="Which regions of class 0 are drawn; holes lie in others.",
            rich_help_panel=OUTLINES,
        ),
    ] = "holes",
    binary: Annotated[
        bool,
        typer.Option(
            "--binary", help="Every value but 0 is class 1, as in 0 and 255.", rich_help_panel=MAPS
        ),
    ] = False,
    path: Annotated[
        str, typer.Option(help="Where VIA's page finds the pictures, such as images/.")
    ] = "",
) -> None:
    """Write class maps as a VIA 2 project, so that a person corrects instead of draws.

    MAPS hold class numbers: PNG (grey or palette) or GeoTIFF, from a model or from clusters. Class
    0 is the background, 255 is never drawn. Maps belong to the pictures of their name; one map of
    a whole scene is cut where georeferenced pictures lie. Regions come with few vertices and the
    largest first: what lies inside another region is drawn above it.

    In VIA: Project, Load, then Add Files for the pictures; regions are labelled and coloured by
    class. `agri-annotate masks` draws the corrected file, `agri-annotate diff` lists what changed.

    Exit code 0: all was drawn; 3: written, but a picture or class is missing; 2: not written.

    Example: agri-annotate prelabel maps --pictures images --out guess.json --classes classes.json
    """
    from agri_annotate.formats.conversion import listed
    from agri_annotate.vectorise.draft import Options
    from agri_annotate.vectorise.prelabel import prelabel as draw

    options = Options(attribute, tolerance, minimum, fidelity, background, binary, path)
    outcome = draw(maps, pictures, out, options, classes=classes, confidence=confidence)
    for line in listed(outcome.problems):
        tell(line)
    echo(outcome.summary())
    if outcome.lost:
        raise typer.Exit(SKIPPED)
