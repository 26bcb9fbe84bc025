"""Options of the commands that draw masks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from agri_annotate import choices

CLASSES, DRAWING = "Classes of regions", "Regions to pixels"
"""Panels of the help."""

File = Annotated[Path, typer.Argument(metavar="FILE", help="Annotation file of any VIA form.")]
Pictures = Annotated[Path, typer.Option(help="Folder of the pictures, which stay there.")]
Format = Annotated[
    choices.Format, typer.Option(help="Of the masks; tif keeps the georeference of the picture.")
]


@dataclass(frozen=True, slots=True)
class MaskOptions:
    """Options that `masks` and `check` share: which class a region is, and which pixels it gets."""

    attribute: Annotated[
        str | None,
        typer.Option(
            help="Attribute of regions that names the class, if there are more.",
            rich_help_panel=CLASSES,
        ),
    ] = None
    single: Annotated[
        str | None,
        typer.Option(help="One class for all regions, whatever they say.", rich_help_panel=CLASSES),
    ] = None
    classes: Annotated[
        Path | None,
        typer.Option(
            help="classes.json to use, class 0 is background; else made from the options.",
            rich_help_panel=CLASSES,
        ),
    ] = None
    alias: Annotated[
        list[str] | None,
        typer.Option(
            help="'Bare soil=soil': a text as drawn is this class. Repeat.", rich_help_panel=CLASSES
        ),
    ] = None
    fold: Annotated[
        bool,
        typer.Option(
            "--fold", help="Case and runs of blanks do not matter.", rich_help_panel=CLASSES
        ),
    ] = False
    unlabelled: Annotated[
        str,
        typer.Option(
            help="Regions without a class: refuse, ignore (255), or a class.",
            rich_help_panel=CLASSES,
        ),
    ] = "refuse"
    undrawn: Annotated[
        str,
        typer.Option(
            help="Class of unannotated pixels: a name, or ignore (255); class 0 if not stated.",
            rich_help_panel=DRAWING,
        ),
    ] = ""
    overlap: Annotated[
        choices.Overlap,
        typer.Option(
            help="Which region keeps a pixel that several cover; error refuses the picture.",
            rich_help_panel=DRAWING,
        ),
    ] = "last"
    priority: Annotated[
        str,
        typer.Option(
            help="Classes above all others, the last the highest: 'water,soil'.",
            rich_help_panel=DRAWING,
        ),
    ] = ""
    line: Annotated[
        float | None, typer.Option(help="Width of polylines in pixels.", rich_help_panel=DRAWING)
    ] = None
    radius: Annotated[
        float | None, typer.Option(help="Radius of points in pixels.", rich_help_panel=DRAWING)
    ] = None
    empty: Annotated[
        bool,
        typer.Option(
            help="Whether pictures without regions become masks of background.",
            rich_help_panel=DRAWING,
        ),
    ] = True
