"""Options that several commands of `agri-classify` have in common."""

from pathlib import Path
from typing import Annotated

import typer
from agri_core.threads import MAX_THREADS

from agri_classify.bundled import find_model

Model = Annotated[
    Path,
    typer.Option(
        metavar="BUNDLE",
        parser=find_model,
        help="Bundle (.onnx) of `agri-classify train`, or eurosat-rgb (bundled, the default) or "
        "eurosat-rgb-robust (bundled, for resampled imagery).",
        show_default=False,
    ),
]
Threads = Annotated[int, typer.Option(min=0, max=MAX_THREADS, help="CPU threads; 0 = all.")]
