"""`agri-map polygons`: a class map to GeoPackage or GeoJSON."""

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import OUTPUT
from agri_core.files.console import echo

from agri_map.commands.options import PixelSide


def polygons(
    path: Annotated[Path, typer.Argument(metavar="MAP", help="A class map, a .tif.")],
    *,
    out: Annotated[
        Path, OUTPUT, typer.Option(metavar="FILE", help="A .gpkg or .geojson to write.")
    ],
    minimum: Annotated[
        float, typer.Option(metavar="HA", help="Give smaller patches to their largest neighbour.")
    ] = 0.0,
    simplify: Annotated[
        float, typer.Option(metavar="METRES", help="Straighten borders, neighbours together.")
    ] = 0.0,
    confidence: Annotated[
        Path | None, typer.Option(metavar="TIF", help="Confidence raster: adds its mean.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="CLASS", help="Only this class. Repeatable.")
    ] = None,
    pixel: PixelSide = None,
) -> None:
    """Convert a map to polygons: class, hectares and colour of every patch.

    Hectares are counted from pixels, before any straightening. GeoPackage keeps the CRS of the
    map, GeoJSON is in longitude and latitude.

    Example: agri-map polygons maps/scene.tif --out maps/scene.gpkg --minimum 0.25
    """
    from agri_core.vector.writer import check_suffix

    from agri_map.analysis import polygons as core
    from agri_map.analysis.vector import write_polygons

    check_suffix(out)
    source = core.load_map(path, pixel)
    sieved = core.sieve(source, minimum)
    if minimum:
        echo(core.sieve_report(source, sieved, minimum))
    parcels = core.pick(core.trace(sieved), source.legend, only or [])
    if confidence is not None:
        parcels = core.add_confidence(parcels, confidence, source.grid)
    if simplify:
        parcels = core.simplify(parcels, simplify / source.pixel_area.mean**0.5)
    write_polygons(out, parcels, source.grid, source.legend)
    echo(f"{len(parcels.shapes):,} polygons, {parcels.hectares.sum():,.2f} ha mapped: {out}")
