"""`agri-segment evaluate`: the scores of one bundle on a split."""

from pathlib import Path
from typing import Annotated

import typer
from agri_core.choices import Split
from agri_core.files.commands import added
from agri_core.files.options import with_records

from agri_segment.commands.options import Chips, EngineOptions


@with_records
def evaluate(
    model: Annotated[Path, typer.Argument(help="A bundle (.onnx) or the folder of a model.")],
    *,
    chips: Chips,
    out: Annotated[
        Path,
        added("metrics.json", "report.md", "confusion.csv", "places.csv", "worst.csv"),
        typer.Option(help="Folder of the report."),
    ],
    split: Annotated[
        Split, typer.Option(help="Split to score; the model was fitted on train.")
    ] = "val",
    how: EngineOptions,
) -> None:
    """Evaluate a bundle: IoU, F1, confusion matrix, 95 % CI by place, worst chips.

    Example: agri-segment evaluate models/unet/model.onnx --chips data/chips --split test
    --out reports/unet-test
    """
    from agri_core.evaluation.familiarity import warn_of
    from agri_core.files.console import echo
    from agri_data.store.store import ChipStore

    from agri_segment.comparison.compare import load_model
    from agri_segment.evaluation import evaluate as evaluation

    store = ChipStore.open(chips)
    loaded = load_model(model, how.engine, how.precision, how.threads)
    result = evaluation.evaluate(loaded.engine, store, split, how.batch_size)
    warn_of(result.notes)
    echo(evaluation.write_evaluation(result, loaded.engine, store, out))
    echo(f"\nreport: {out}")
