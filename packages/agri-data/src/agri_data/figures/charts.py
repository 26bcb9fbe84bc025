"""Charts of a census: bars of totals, mean shares, and a box per class over the chips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from agri_data.figures.explore import Census
from agri_data.figures.figure import INK, new_chart, save


def draw_totals(found: dict[str, Census], path: Path, title: str) -> Path:
    """Draw a log bar per class and split, labelled with its count."""
    legend, classes = _first(found).legend, len(_first(found).legend)
    figure, axes = new_chart(6.4, 0.42 * classes * max(1, len(found) * 0.6) + 1.3, title)
    deep = 0.8 / len(found)
    for place, (name, item) in enumerate(found.items()):
        y = np.arange(classes) + (place - (len(found) - 1) / 2) * deep
        colours = [entry.colour for entry in legend.classes]
        # A logarithmic axis has no 0.
        axes.barh(y, np.maximum(item.totals, 0.5), deep * 0.92, color=colours, linewidth=0)
        for at, count in zip(y, item.totals, strict=True):
            label = f" {name}  {_short(int(count))}"
            axes.text(max(count, 1), at, label, va="center", fontsize=7, color=INK)
    axes.set_xscale("log")
    highest = max(int(item.totals.max()) for item in found.values())
    axes.set_xlim(1, max(highest, 10) * 12)
    axes.set_xlabel("chips" if _first(found).patches else "labelled pixels (log scale)")
    _name_classes(axes, legend.names)
    return save(figure, path)


def draw_shares(found: dict[str, Census], path: Path, title: str) -> Path:
    """Draw one stacked bar per split: the mean share of each class over its chips."""
    legend = _first(found).legend
    figure, axes = new_chart(7.2, 0.55 * len(found) + 1.7, title)
    for y, item in enumerate(found.values()):
        left = 0.0
        for entry, share in zip(legend.classes, np.nan_to_num(item.mean_share), strict=True):
            axes.barh(y, share, 0.66, left=left, color=entry.colour, edgecolor="white", linewidth=1)
            # Narrower segments cannot hold their percentage.
            if share >= 0.035:
                ink = _contrast(entry.colour)
                axes.text(left + share / 2, y, f"{share:.0%}", ha="center", va="center",
                          fontsize=8, color=ink)  # fmt: skip
            left += float(share)
    axes.set_xlim(0, 1)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    _name_classes(axes, tuple(f"{name} ({len(i.rows)})" for name, i in found.items()))
    _legend_below(axes, legend)
    return save(figure, path)


def draw_spread(item: Census, path: Path, title: str) -> Path:
    """Draw a box per class: its share of each chip (quartiles, whiskers at 1.5 ranges, mean)."""
    legend = item.legend
    figure, axes = new_chart(6.4, 0.5 * len(legend) + 1.4, title)
    boxes = axes.boxplot(
        [column * 100 for column in item.shares.T],
        orientation="horizontal",
        positions=np.arange(len(legend)),
        widths=0.6,
        patch_artist=True,
        showmeans=True,
        medianprops={"color": INK, "linewidth": 1.4},
        meanprops={"marker": "D", "markersize": 4, "markerfacecolor": "white",
                   "markeredgecolor": INK},
        flierprops={"marker": ".", "markersize": 2, "markeredgecolor": "#999999"},
    )  # fmt: skip
    for box, entry in zip(boxes["boxes"], legend.classes, strict=True):
        box.set_facecolor(entry.colour)
        box.set_edgecolor(INK)
    axes.set_xlim(-2, 102)
    axes.set_xlabel("share of the chip, % (line: median, diamond: mean)")
    _name_classes(axes, legend.names)
    return save(figure, path)


def _first(found: dict[str, Census]) -> Census:
    return next(iter(found.values()))


def _name_classes(axes: Any, names: tuple[str, ...]) -> None:
    axes.spines["left"].set_visible(False)
    axes.set_yticks(np.arange(len(names)), names)
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()


def _legend_below(axes: Any, legend: Any) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(facecolor=entry.colour, label=entry.name) for entry in legend.classes]
    columns = min(len(handles), 6)
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=columns,
                frameon=False, fontsize=8, labelcolor=INK, handlelength=1.2)  # fmt: skip


def _contrast(colour: str) -> str:
    red, green, blue = bytes.fromhex(colour[1:])
    # Luma of ITU-R BT.601, the brightness that the eye sees.
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "white"


def _short(count: int) -> str:
    for size, mark in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= size:
            return f"{count / size:.3g} {mark}"
    return str(count)
