"""Figures of a study: accuracy with 95 % CI, and F1 of each class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from agri_data.figures.figure import INK, LINE, axes_at, new_chart, new_figure, save, style

from agri_classify.training.study.study import Outcome

OWN, SIMPLE = "#2a6f9e", "#d98c3f"
MARKERS = ("|", "D", "^", "s")


def draw_cases(outcomes: Sequence[Outcome], path: Path, title: str) -> Path:
    """Draw one row per case: accuracy and baselines on the left, F1 of each class on the right."""
    classes = list(outcomes[0].f1)
    width, height = 6.4 + 0.52 * len(classes), 0.27 * len(outcomes) + 2.5
    figure = new_figure(width, height)
    left = axes_at(figure, (1.75, 1.6, 4.0, height - 2.15))
    right = axes_at(figure, (5.95, 1.6, 0.5 * len(classes), height - 2.15))
    right.sharey(left)
    y = np.arange(len(outcomes))
    _spread(left, outcomes, y)
    left.set_yticks(y, [item.name for item in outcomes])
    left.set_ylim(len(outcomes) - 0.5, -0.5)
    left.grid(axis="x", color=LINE, linewidth=0.7)
    left.set_axisbelow(True)
    left.set_xlabel("accuracy")
    style(left)
    left.spines["left"].set_visible(False)
    left.tick_params(axis="y", length=0)
    figure.legend(
        *left.get_legend_handles_labels(), loc="lower left", ncols=2, fontsize=8, frameon=False,
        bbox_to_anchor=(0.3 / width, 0.05 / height),
    )  # fmt: skip
    _heat(right, outcomes, classes)
    figure.suptitle(
        title, x=0.15 / width, y=1 - 0.12 / height, ha="left", va="top", fontsize=10, color=INK,
        weight="bold",
    )  # fmt: skip
    return save(figure, path)


def draw_curve(outcomes: Sequence[Outcome], path: Path, title: str) -> Path:
    """Draw accuracy and baselines against the number of training patches."""
    figure, axes = new_chart(6.4, 4.4, title)
    found = sorted(outcomes, key=lambda item: item.train)
    x = [item.train for item in found]
    axes.errorbar(
        x, [item.accuracy for item in found], yerr=_errors(found), color=OWN, marker="o",
        markersize=4, linewidth=1.6, capsize=2, label="network, 95 % CI",
    )  # fmt: skip
    shades = ("#bbbbbb", SIMPLE, "#7a9a4a", "#8a6fae")
    for way, shade in zip(found[0].baselines, shades, strict=False):
        y = [item.baselines[way] for item in found]
        axes.plot(x, y, color=shade, marker=".", linewidth=1.2, label=way)
    axes.set_xscale("log")
    axes.set_xticks(x, [f"{count:,}" for count in x])
    axes.minorticks_off()
    axes.set_ylim(0, 1.02)
    axes.grid(axis="y", color=LINE, linewidth=0.7)
    axes.set(xlabel="patches with a label (log scale)", ylabel="accuracy")
    axes.legend(fontsize=8, frameon=False, loc="lower right")
    return save(figure, path)


def _spread(axes: Any, outcomes: Sequence[Outcome], y: np.ndarray[Any, Any]) -> None:
    for number, way in enumerate(outcomes[0].baselines):
        axes.plot(
            [item.baselines[way] for item in outcomes], y, MARKERS[number % len(MARKERS)],
            color=SIMPLE, markersize=5, markerfacecolor="none", linestyle="none", label=way,
        )  # fmt: skip
    axes.errorbar(
        [item.accuracy for item in outcomes], y, xerr=_errors(outcomes), fmt="o", color=OWN,
        markersize=5, linewidth=1.4, capsize=2, label="network, 95 % CI",
    )  # fmt: skip


def _errors(outcomes: Sequence[Outcome]) -> np.ndarray[Any, Any]:
    """Return the error bars `(2, N)` of the intervals; 0 without an interval."""
    sides = [
        (item.accuracy - (item.interval[0] if item.interval[0] is not None else item.accuracy),
         (item.interval[1] if item.interval[1] is not None else item.accuracy) - item.accuracy)
        for item in outcomes
    ]  # fmt: skip
    return np.maximum(np.array(sides, np.float64).T, 0)


def _heat(axes: Any, outcomes: Sequence[Outcome], classes: Sequence[str]) -> None:
    held = [[item.f1[name] for name in classes] for item in outcomes]
    values = np.array([[np.nan if v is None else v for v in row] for row in held], np.float64)
    axes.imshow(values, cmap="YlGnBu", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        if not np.isnan(value):
            ink = "white" if value > 0.6 else INK
            axes.text(
                column, row, f"{100 * value:.0f}", ha="center", va="center", fontsize=7, color=ink
            )
    axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right", fontsize=8)
    axes.tick_params(axis="y", labelleft=False, length=0)
    axes.set_title("F1 of each class, %", fontsize=8, color=INK)
    axes.spines[:].set_visible(False)
