"""The chart of a comparison: the IoU of each class, a bar a model."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from agri_core.legend import Legend
from agri_data.figures.figure import LINE, name_classes, new_chart, save

GREYS = {"majority": "#d9d9d9", "logistic": "#8c8c8c"}
"""Colours of the baselines."""


def draw_bars(
    models: Mapping[str, Sequence[float | None]], legend: Legend, path: Path, title: str
) -> Path:
    """Draw the IoU of each class: one group of bars per class, one bar per model."""
    figure, axes = new_chart(max(7.0, 1.6 * len(legend)), 4.5, title)
    width = 0.8 / len(models)
    for number, (name, values) in enumerate(models.items()):
        colour = GREYS.get(name, f"C{number}")
        positions = np.arange(len(legend)) + (number - (len(models) - 1) / 2) * width
        axes.bar(positions, [value or 0.0 for value in values], width, label=name, color=colour)
    name_classes(axes, legend.names)
    axes.set(ylabel="IoU", ylim=(0, 1))
    axes.grid(axis="y", color=LINE)
    axes.set_axisbelow(True)
    axes.legend(fontsize=8, frameon=False)
    return save(figure, path)
