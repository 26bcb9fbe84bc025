"""Figures of an evaluation: the reliability diagram, and the most confident misclassifications."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from agri_core.evaluation.calibration import Reliability
from agri_core.legend import Legend
from agri_data.figures.figure import INK, MUTED, axes_at, new_figure, save, style
from agri_data.figures.picture import composite, picture_bands
from agri_data.figures.sheet import Panel, sheet

from agri_classify.evaluation.evaluate import Mistake

COLUMNS = 6


def draw_reliability(found: Reliability, before: Reliability, path: Path, title: str) -> Path:
    """Draw accuracy against confidence before and after temperature scaling, with a histogram.

    A calibrated classifier lies on the diagonal.
    """
    figure = new_figure(5.4, 6.0)
    top = axes_at(figure, (0.7, 2.16, 4.43, 3.24))
    low = axes_at(figure, (0.7, 0.54, 4.43, 1.02))
    bins = len(found.count)
    centres = (np.arange(bins) + 0.5) / bins
    top.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=":")
    for item, colour, name in (
        (before, "#d98c3f", f"before scaling, ECE {before.error:.4f}"),
        (found, "#2a6f9e", f"as shipped, ECE {found.error:.4f}"),
    ):
        held = item.count > 0
        top.plot(
            item.confidence[held], item.accuracy[held], marker="o", markersize=4, color=colour,
            label=name,
        )  # fmt: skip
    top.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="accuracy")
    top.legend(fontsize=8, frameon=False, loc="upper left")
    top.set_title(title, fontsize=10, color=INK, weight="bold")
    low.bar(centres, found.count, width=0.9 / bins, color="#2a6f9e")
    low.set(xlim=(0, 1), xlabel="confidence", ylabel="patches")
    low.set_yscale("symlog")
    for axes in (top, low):
        style(axes)
    return save(figure, path)


def draw_mistakes(
    found: Sequence[Mistake], bands: Sequence[str], legend: Legend, path: Path, title: str
) -> Path:
    """Draw the most confident misclassifications, worst first."""
    panels = []
    for item in found:
        image = composite(np.asarray(item.image), bands, picture_bands(bands))
        names = legend.names[item.truth], legend.names[item.found]
        text = f"{names[0]}, called\n{names[1]} {item.probability:.2f}"
        panels.append(Panel(image, text))
    rows = [panels[first : first + COLUMNS] for first in range(0, len(panels), COLUMNS)]
    return sheet(rows, None, path, title, panel=1.5)
