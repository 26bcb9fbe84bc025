"""`agri-data scenes`: where the pipeline's imagery comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import INPUT, REPLACED

from agri_data.choices import BandCount, Target

SYNTHETIC = "synthetic"


def scenes(
    source: Annotated[
        str,
        INPUT,
        typer.Argument(help="'synthetic', or a description (.yaml) of your own imagery."),
    ],
    out: Annotated[
        Path, REPLACED, typer.Option(help="Folder to write; an earlier result is replaced.")
    ],
    root: Annotated[
        Path, typer.Option(help="Folder or .zip with your imagery; '.' = as described.")
    ] = Path(),
    seed: Annotated[int, typer.Option(help="Of the synthetic scenes.")] = 7,
    size: Annotated[int, typer.Option(help="Side of a synthetic scene in 10 m pixels.")] = 512,
    places: Annotated[int, typer.Option(help="Synthetic training places.")] = 3,
    target: Annotated[Target, typer.Option(help="Synthetic labels.")] = "cover",
    bands: Annotated[BandCount, typer.Option(help="Bands of the synthetic scenes.")] = 10,
) -> None:
    """Make the synthetic scenes, or inventory your own imagery, as the pipeline's first stage.

    Your own imagery is listed and not copied: OUT/source.yaml points at it.

    Example: agri-data scenes docs/own-data/dubai.yaml --root dubai.zip --out data/scenes
    """
    if source == SYNTHETIC:
        from agri_data.commands.synth import synth

        synth(out, seed=seed, size=size, places=places, target=target, bands=bands)
        return
    from agri_core.files.console import echo

    from agri_data.sources.inventory import adopt

    count = adopt(Path(source), out, None if root == Path() else root)
    echo(f"{count} files in {out}/inventory.csv; next: agri-data chips {out}/source.yaml")
