"""Charts of a clustering: its training, and the size, silhouette and confidence of clusters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from agri_data.figures.figure import INK, new_figure, save
from numpy.typing import ArrayLike

from agri_cluster.report.groups import Group
from agri_cluster.report.palette import colour

BLUE, RED, GREY = "#1f77b4", "#b3261e", "#8a949b"
NUMBERED = 130
"""Clusters beyond which bars carry no number."""


def draw_refreshes(history: pd.DataFrame, clusters: int, path: Path) -> Path:
    """Draw used clusters and churn over the iterations; a ring where centres were moved."""
    figure = new_figure(6.4, 4.4)
    figure.set_layout_engine("constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    x = history["iteration"].to_numpy(np.float64)
    _dress(upper, "Clusters in use")
    upper.axhline(clusters, color=GREY, linewidth=1, linestyle="--")
    upper.text(x.max(), clusters, f"{clusters} requested", ha="right", va="bottom", fontsize=8,
               color=GREY)  # fmt: skip
    upper.plot(x, history["used"], color=BLUE, marker="o", markersize=3.5)
    moved = history["reseeded"].to_numpy(np.float64) > 0
    if moved.any():
        upper.plot(x[moved], history["used"][moved], "o", markersize=9, markerfacecolor="none",
                   markeredgecolor=RED)  # fmt: skip
        upper.text(0.01, 0.04, "ring: empty clusters were reseeded", fontsize=8, color=RED,
                   transform=upper.transAxes)  # fmt: skip
    upper.set_ylim(0, clusters * 1.18)
    _dress(lower, "Tiles that changed cluster since the last refresh, %")
    lower.plot(x, _percent(history["changed"]), color=BLUE, marker="o", markersize=3.5)
    lower.set_ylim(bottom=0)
    lower.set_xlabel("iteration", color=INK, fontsize=9)
    return save(figure, path)


def draw_loss(pretrain: pd.DataFrame, path: Path) -> Path:
    """Draw the loss of the pretraining over its epochs."""
    figure, axes = _chart(6.4, 2.4, "Pretraining loss")
    axes.plot(pretrain["epoch"], pretrain["loss"], color=BLUE, linewidth=1.6)
    axes.set_xlabel("epoch", color=INK, fontsize=9)
    return save(figure, path)


def draw_sizes(groups: Sequence[Group], path: Path) -> Path:
    """Draw a bar per cluster, the largest first, in its colour and with its number."""
    ranked = sorted(groups, key=lambda group: -group.tiles)
    return _bars(ranked, [group.tiles for group in ranked], "Tiles per cluster", path)


def draw_silhouettes(groups: Sequence[Group], path: Path) -> Path:
    """Draw the mean silhouette of each cluster, the highest first."""
    known = [group for group in groups if group.silhouette is not None]
    ranked = sorted(known, key=lambda group: -(group.silhouette or 0.0))
    title = "Silhouette of each cluster in the embedding"
    return _bars(ranked, [group.silhouette or 0.0 for group in ranked], title, path)


def draw_confidence(confidence: ArrayLike, clusters: int, path: Path) -> Path:
    """Draw the confidence of the tiles, with that of a uniform assignment marked."""
    figure, axes = _chart(6.4, 2.8, "Confidence of the tiles")
    axes.hist(np.asarray(confidence, np.float64), bins=np.linspace(0, 1, 41).tolist(), color=BLUE)
    axes.axvline(1 / clusters, color=GREY, linewidth=1, linestyle="--")
    axes.annotate(f"1/{clusters}: uniform", (1 / clusters, 1), xycoords=("data", "axes fraction"),
                  xytext=(4, -3), textcoords="offset points", va="top", fontsize=8,
                  color=GREY)  # fmt: skip
    axes.set_xlim(0, 1)
    axes.set_xlabel("largest soft assignment", color=INK, fontsize=9)
    axes.set_ylabel("tiles", color=INK, fontsize=9)
    return save(figure, path)


def _bars(groups: Sequence[Group], heights: Sequence[float], title: str, path: Path) -> Path:
    many = len(groups) > 24
    figure, axes = _chart(13.2 if many else 6.4, 2.8, title)
    x = np.arange(len(groups))
    axes.bar(x, heights, 0.8, color=[colour(group.cluster) for group in groups], linewidth=0)
    axes.set_xlim(-0.7, len(groups) - 0.3)
    axes.tick_params(axis="x", length=0)
    named = [str(group.cluster) for group in groups] if len(groups) <= NUMBERED else []
    axes.set_xticks(x[: len(named)], named, rotation=90 if len(groups) > 50 else 0)
    axes.tick_params(axis="x", labelsize=7 if many else 8, pad=1)
    if min(heights, default=0) < 0:
        axes.axhline(0, color=GREY, linewidth=1)
    return save(figure, path)


def _percent(shares: Any) -> Any:
    return pd.to_numeric(shares, errors="coerce") * 100


def _chart(width: float, height: float, title: str) -> tuple[Any, Any]:
    figure = new_figure(width, height)
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    _dress(axes, title)
    return figure, axes


def _dress(axes: Any, title: str) -> None:
    axes.set_title(title, fontsize=10, color=INK, weight="bold", loc="left")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#bbbbbb")
    axes.tick_params(colors=INK, labelsize=8)
    axes.grid(axis="y", color="#eceff1", linewidth=0.8)
    axes.set_axisbelow(True)
