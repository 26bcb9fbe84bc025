"""Options of every command that maps a scene, here and in agri-classify."""

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import OUTPUT

SceneFile = Annotated[Path | None, typer.Argument(help="GeoTIFF or JPEG 2000 with named bands.")]
MapFile = Annotated[Path, OUTPUT, typer.Option(metavar="MAP", help="The map to write, a .tif.")]
BandNames = Annotated[
    str | None, typer.Option(help="Names of the scene's bands in file order: B02,B03,B04.")
]
BandFiles = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=FILE", help="A band in its own file, of any resolution."),
]
NoData = Annotated[
    float | None, typer.Option(help="Value without data where the file declares none.")
]
EngineChoice = Annotated[str, typer.Option(help="onnxruntime or openvino.")]
Threads = Annotated[int | None, typer.Option(help="Threads; all cores by default.")]
Probabilities = Annotated[
    Path | None,
    OUTPUT,
    typer.Option(metavar="TIF", help="Also write a band of probability per class."),
]
Confidence = Annotated[
    Path | None,
    OUTPUT,
    typer.Option(metavar="TIF", help="Also write the probability of the mapped class."),
]
