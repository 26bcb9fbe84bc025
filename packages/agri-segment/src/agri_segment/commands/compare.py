"""`agri-segment compare`: several models and two baselines in one table."""

from pathlib import Path
from typing import Annotated

import typer
from agri_core.choices import Split
from agri_core.files.commands import OUTPUT, added
from agri_core.files.options import with_records
from agri_train.config import MAX_SEED

from agri_segment.commands.options import Chips, EngineOptions


@with_records
def compare(
    models: Annotated[
        list[Path], typer.Argument(help="Folders of one or several models, or bundles.")
    ],
    *,
    chips: Chips,
    out: Annotated[
        Path,
        added("metrics.json", "table.csv", "table.md", "classes.csv", "best.json"),
        typer.Option(help="Folder of the comparison."),
    ],
    select: Annotated[
        Split, typer.Option(help="Split that chooses the best model; val alone may.")
    ] = "val",
    split: Annotated[Split, typer.Option(help="Split that the tables report.")] = "val",
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
        int, typer.Option(min=0, max=MAX_SEED, help="Seed of the sample of the logistic baseline.")
    ] = 42,
    how: EngineOptions,
) -> None:
    """Compare models and two baselines on one split, with a table and figures.

    Example: agri-segment compare models/unet models/deeplab --chips data/chips
    --select val --split test --out reports/compare --best data/best.onnx
    """
    from agri_core.evaluation.familiarity import warn_of
    from agri_core.files.console import echo
    from agri_data.store.store import ChipStore

    from agri_segment.comparison.compare import compare as run_comparison
    from agri_segment.comparison.compare import load_models
    from agri_segment.comparison.compare_report import write_comparison
    from agri_segment.params import below

    store = ChipStore.open(chips)
    folders = models if params is None else below(models, params)
    loaded = load_models(folders, how.engine, how.precision, how.threads)
    result = run_comparison(
        loaded, store, select=select, split=split, batch_size=how.batch_size, seed=seed
    )
    warn_of(sorted({note for model in loaded for note in result.shown[model.name].notes}))
    echo(write_comparison(result, store, out, best))
    echo(f"\ncomparison: {out}" + (f", best model: {best}" if best else ""))
