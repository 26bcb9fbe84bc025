"""`agri-data augment`: N augmented copies of each train chip, made after the split."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import REPLACED
from agri_core.files.console import echo

GEOMETRY, VALUES, QUALITY = "Geometry", "Values", "File quality"
"""Panels of the help."""


def augment(
    store: Annotated[Path, typer.Argument(help="Chip store that has been split.")],
    out: Annotated[Path, REPLACED, typer.Option(help="Chip store to write.")],
    copies: Annotated[int, typer.Option(help="Augmented copies of each train chip.")] = 15,
    rotation: Annotated[
        float, typer.Option(help="Largest rotation in degrees.", rich_help_panel=GEOMETRY)
    ] = 20.0,
    shift: Annotated[
        float, typer.Option(help="Largest shift, share of the side.", rich_help_panel=GEOMETRY)
    ] = 0.2,
    scale: Annotated[
        float, typer.Option(help="Largest zoom: 0.2 is 0.8 to 1.2 times.", rich_help_panel=GEOMETRY)
    ] = 0.2,
    crop: Annotated[
        float, typer.Option(help="Largest share of the side cut away.", rich_help_panel=GEOMETRY)
    ] = 0.0,
    shear: Annotated[
        float, typer.Option(help="Largest slant in degrees.", rich_help_panel=GEOMETRY)
    ] = 0.0,
    brightness: Annotated[
        float, typer.Option(help="0.2 is 0.8 to 1.2 times.", rich_help_panel=VALUES)
    ] = 0.0,
    contrast: Annotated[
        float, typer.Option(help="0.2 is 0.8 to 1.2 times.", rich_help_panel=VALUES)
    ] = 0.0,
    channel: Annotated[
        float, typer.Option(help="Band shifts, in deviations.", rich_help_panel=VALUES)
    ] = 0.0,
    noise: Annotated[
        float, typer.Option(help="White noise, in deviations.", rich_help_panel=VALUES)
    ] = 0.0,
    dropout: Annotated[
        float, typer.Option(help="Chance of each band to be lost.", rich_help_panel=VALUES)
    ] = 0.0,
    downscale: Annotated[
        float, typer.Option(help="Chance to be resampled coarser.", rich_help_panel=QUALITY)
    ] = 0.0,
    jpeg: Annotated[
        float, typer.Option(help="Chance to be saved again as JPEG.", rich_help_panel=QUALITY)
    ] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same copies.")] = 0,
    originals: Annotated[bool, typer.Option(help="Keep the train chips themselves too.")] = True,
) -> None:
    """Write a chip store with augmented copies of its train chips; val and test stay as they are.

    Chips are also mirrored and rotated by quarter turns. Copies stay in the split of their
    source. The training packages augment on the fly and do not need this; it serves tools that
    cannot.

    Example: agri-data augment data/chips --out data/more --copies 15
    """
    from agri_data.augment.augment import Augment
    from agri_data.augment.augmented_store import augmented_store
    from agri_data.commands.stats import measure_train
    from agri_data.store.store import ChipStore

    config = Augment(
        rotation=rotation,
        shift=shift,
        scale=scale,
        crop=crop,
        shear=shear,
        brightness=brightness,
        contrast=contrast,
        channel=channel,
        noise=noise,
        dropout=dropout,
        downscale=downscale,
        jpeg=jpeg,
    )
    opened = ChipStore.open(store)
    augmented_store(opened, out, copies, config, seed=seed, originals=originals)
    echo(f"{out}: {len(ChipStore.open(out))} chips from {len(opened)}")
    measure_train(out)
