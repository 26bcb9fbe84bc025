"""`agri-annotate vector`: drawings to polygons on the ground, and polygons to drawings."""

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import OUTPUT
from agri_core.files.console import SKIPPED, echo, tell


def vector(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Drawings of any VIA form, or polygons.")
    ],
    *,
    pictures: Annotated[Path, typer.Option(metavar="FOLDER", help="Georeferenced pictures.")],
    out: Annotated[
        Path,
        OUTPUT,
        typer.Option(metavar="FILE", help="A .geojson or .gpkg; for polygons a .json for VIA 2."),
    ],
    crs: Annotated[
        str | None,
        typer.Option(metavar="CRS", help="Of pictures with a world file only, as EPSG:32632."),
    ] = None,
    attribute: Annotated[
        str | None, typer.Option(metavar="NAME", help="Attribute or column of the class.")
    ] = None,
    single: Annotated[
        str | None, typer.Option(metavar="CLASS", help="One class for all regions.")
    ] = None,
    flat: Annotated[
        bool, typer.Option(help="Cut later regions out of earlier ones, so hectares add up.")
    ] = False,
    background: Annotated[
        str, typer.Option(metavar="CLASS", help="Class of the holes of polygons.")
    ] = "background",
    layer: Annotated[
        str | None, typer.Option(metavar="NAME", help="Layer of FILE, if it holds several.")
    ] = None,
) -> None:
    """Convert drawings to polygons with hectares, or polygons to drawings to correct.

    Which way is seen from the content of FILE. GeoJSON is in longitude and latitude, GeoPackage
    in the CRS of the pictures; lines and points get layers of their own there. Polygons in
    another CRS than the pictures' are moved. A hole becomes a region of the background class.

    Exit code 0: nothing was lost; 3: written, but something is missing from it; 2: not written.

    Example: agri-annotate vector fields.json --pictures scenes --out fields.gpkg
    """
    from agri_core.files.errors import InputError
    from agri_core.vector.crs import parse_crs
    from agri_core.vector.reader import is_layer

    from agri_annotate.formats.conversion import listed
    from agri_annotate.geo.georeference import Labels, to_drawings, to_ground
    from agri_annotate.geo.overlay import OverlayOptions

    system = None if crs is None else parse_crs(crs)
    if is_layer(file):
        options = OverlayOptions(attribute, background, file.stem, layer)
        carried = to_drawings(file, pictures, out, system, options)
    else:
        if layer is not None:
            raise InputError(f"{file} is no file of polygons, so it has no layer {layer!r}")
        labels = Labels(attribute, single)
        carried = to_ground(file, pictures, out, system, labels, flat=flat)
    for line in listed(carried.problems):
        tell(line)
    echo(carried.summary)
    if carried.lost:
        raise typer.Exit(SKIPPED)
