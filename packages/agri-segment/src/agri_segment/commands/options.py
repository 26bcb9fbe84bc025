"""Options that several commands of `agri-segment` have in common."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from agri_core.threads import MAX_THREADS
from agri_map.choices import EngineName, Precision

ENGINE = "Engine"
"""A panel of the help."""

Chips = Annotated[Path, typer.Option(help="Folder of the chip store (`agri-data chips`).")]


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Options of the engine that predicts chips."""

    batch_size: Annotated[
        int,
        typer.Option(
            min=1, max=4096, help="Chips that are predicted at once.", rich_help_panel=ENGINE
        ),
    ] = 8
    engine: Annotated[
        EngineName, typer.Option(help="Runtime of the models.", rich_help_panel=ENGINE)
    ] = "onnxruntime"
    precision: Annotated[
        Precision,
        typer.Option("--precision", help="bf16 needs openvino.", rich_help_panel=ENGINE),
    ] = "f32"
    threads: Annotated[
        int,
        typer.Option(min=0, max=MAX_THREADS, help="CPU threads; 0 = all.", rich_help_panel=ENGINE),
    ] = 0
