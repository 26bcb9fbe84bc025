"""Pictures of a layout: each tile a mark of its cluster, clusters by number; and a moving one."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.atomic import replacing_file
from agri_core.files.console import progress
from agri_data.figures.figure import INK, new_figure, save

from agri_cluster.data.tiles import Ints
from agri_cluster.report.palette import MARKERS, colour, marker
from agri_cluster.report.tsne import Points, between, chosen

NAMED = 100
"""Clusters with a number on a picture: the largest ones."""

SMALL_MULTIPLES = 8
STEPS = 3
HOLD, MOVE, END = 800, 70, 2500
"""Milliseconds that the animation shows a refresh, a step between two, and the end."""


def draw_layout(points: Points, labels: Ints, path: Path, title: str) -> Path:
    """Draw tiles at `points` `(M, 2)` in the colour and marker of their clusters `(M,)`."""
    limits = _limits([points])
    figure, axes = _page(8.0, limits)
    _scatter(axes, points, labels, limits, size=15, font=9)
    axes.set_title(title, fontsize=11, color=INK, weight="bold", loc="left")
    return save(figure, path)


def draw_series(
    frames: Sequence[Points], labels: Sequence[Ints], titles: Sequence[str], path: Path
) -> Path:
    """Draw up to eight moments of a series side by side, four in a row, at one scale."""
    positions = chosen(len(frames), SMALL_MULTIPLES)
    columns = min(4, len(positions))
    rows = -(-len(positions) // columns)
    limits = _limits(frames)
    height = rows * (2.6 * _ratio(limits) + 0.28)
    figure = new_figure(columns * 2.6, height)
    for number, position in enumerate(positions):
        axes = figure.add_subplot(rows, columns, number + 1)
        _scatter(axes, frames[position], labels[position], limits, size=3, font=0)
        axes.set_title(titles[position], fontsize=8, color=INK)
    figure.subplots_adjust(0.01, 0.02, 0.99, 1 - 0.26 / height, 0.04, 0.2)
    return save(figure, path)


def animate(
    frames: Sequence[Points], labels: Sequence[Ints], titles: Sequence[str], path: Path
) -> Path:
    """Write a GIF that goes through the series and rests on the last moment."""
    from PIL import Image

    limits, moves = _limits(frames), between(frames, STEPS)
    shown = [
        Image.open(io.BytesIO(_frame(points, labels[k], limits, titles[k])))
        for k, points in progress(moves, "animation")
    ]
    common = shown[-1].quantize(64, dither=Image.Dither.NONE)
    images = [image.convert("RGB").quantize(palette=common, dither=Image.Dither.NONE)
              for image in shown]  # fmt: skip
    rests = [HOLD if number % (STEPS + 1) == 0 else MOVE for number in range(len(moves))]
    with replacing_file(path) as temporary:
        images[0].save(temporary, format="GIF", save_all=True, append_images=images[1:], loop=0,
                       duration=[*rests[:-1], END], optimize=False)  # fmt: skip
    return path


def _frame(points: Points, labels: Ints, limits: Points, title: str) -> bytes:
    figure, axes = _page(6.4, limits)
    _scatter(axes, points, labels, limits, size=9, font=7)
    axes.set_title(title, fontsize=10, color=INK, loc="left")
    sink = io.BytesIO()
    figure.savefig(sink, format="png", dpi=100)
    return sink.getvalue()


def _page(width: float, limits: Points) -> tuple[Any, Any]:
    """Return a figure of a width in inches whose axes fill it under one line of title."""
    height = width * 0.98 * _ratio(limits) + 0.42
    figure = new_figure(width, height)
    return figure, figure.add_axes((0.01, 0.06 / height, 0.98, 1 - 0.42 / height))


def _scatter(
    axes: Any, points: Points, labels: Ints, limits: Points, *, size: float, font: float
) -> None:
    marks = np.array([marker(int(cluster)) for cluster in labels])
    colours = np.array([colour(int(cluster)) for cluster in labels])
    for shape in MARKERS:
        here = marks == shape
        if here.any():
            axes.scatter(points[here, 0], points[here, 1], s=size, c=colours[here], marker=shape,
                         linewidths=0, alpha=0.75)  # fmt: skip
    axes.set_xlim(*limits[:, 0])
    axes.set_ylim(*limits[:, 1])
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color("#dddddd")
    if font:
        _number(axes, points, labels, limits, font)


def _number(axes: Any, points: Points, labels: Ints, limits: Points, font: float) -> None:
    from matplotlib.patheffects import withStroke

    found, sizes = np.unique(labels, return_counts=True)
    found = found[np.argsort(-sizes, kind="stable")][:NAMED]
    few = len(found) <= 20
    size = font * (1.4 if few else 0.8)
    positions = np.stack([_middle(points[labels == cluster]) for cluster in found])
    width = float(limits[1, 0] - limits[0, 0])
    for cluster, (x, y) in zip(found, apart(positions, width * size * 0.0033), strict=True):
        text = axes.text(x, y, str(cluster), fontsize=size, weight="bold", ha="center",
                         va="center", color=INK if few else colour(int(cluster)))  # fmt: skip
        text.set_path_effects([withStroke(linewidth=size * 0.32, foreground="white")])


def _middle(points: Points) -> Points:
    """Return the point next to the median, so that the number of a split cluster lies on it."""
    away = ((points - np.median(points, axis=0)) ** 2).sum(axis=1)
    return np.asarray(points[int(np.argmin(away))], np.float64)


def apart(positions: Points, least: float) -> Points:
    """Push positions `(K, 2)` apart that are closer than `least`, by small steps in order."""
    out = positions.copy()
    # A bound, not a tolerance: with too many labels for the page no arrangement is free of
    # overlap.
    for _ in range(40):
        gap = out[:, None] - out[None]
        distance = np.sqrt((gap**2).sum(axis=-1))
        close = (distance < least) & ~np.eye(len(out), dtype=bool)
        if not close.any():
            break
        order = np.sign(np.arange(len(out))[:, None] - np.arange(len(out))[None])
        # Two labels at one position have no direction to part in; their order gives one.
        gap = np.where(distance[..., None] > 0, gap, order[..., None] * 1e-3)
        length = np.maximum(np.sqrt((gap**2).sum(axis=-1)), 1e-9)
        # Each moves by a quarter of the missing distance, so that a label with several close ones
        # does not overshoot.
        push = np.where(close, (least - distance) / length / 4, 0.0)
        out += (gap * push[..., None]).sum(axis=1)
    return out


def _limits(frames: Sequence[Points]) -> Points:
    """Return a rectangle around all frames, `[[left, bottom], [right, top]]`, 2 to 1 at most."""
    every = np.concatenate(list(frames))
    low, high = every.min(axis=0), every.max(axis=0)
    # A single point, or all at one position, would give a page of no size.
    longest = max(float((high - low).max()), 1e-6)
    half = np.maximum(high - low, longest / 2) / 2 + longest * 0.025
    middle = (low + high) / 2
    return np.stack([middle - half, middle + half])


def _ratio(limits: Points) -> float:
    width, height = limits[1] - limits[0]
    return float(height / width)
