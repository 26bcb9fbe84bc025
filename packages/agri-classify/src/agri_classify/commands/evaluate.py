"""`agri-classify evaluate`: accuracy and calibration of a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from agri_core.choices import Split
from agri_core.files.commands import REPLACED

from agri_classify.bundled import BUNDLED
from agri_classify.commands.options import Model, Threads


def evaluate(
    data: Annotated[
        Path,
        typer.Argument(help="A chip store, or a folder with one folder of pictures per class."),
    ],
    *,
    out: Annotated[
        Path, REPLACED, typer.Option(help="Folder of the report; an earlier report is replaced.")
    ],
    model: Model = BUNDLED,
    split: Annotated[
        Split, typer.Option(help="Split of a chip store; the model was fitted on train.")
    ] = "val",
    batch_size: Annotated[
        int, typer.Option(min=1, max=4096, help="Patches predicted at once.")
    ] = 64,
    threads: Threads = 0,
) -> None:
    """Evaluate a bundle: accuracy with 95 % CI, metrics per class, confusion matrix, calibration.

    Example: agri-classify evaluate EuroSAT_test/ --model models/compact/model.onnx
    --out reports/evaluation
    """
    from agri_core.evaluation.familiarity import warn_of
    from agri_core.files.console import SKIPPED, echo, warn
    from agri_map.inference.engine import open_engine

    from agri_classify.evaluation.evaluate import evaluate as run_evaluation
    from agri_classify.evaluation.evaluation_report import write_evaluation
    from agri_classify.patches.labelled import Labelled

    engine = open_engine(model, threads=threads or None)
    labelled = Labelled(data, engine.spec, split)
    result = run_evaluation(engine, labelled, batch_size)
    warn_of(result.familiarity.notes)
    echo(write_evaluation(result, out))
    echo(f"report: {out}")
    for error in result.errors:
        warn(error)
    if result.errors:
        warn(f"{len(result.errors)} of {labelled.count} files could not be read")
        raise typer.Exit(SKIPPED)
