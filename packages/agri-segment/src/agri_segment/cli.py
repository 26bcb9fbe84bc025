"""The `agri-segment` command: list, train, evaluate and compare segmentation networks."""

from pathlib import Path
from typing import Annotated, Any

import typer
from agri_core.files.commands import OUTPUT, CommandLine
from agri_core.files.console import run
from agri_core.files.params import with_settings
from agri_train.config import TrainConfig

from agri_segment.params import read_arch, read_params

app = CommandLine(
    "agri-segment",
    "Segment land cover: train, evaluate and compare U-Net and DeepLab networks.",
)

Chips = Annotated[Path, typer.Option(help="Folder of the chip store (`agri-data chips`).")]
BatchSize = Annotated[int, typer.Option(min=1, help="Chips predicted at once.")]
EngineName = Annotated[str, typer.Option("--engine", help="onnxruntime or openvino.")]
Precision = Annotated[str, typer.Option(help="f32, or bf16 (openvino only).")]
Threads = Annotated[int, typer.Option(min=0, help="CPU threads; 0 = all.")]


def main() -> None:
    """Run the command line."""
    run(app)


@app.command()
def archs(
    bands: Annotated[int, typer.Option(min=1, help="Number of bands.")] = 4,
    classes: Annotated[int, typer.Option(min=2, help="Number of classes.")] = 6,
) -> None:
    """List the architectures and encoders, with the number of parameters of each pair.

    Example: agri-segment archs --bands 12 --classes 3
    """
    from agri_core.files.console import say

    from agri_segment.catalogue import catalogue

    say(catalogue(bands, classes))


@app.command()
@with_settings(TrainConfig)
def train(
    *,
    arch: Annotated[
        str,
        typer.Option(
            help="Architecture: plain, unet, deeplabv3 or deeplab.",
            is_eager=True,
            callback=read_arch,
        ),
    ] = "unet",
    chips: Chips,
    out: Annotated[
        Path, OUTPUT, typer.Option(help="Folder of this model; interrupted runs resume here.")
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
        str, typer.Option(help="Encoder weights: none, imagenet (downloads), or a file.")
    ] = "none",
    frozen: Annotated[
        bool, typer.Option(help="Freeze the encoder: weights and batch-norm statistics.")
    ] = False,
    dropout: Annotated[float | None, typer.Option(help="Dropout rate, 0 to below 1.")] = None,
    up: Annotated[
        str | None, typer.Option(help="Upsampling: transposed (plain), bilinear or nearest.")
    ] = None,
    stride: Annotated[
        int | None, typer.Option(help="DeepLab: output stride, 16, or 8 for small chips.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="plain: small, simple, vanilla or wide.")
    ] = None,
    filters: Annotated[
        int | None, typer.Option(min=1, help="plain: channels of the finest level.")
    ] = None,
    depth: Annotated[int | None, typer.Option(min=1, max=7, help="plain: levels.")] = None,
    norm: Annotated[str | None, typer.Option(help="plain: none, conv or stage.")] = None,
    settings: dict[str, Any],
) -> None:
    """Train a network; the best epoch on the validation split is exported as a bundle.

    Example: agri-segment train --arch unet --encoder resnet18 --chips data/chips
    --params params.yaml --out models/unet
    """
    from agri_core.files.console import say
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
        bands=_names(bands),
        encoder=encoder,
        weights=weights,
        frozen=frozen,
        options={key: value for key, value in given.items() if value is not None},
    )
    result = run_training(plan, ChipStore.open(chips), TrainConfig.from_dict(settings), out)
    say(class_table(result.scores, result.matrix, result.legend))
    say(headline(result.scores, result.part))
    say(f"bundle: {out / 'model.onnx'}")


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(help="A bundle (.onnx) or the folder of a model.")],
    chips: Chips,
    out: Annotated[Path, OUTPUT, typer.Option(help="Folder of the report.")],
    split: Annotated[
        str, typer.Option(help="Split to score: val (default), test or train (fitted data).")
    ] = "val",
    batch_size: BatchSize = 8,
    engine: EngineName = "onnxruntime",
    precision: Precision = "f32",
    threads: Threads = 0,
) -> None:
    """Evaluate a bundle: IoU, F1, confusion matrix, 95 % CI by place, worst chips.

    Example: agri-segment evaluate models/unet/model.onnx --chips data/chips --split test
    --out reports/unet-test
    """
    from agri_core.files.console import say
    from agri_data.store.store import ChipStore

    from agri_segment.comparison.compare import load_model
    from agri_segment.evaluation import evaluate as evaluation

    store = ChipStore.open(chips)
    loaded = load_model(model, engine, precision, threads)
    result = evaluation.evaluate(loaded.engine, store, split, batch_size)
    evaluation.tell(result.notes)
    say(evaluation.write_evaluation(result, loaded.engine, store, out))
    say(f"\nreport: {out}")


@app.command()
def compare(
    models: Annotated[
        list[Path], typer.Argument(help="Folders of one or several models, or bundles.")
    ],
    chips: Chips,
    out: Annotated[Path, OUTPUT, typer.Option(help="Folder of the comparison.")],
    select: Annotated[str, typer.Option(help="Split that selects the best model.")] = "val",
    split: Annotated[str, typer.Option(help="Split that the tables report.")] = "val",
    best: Annotated[
        Path | None, OUTPUT, typer.Option(help="Copy the best bundle here, such as data/best.onnx.")
    ] = None,
    params: Annotated[
        Path | None,
        typer.Option(
            help="YAML file whose list `archs` names the subfolders to compare in each folder."
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the sample of the logistic baseline.")
    ] = 42,
    batch_size: BatchSize = 8,
    engine: EngineName = "onnxruntime",
    precision: Precision = "f32",
    threads: Threads = 0,
) -> None:
    """Compare models and two baselines on one split, with a table and figures.

    Example: agri-segment compare models/unet models/deeplab --chips data/chips
    --select val --split test --out reports/compare --best data/best.onnx
    """
    from agri_core.files.console import say
    from agri_data.store.store import ChipStore

    from agri_segment.comparison.compare import compare as run_comparison
    from agri_segment.comparison.compare import load_models
    from agri_segment.comparison.compare_report import write_comparison
    from agri_segment.evaluation.evaluate import tell
    from agri_segment.params import below

    store = ChipStore.open(chips)
    folders = models if params is None else below(models, params)
    loaded = load_models(folders, engine, precision, threads)
    result = run_comparison(
        loaded, store, select=select, part=split, batch_size=batch_size, seed=seed
    )
    tell(sorted({note for model in loaded for note in result.shown[model.name].notes}))
    say(write_comparison(result, store, out, best))
    say(f"\ncomparison: {out}" + (f", best model: {best}" if best else ""))
