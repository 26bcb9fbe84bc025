"""`agri-map area`: hectares per class."""

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import added
from agri_core.files.console import echo

from agri_map.commands.options import PixelSide


def area(
    path: Annotated[Path, typer.Argument(metavar="MAP", help="A class map, a .tif.")],
    out: Annotated[
        Path | None,
        added("area.csv", "area.json"),
        typer.Option(metavar="FOLDER", help="Write area.csv and area.json there."),
    ] = None,
    pixel: PixelSide = None,
) -> None:
    """Count pixels, hectares and shares per class, in any CRS.

    Example: agri-map area maps/scene.tif --out reports/area
    """
    from agri_core.files.atomic import write_json, write_text

    from agri_map.analysis.area import measure, to_csv, to_json, to_text

    table, _ = measure(path, pixel)
    echo(to_text(table))
    if out is not None:
        write_text(out / "area.csv", to_csv(table))
        write_json(out / "area.json", to_json(table))
        echo(f"written: {out / 'area.csv'}, {out / 'area.json'}")
