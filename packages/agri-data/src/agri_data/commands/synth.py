"""`agri-data synth`: make synthetic scenes with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import REPLACED

from agri_data.choices import BandCount, Target


def synth(
    out: Annotated[
        Path, REPLACED, typer.Option(help="Folder to write; an earlier result is replaced.")
    ],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same scenes.")] = 7,
    size: Annotated[int, typer.Option(help="Side of a scene in 10 m pixels.")] = 512,
    places: Annotated[int, typer.Option(help="Training places; one more is made to map.")] = 3,
    target: Annotated[Target, typer.Option(help="Labels of the scenes.")] = "cover",
    clouds: Annotated[float, typer.Option(help="Share under cloud, every other place.")] = 0.03,
    wedge: Annotated[float, typer.Option(help="Share without data, first place and map.")] = 0.02,
    bands: Annotated[
        BandCount,
        typer.Option(help="10 (of 10 and 20 m, raised bilinearly) or 13 (all of L1C, cubic)."),
    ] = 10,
) -> None:
    """Make synthetic Sentinel-2 scenes of farmland, two dates a place, with known truth.

    The labels are cover (six classes), arable (two), or moisture: cover with arable land split in
    moist and dry, which differ in B11, B12 and a little in B09 and nowhere else.

    Example: agri-data synth --out data/scenes --seed 7 --size 512 --places 3

    Example: agri-data synth --out data/moisture --target moisture --bands 13
    """
    from agri_core.files.console import echo

    from agri_data.synth.write import Plan, write_synth

    plan = Plan(seed, size, places, target, clouds, wedge, bands)
    summary = write_synth(out, plan)
    for name, scene in summary["scenes"].items():
        areas = ", ".join(f"{cover} {area:.0f}" for cover, area in scene["hectares"].items())
        echo(f"{name}  {scene['date']}  {areas} ha")
    echo(f"wrote {out}/source.yaml; next: agri-data chips {out}/source.yaml --out data/chips")
