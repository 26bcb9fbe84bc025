"""Figures of scores: confusion matrices and bars per class."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.atomic import replacing_file
from agri_core.legend import Legend
from numpy.typing import NDArray

from agri_segment.evaluation.report import normalised

GREYS = {"majority": "#d9d9d9", "logistic": "#8c8c8c"}
"""Colours of the baselines."""


def draw_matrix(matrix: NDArray[np.int64], legend: Legend, path: Path, title: str) -> None:
    """Draw the confusion matrix as pixel counts and as shares of the true class; rows = truth."""
    side = max(4.0, 0.75 * len(legend) + 2)
    figure = _figure((2 * side, side), title)
    shares = normalised(matrix)
    panels = (
        ("pixels", [[f"{v:,}" for v in row] for row in matrix.tolist()]),
        ("share of the true class", [[_share(v) for v in row] for row in shares.tolist()]),
    )
    for axis, (name, texts) in zip(figure.subplots(1, 2), panels, strict=True):
        axis.imshow(np.nan_to_num(shares), cmap="Blues", vmin=0, vmax=1)
        ticks = range(len(legend))
        axis.set_xticks(ticks, legend.names, rotation=45, ha="right")
        axis.set_yticks(ticks, legend.names)
        axis.set(title=name, xlabel="predicted", ylabel="truth")
        for (row, col), share in np.ndenumerate(shares):
            colour = "white" if share > 0.5 else "black"
            axis.text(col, row, texts[row][col], ha="center", va="center", color=colour, size=8)
    _save(figure, path)


def draw_bars(
    models: Mapping[str, Sequence[float | None]], legend: Legend, path: Path, title: str
) -> None:
    """Draw the IoU of each class: one group of bars per class, one bar per model."""
    figure = _figure((max(7.0, 1.6 * len(legend)), 4.5), title)
    axis = figure.subplots()
    width = 0.8 / len(models)
    for number, (name, values) in enumerate(models.items()):
        colour = GREYS.get(name, f"C{number}")
        places = np.arange(len(legend)) + (number - (len(models) - 1) / 2) * width
        axis.bar(places, [value or 0.0 for value in values], width, label=name, color=colour)
    axis.set_xticks(range(len(legend)), legend.names, rotation=30, ha="right")
    axis.set(ylabel="IoU", ylim=(0, 1))
    axis.grid(axis="y", alpha=0.3)
    axis.legend(fontsize="small")
    _save(figure, path)


def _share(value: float) -> str:
    return "n/a" if np.isnan(value) else f"{value:.2f}"


def _figure(size: tuple[float, float], title: str) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    return figure


def _save(figure: Any, path: Path) -> None:
    with replacing_file(path) as temporary:
        figure.savefig(temporary, dpi=110)
