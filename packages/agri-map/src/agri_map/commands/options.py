"""Options of every command that maps a scene, here and in agri-classify."""

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import INPUT, OUTPUT

from agri_map.choices import EngineName

BANDS, ENGINE, EXTRA = "Bands", "Engine", "Further outputs"
"""Panels of the help."""

SceneFile = Annotated[Path | None, typer.Argument(help="GeoTIFF or JPEG 2000 with named bands.")]
MapFile = Annotated[Path, OUTPUT, typer.Option(metavar="MAP", help="The map to write, a .tif.")]
BandNames = Annotated[
    str | None,
    typer.Option(
        help="Names of the scene's bands in file order: B02,B03,B04.", rich_help_panel=BANDS
    ),
]
BandFiles = Annotated[
    list[str] | None,
    INPUT,
    typer.Option(
        metavar="NAME=FILE",
        help="A band in its own file, of any resolution.",
        rich_help_panel=BANDS,
    ),
]
NoData = Annotated[
    float | None,
    typer.Option(help="Value that means no data, whatever files declare.", rich_help_panel=BANDS),
]
EngineChoice = Annotated[
    EngineName, typer.Option(help="Runtime of the model.", rich_help_panel=ENGINE)
]
PixelSide = Annotated[
    float | None, typer.Option(min=0.001, help="Side of a pixel in metres, for a map without CRS.")
]
Threads = Annotated[
    int | None, typer.Option(help="Threads; all cores by default.", rich_help_panel=ENGINE)
]
Probabilities = Annotated[
    Path | None,
    OUTPUT,
    typer.Option(
        metavar="TIF", help="Also write a band of probability per class.", rich_help_panel=EXTRA
    ),
]
Confidence = Annotated[
    Path | None,
    OUTPUT,
    typer.Option(
        metavar="TIF", help="Also write the probability of the mapped class.", rich_help_panel=EXTRA
    ),
]
