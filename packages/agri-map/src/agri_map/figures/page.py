"""The printed page of a map: panels side by side, legend with hectares, scale, north, footer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from agri_data.figures.figure import INK, LINE, MUTED, axes_at, new_figure, save
from agri_data.figures.picture import scale_bar
from agri_data.figures.sheet import Panel
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle
from numpy.typing import NDArray

# Inches: width of a panel, of the legend and between them; then the margins of the page.
PANEL, SIDE, GAP = 4.7, 2.9, 0.28
TOP, BOTTOM, TITLE = 0.95, 0.55, 0.32
DPI = 150
"""Finer than other figures, since a map is looked at closely and printed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the legend: colour, name, and a right-hand text such as hectares."""

    colour: str
    name: str
    value: str = ""
    share: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A titled group of legend lines, or a colour ramp from `low` to `high`."""

    title: str
    entries: tuple[Entry, ...] = ()
    ramp: NDArray[np.uint8] | None = None
    ends: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Page:
    """Everything on the page of a map.

    Attributes:
        title: Headline.
        subtitle: Line under it.
        panels: Pictures of one size, in reading order.
        blocks: The legend.
        footer: Small print.
        metres: Ground width of an image pixel, None when unknown: no scale bar then.
        aspect: Height over width of an image pixel on the ground.
        north: Direction of north on the page, degrees clockwise from up; None draws no arrow.
    """

    title: str
    subtitle: str
    panels: tuple[Panel, ...]
    blocks: tuple[Block, ...]
    footer: str
    metres: float | None
    aspect: float = 1.0
    north: float | None = 0.0


def draw_page(page: Page, path: Path) -> Path:
    """Draw the page as a PNG."""
    return save(layout(page), path)


def layout(page: Page) -> Figure:
    """Place panels in a grid; the legend takes an empty cell, else a column at the right."""
    count = len(page.panels)
    columns = count if count <= 3 else math.ceil(count / 2)
    rows = math.ceil(count / columns)
    width, height = _panel_size(page)
    empty = count < columns * rows and width >= SIDE
    above = (rows - 1) * (height + TITLE + GAP) if empty else 0.0
    body = max(rows * (height + TITLE + GAP), above + _legend_height(page.blocks))
    size = (columns * (width + GAP) + GAP + (0 if empty else SIDE + GAP), body + TOP + BOTTOM)
    figure = new_figure(*size, dpi=DPI)
    for number, panel in enumerate(page.panels):
        row, column = divmod(number, columns)
        left, top = GAP + column * (width + GAP), TOP + row * (height + TITLE + GAP) + TITLE
        axes = axes_at(figure, (left, size[1] - top - height, width, height))
        _draw_panel(axes, panel, page, first=number == 0)
    column, row = (columns - 1, rows - 1) if empty else (columns, 0)
    corner = (2 * GAP + column * (width + GAP), TOP + row * (height + TITLE + GAP))
    _draw_legend(figure, page.blocks, corner)
    _draw_texts(figure, page)
    return figure


def _panel_size(page: Page) -> tuple[float, float]:
    height, width = page.panels[0].image.shape[:2]
    # Longer scenes are squeezed to 5 : 1, else the page could not be read.
    ratio = min(max(height * page.aspect / width, 0.2), 5.0)
    return (PANEL, PANEL * ratio) if ratio <= 1 else (PANEL / ratio**0.5, PANEL * ratio**0.5)


def _draw_panel(axes: Axes, panel: Panel, page: Page, first: bool) -> None:
    axes.imshow(panel.image, interpolation="nearest", aspect="auto")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color(LINE)
    axes.set_title(panel.title, loc="left", fontsize=10, color=INK, fontweight="bold", pad=5)
    if panel.note:
        axes.set_title(panel.note, loc="right", fontsize=8, color=MUTED, pad=5)
    if first:
        _draw_scale(axes, panel.image.shape[1], page.metres)
        _draw_north(axes, page.north)


def _draw_scale(axes: Axes, width: int, metres: float | None) -> None:
    if metres is None:
        return
    bar = scale_bar(width, metres)
    length = bar.pixels / width
    axes.add_patch(
        FancyBboxPatch(
            (0.03, 0.03), length + 0.04, 0.055, transform=axes.transAxes, facecolor="white",
            edgecolor="none", alpha=0.82, boxstyle="round,pad=0,rounding_size=0.008", zorder=3,
        )
    )  # fmt: skip
    axes.add_patch(
        Rectangle((0.05, 0.04), length, 0.009, transform=axes.transAxes, color=INK, zorder=4)
    )
    axes.text(
        0.05 + length / 2, 0.053, bar.label, transform=axes.transAxes, fontsize=8, color=INK,
        ha="center", va="bottom", zorder=4,
    )  # fmt: skip


def _draw_north(axes: Axes, north: float | None) -> None:
    if north is None:
        return
    box = axes.inset_axes((0.895, 0.865, 0.09, 0.12), zorder=5)
    box.set_xlim(-1, 1)
    box.set_ylim(-1, 1)
    box.set_aspect("equal")
    box.axis("off")
    box.patch.set_alpha(0)
    turn = math.radians(north)
    cosine, sine = math.cos(turn), math.sin(turn)

    def place(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(x * cosine + y * sine, -x * sine + y * cosine) for x, y in points]

    shape = place([(0, 0.55), (0.38, -0.75), (0, -0.45), (-0.38, -0.75)])
    box.fill(*zip(*shape, strict=True), facecolor=INK, edgecolor="white", linewidth=0.8)
    x, y = place([(0, 0.82)])[0]
    box.text(
        x, y, "N", ha="center", va="center", fontsize=8, fontweight="bold", color=INK,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6},
    )  # fmt: skip


def _legend_height(blocks: Sequence[Block]) -> float:
    return sum(
        0.62 + (0.26 * len(block.entries) if block.ramp is None else 0.42) for block in blocks
    )


def _draw_legend(figure: Figure, blocks: Sequence[Block], corner: tuple[float, float]) -> None:
    """Draw the blocks below each other from `corner`, inches from the left and from the top."""
    left, top = corner
    height = figure.get_figheight() - top - BOTTOM
    axes = axes_at(figure, (left, BOTTOM, SIDE, height))
    axes.set_xlim(0, SIDE)
    axes.set_ylim(height, 0)
    axes.axis("off")
    y = 0.2
    for block in blocks:
        axes.text(0, y, block.title, fontsize=10, fontweight="bold", color=INK, va="center")
        axes.plot([0, SIDE - 0.1], [y + 0.19, y + 0.19], color=LINE, linewidth=0.8)
        y += 0.38
        y = _draw_entries(axes, block, y) if block.ramp is None else _draw_ramp(axes, block, y)
        y += 0.24
    axes.set_xlim(0, SIDE)
    axes.set_ylim(height, 0)


def _draw_entries(axes: Axes, block: Block, y: float) -> float:
    for entry in block.entries:
        if entry.colour:
            axes.add_patch(
                Rectangle(
                    (0, y - 0.08), 0.22, 0.16, facecolor=entry.colour, edgecolor="#7d8894",
                    linewidth=0.5,
                )
            )  # fmt: skip
        name = entry.name if len(entry.name) <= 15 or not entry.value else entry.name[:14] + "…"
        axes.text(0.32, y, name, fontsize=9, color=INK, va="center")
        axes.text(2.18, y, entry.value, fontsize=9, color=INK, va="center", ha="right")
        axes.text(SIDE - 0.1, y, entry.share, fontsize=9, color=MUTED, va="center", ha="right")
        y += 0.26
    return y


def _draw_ramp(axes: Axes, block: Block, y: float) -> float:
    assert block.ramp is not None
    axes.imshow(block.ramp, extent=(0, SIDE - 0.1, y + 0.1, y - 0.08), aspect="auto")
    low, high = block.ends
    axes.text(0, y + 0.24, low, fontsize=8, color=MUTED, va="center")
    axes.text(SIDE - 0.1, y + 0.24, high, fontsize=8, color=MUTED, va="center", ha="right")
    return y + 0.42


def _draw_texts(figure: Figure, page: Page) -> None:
    width, height = figure.get_size_inches()
    x = GAP / width
    figure.text(
        x, 1 - 0.3 / height, page.title, fontsize=15, fontweight="bold", color=INK, va="center"
    )
    figure.text(x, 1 - 0.6 / height, page.subtitle, fontsize=9.5, color=MUTED, va="center")
    figure.text(
        x, 0.24 / height, page.footer, fontsize=7.5, color=MUTED, va="center",
        linespacing=1.4,
    )  # fmt: skip
