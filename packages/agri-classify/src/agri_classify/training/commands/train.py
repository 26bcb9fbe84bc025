"""`agri-classify train`: trains a patch classifier and exports a bundle."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from agri_core.files.commands import RESUMED
from agri_core.files.options import with_records, with_settings, words
from agri_core.files.params import params_option
from agri_train.config import TrainConfig

from agri_classify.training.commands import options


@with_settings(TrainConfig)
@with_records
def train(
    *,
    model: options.Network = "compact",
    chips: options.Chips,
    out: Annotated[
        Path, RESUMED, typer.Option(help="Folder of this model; interrupted runs resume here.")
    ],
    params: Annotated[Path | None, params_option("classify")] = None,
    name: Annotated[str, typer.Option(help="Name of the model; the folder's when empty.")] = "",
    bands: options.Bands = "",
    network: options.NetworkOptions,
    coverage: Annotated[float, typer.Option(help="Nominal coverage of the conformal sets.")] = 0.99,
    half: Annotated[
        bool,
        typer.Option(help="Store the bundle's weights in half precision, which halves the file."),
    ] = False,
    settings: dict[str, Any],
) -> None:
    """Train a network; export its best epoch on the validation split.

    A network that is no better than the baselines is an error, with exit code 2.

    Example: agri-classify train --chips data/eurosat --model resnet18 --epochs 30 --out models/r18
    """
    from agri_core.files.console import echo
    from agri_data.store.store import ChipStore

    from agri_classify.evaluation.evaluation_report import table
    from agri_classify.training.train import Plan
    from agri_classify.training.train import train as run_training

    plan = Plan(
        model=model,
        name=name or out.resolve().name,
        bands=words(bands),
        coverage=coverage,
        half=half,
        **asdict(network),
    )
    made = run_training(plan, ChipStore.open(chips), TrainConfig.from_dict(settings), out)
    for baseline in made.baselines:
        echo(f"{baseline.accuracy:.4f}  {baseline.name}")
    echo(f"{made.scores['accuracy']:.4f}  {model}, epoch {made.result.spec.metrics['epoch']}\n")
    echo(table(made.scores))
    echo(f"bundle: {made.result.bundle}")
    made.check()
