"""`agri-map score`: agreement of a map with a reference raster."""

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import OUTPUT
from agri_core.files.console import echo

NO_TRUTH = "none"


def score(
    path: Annotated[Path, typer.Argument(metavar="MAP", help="A class map, a .tif.")],
    truth: Annotated[
        str, typer.Option(metavar="TIF", help="Reference raster on the same grid, or 'none'.")
    ],
    out: Annotated[
        Path | None, OUTPUT, typer.Option(metavar="JSON", help="Write the figures there as well.")
    ] = None,
) -> None:
    """Score a map against a reference raster: IoU, F1, accuracy next to that of the majority class.

    The score is meaningful only if no model saw the reference in training.

    Example: agri-map score maps/scene.tif --truth truth.tif --out reports/score.json
    """
    from agri_core.files.atomic import write_json

    from agri_map.analysis.score import score_map, to_json, to_text

    if truth == NO_TRUTH:
        echo("no reference was given, so the map is not scored")
        figures = {}
    else:
        found = score_map(path, Path(truth))
        echo(to_text(found))
        figures = to_json(found)
    if out is not None:
        write_json(out, figures)
