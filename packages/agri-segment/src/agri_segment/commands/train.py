"""`agri-segment train`: chips with masks to a model bundle."""

from pathlib import Path
from typing import Annotated, Any

import typer
from agri_core.files.commands import INPUT, RESUMED
from agri_core.files.options import with_settings, words
from agri_train.config import TrainConfig

from agri_segment.choices import ArchName, Norm, Preset, Up
from agri_segment.commands.options import Chips
from agri_segment.params import read_arch, read_params


@with_settings(TrainConfig)
def train(
    *,
    arch: Annotated[
        ArchName,
        typer.Option(
            help="Architecture.",
            is_eager=True,
            callback=read_arch,
        ),
    ] = "unet",
    chips: Chips,
    out: Annotated[
        Path, RESUMED, typer.Option(help="Folder of this model; interrupted runs resume here.")
    ],
    params: Annotated[
        Path | None,
        typer.Option(
            help="YAML file whose sections `train` and the architecture's name fill the options.",
            is_eager=True,
            callback=read_params,
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the model; the folder's when empty.")] = "",
    bands: Annotated[
        str, typer.Option(help="Bands by name, such as B04,B03,B02; all when empty.")
    ] = "",
    encoder: Annotated[
        str | None, typer.Option(help="Encoder, see `agri-segment archs`; the first by default.")
    ] = None,
    weights: Annotated[
        str, INPUT, typer.Option(help="Encoder weights: none, imagenet (downloads), or a file.")
    ] = "none",
    frozen: Annotated[
        bool, typer.Option(help="Freeze the encoder: weights and batch-norm statistics.")
    ] = False,
    dropout: Annotated[float | None, typer.Option(help="Dropout rate, 0 to below 1.")] = None,
    up: Annotated[Up | None, typer.Option(help="plain: upsampling; transposed learns it.")] = None,
    stride: Annotated[
        int | None, typer.Option(help="DeepLab: output stride, 16, or 8 for small chips.")
    ] = None,
    preset: Annotated[
        Preset | None, typer.Option(help="plain: configuration that the other options change.")
    ] = None,
    filters: Annotated[
        int | None, typer.Option(min=1, help="plain: channels of the finest level.")
    ] = None,
    depth: Annotated[int | None, typer.Option(min=1, max=7, help="plain: levels.")] = None,
    norm: Annotated[Norm | None, typer.Option(help="plain: where batch normalisation is.")] = None,
    settings: dict[str, Any],
) -> None:
    """Train a network; export its best epoch on the validation split.

    Example: agri-segment train --arch unet --encoder resnet18 --chips data/chips
    --params params.yaml --out models/unet
    """
    from agri_core.files.console import echo
    from agri_data.store.store import ChipStore

    from agri_segment.evaluation.report import class_table, headline
    from agri_segment.train import Plan
    from agri_segment.train import train as run_training

    given = {
        "dropout": dropout, "up": up, "stride": stride, "preset": preset,
        "filters": filters, "depth": depth, "norm": norm,
    }  # fmt: skip
    plan = Plan(
        arch=arch,
        name=name or out.resolve().name,
        bands=words(bands),
        encoder=encoder,
        weights=weights,
        frozen=frozen,
        options={key: value for key, value in given.items() if value is not None},
    )
    result = run_training(plan, ChipStore.open(chips), TrainConfig.from_dict(settings), out)
    echo(class_table(result.scores, result.matrix, result.legend))
    echo(headline(result.scores, result.split))
    echo(f"bundle: {out / 'model.onnx'}")
