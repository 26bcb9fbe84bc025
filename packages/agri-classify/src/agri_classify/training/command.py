"""The command `agri-classify train`: chips with labels to a model bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from agri_data.params import fill_from, with_settings
from agri_train.config import TrainConfig


@with_settings(TrainConfig)
def train(
    *,
    model: Annotated[
        str, typer.Option(help="compact, resnet18, resnet50, wide_resnet50_2 or mobilenet.")
    ] = "compact",
    chips: Annotated[Path, typer.Option(help="Folder of the chip store (`agri-data chips`).")],
    out: Annotated[Path, typer.Option(help="Folder of this model; a stopped run goes on in it.")],
    params: Annotated[
        Path | None,
        typer.Option(
            help="YAML file whose section `classify` fills the options.",
            is_eager=True,
            callback=fill_from("classify"),
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the model; the folder's when empty.")] = "",
    bands: Annotated[
        str, typer.Option(help="Bands by name, such as B04,B03,B02; all when empty.")
    ] = "",
    weights: Annotated[
        str, typer.Option(help="Weights of the body: none, imagenet (downloads), or a file.")
    ] = "none",
    frozen: Annotated[bool, typer.Option(help="Train the head alone.")] = False,
    hidden: Annotated[int, typer.Option(min=0, help="Inner width of the head; 0 = none.")] = 256,
    dropout: Annotated[float, typer.Option(help="Share dropped in the head.")] = 0.5,
    views: Annotated[
        int, typer.Option(help="Mirrored and turned copies averaged in use: 1, 2, 4 or 8.")
    ] = 1,
    coverage: Annotated[
        float, typer.Option(help="Share of patches whose set of possible classes holds their own.")
    ] = 0.99,
    settings: dict[str, Any],
) -> None:
    """Train a network on the train part; its best epoch, by the val part, becomes a bundle.

    A network that is no better than the baselines beside it is an error: the exit code is then 2.

    Example: agri-classify train --chips data/eurosat --model resnet18 --epochs 30 --out models/r18
    """
    from agri_data.console import say
    from agri_data.store import ChipStore

    from agri_classify.evaluation_report import table
    from agri_classify.training.train import Plan
    from agri_classify.training.train import train as run_training

    plan = Plan(
        model=model, name=name or out.resolve().name,
        bands=tuple(part.strip() for part in bands.split(",") if part.strip()),
        weights=weights, frozen=frozen, hidden=hidden, dropout=dropout, views=views,
        coverage=coverage,
    )  # fmt: skip
    made = run_training(plan, ChipStore.open(chips), TrainConfig.from_dict(settings), out)
    for baseline in made.baselines:
        say(f"{baseline.accuracy:.4f}  {baseline.name}")
    say(f"{made.scores['accuracy']:.4f}  {model}, epoch {made.result.spec.metrics['epoch']}\n")
    say(table(made.scores))
    say(f"bundle: {made.result.bundle}")
    made.check()
