"""Figures of an evaluation: confusion matrix, reliability diagram, misclassified patches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from agri_core.legend import Legend
from agri_data.figures.picture import Panel, composite, picture_bands, sheet
from agri_data.figures.sheet import INK, new_figure, save

from agri_classify.evaluation.evaluate import Mistake
from agri_classify.evaluation.scores import Ints, Reliability

COLUMNS = 6


def draw_matrix(matrix: Ints, legend: Legend, path: Path, title: str) -> Path:
    """Draw the confusion matrix; rows are the truth, shades the share of the true class."""
    side = 0.62 * len(legend) + 2.4
    figure = new_figure(side, side)
    axes = figure.add_axes((0.24, 0.22, 0.72, 0.68))
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(matrix):
        if count:
            ink = "white" if shares[row, column] > 0.4 else INK
            axes.text(column, row, f"{count:,}", ha="center", va="center", fontsize=8, color=ink)
    ticks = range(len(legend))
    axes.set_xticks(ticks, legend.names, rotation=45, ha="right", fontsize=8)
    axes.set_yticks(ticks, legend.names, fontsize=8)
    axes.set_xlabel("predicted", color=INK)
    axes.set_ylabel("truth", color=INK)
    axes.set_title(title, fontsize=10, color=INK, weight="bold")
    return save(figure, path)


def draw_reliability(found: Reliability, before: Reliability, path: Path, title: str) -> Path:
    """Draw accuracy against confidence before and after temperature scaling, with a histogram.

    A calibrated classifier lies on the diagonal.
    """
    figure = new_figure(5.4, 6.0)
    top = figure.add_axes((0.13, 0.36, 0.82, 0.54))
    low = figure.add_axes((0.13, 0.09, 0.82, 0.17))
    bins = len(found.count)
    centres = (np.arange(bins) + 0.5) / bins
    top.plot([0, 1], [0, 1], color="#999999", linewidth=1, linestyle=":")
    for item, colour, name in (
        (before, "#d98c3f", f"before scaling, ECE {before.error:.4f}"),
        (found, "#2a6f9e", f"as shipped, ECE {found.error:.4f}"),
    ):
        held = item.count > 0
        top.plot(
            item.confidence[held], item.accuracy[held], marker="o", markersize=4, color=colour,
            label=name,
        )  # fmt: skip
    top.set(xlim=(0, 1), ylim=(0, 1.02))
    top.set_ylabel("accuracy", color=INK)
    top.legend(fontsize=8, frameon=False, loc="upper left")
    top.set_title(title, fontsize=10, color=INK, weight="bold")
    low.bar(centres, found.count, width=0.9 / bins, color="#2a6f9e")
    low.set(xlim=(0, 1))
    low.set_yscale("symlog")
    low.set_xlabel("confidence", color=INK)
    low.set_ylabel("patches", color=INK)
    for axes in (top, low):
        axes.spines[["top", "right"]].set_visible(False)
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
