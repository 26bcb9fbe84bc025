"""`agri-map show`: a picture of a map."""

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import OUTPUT
from agri_core.files.console import echo

from agri_map.commands.options import PixelSide


def show(
    path: Annotated[Path, typer.Argument(metavar="MAP", help="A class map, a .tif.")],
    *,
    out: Annotated[Path, OUTPUT, typer.Option(metavar="PNG", help="The picture to write.")],
    scene: Annotated[Path | None, typer.Option(help="The scene, shown next to the map.")] = None,
    bands: Annotated[
        str | None, typer.Option(help="Names of the scene's bands in file order.")
    ] = None,
    confidence: Annotated[
        Path | None, typer.Option(metavar="TIF", help="Confidence raster, as a further panel.")
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(metavar="TIF", help="Reference raster: shown, and compared with the map."),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Headline.")] = None,
    pixel: PixelSide = None,
) -> None:
    """Draw a map next to its scene, with legend, hectares, scale bar and north arrow.

    Example: agri-map show maps/scene.tif --scene scene.tif --out maps/scene.png
    """
    from agri_core.files.errors import InputError

    from agri_map.figures.page import draw_page
    from agri_map.figures.show import Request, make_page

    if out.suffix.lower() != ".png":
        raise InputError(f"the picture is a PNG; expected a name ending in .png, got {out}")
    names = [name.strip() for name in bands.split(",")] if bands else None
    request = Request(
        map=path,
        scene=scene,
        bands=names,
        confidence=confidence,
        truth=truth,
        title=title,
        pixel=pixel,
    )
    draw_page(make_page(request), out)
    echo(f"picture: {out}")
