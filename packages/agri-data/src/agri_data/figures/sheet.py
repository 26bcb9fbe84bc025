"""A sheet: rows of captioned panels under one title, with the legend, as a PNG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.errors import InputError
from agri_core.legend import IGNORE_COLOUR, Legend
from numpy.typing import NDArray

from agri_data.figures.figure import INK, axes_at, new_figure, save

# Inches, and the characters of a caption of 7.5 points that fit on so many.
PANEL = 2.1
LONGEST = 36


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture `(H, W, 3)` uint8, its caption, and a note for the right end of the caption."""

    image: NDArray[np.uint8]
    title: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be shown."""
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise InputError(
                f"a panel is a picture (H, W, 3) of uint8, got {self.image.dtype} "
                f"{self.image.shape}; use composite or colourise"
            )


def sheet(
    rows: Sequence[Sequence[Panel]],
    legend: Legend | None,
    path: Path,
    title: str,
    panel: float = PANEL,
) -> Path:
    """Draw rows of panels, each `panel` inches wide, with title and legend; rows may differ."""
    columns = max((len(row) for row in rows), default=0)
    if columns == 0:
        raise InputError(f"nothing to draw on {path.name}: no panels")
    width = max(columns * (panel + 0.12) + 0.2, 3.6)
    ratio = max(p.image.shape[0] / p.image.shape[1] for row in rows for p in row)
    per_row = panel * min(ratio, 3.0) + 0.34
    lines = _legend_lines(legend, width)
    top, bottom = 0.45, 0.12 + 0.22 * lines
    height = len(rows) * per_row + top + bottom
    figure = new_figure(width, height)
    figure.suptitle(title, y=1 - 0.1 / height, va="top", fontsize=11, color=INK, weight="bold")
    for r, row in enumerate(rows):
        for c, item in enumerate(row):
            left = 0.1 + c * (panel + 0.12) + (width - 0.2 - columns * (panel + 0.12)) / 2 + 0.06
            low = height - top - (r + 1) * per_row
            axes = axes_at(figure, (left, low, panel, per_row - 0.34))
            _draw(axes, item, int(LONGEST * panel / PANEL))
    if legend is not None:
        draw_legend(figure, legend, width)
    return save(figure, path)


def _draw(axes: Any, item: Panel, longest: int) -> None:
    # Small chips are enlarged, and interpolation would blur their pixels.
    few = max(item.image.shape[:2]) < 400
    axes.imshow(item.image, interpolation="nearest" if few else "antialiased")
    axes.set_title(shortened(item.title, longest), fontsize=7.5, color=INK, pad=3)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color("#bbbbbb")
        spine.set_linewidth(0.6)


def shortened(text: str, longest: int = LONGEST) -> str:
    """Cut each line in the middle so that both ends of a long name stay readable."""
    half = (longest - 1) // 2
    lines = text.split("\n")
    return "\n".join(x if len(x) <= longest else f"{x[:half]}…{x[-half:]}" for x in lines)


def _legend_columns(legend: Legend, width: float) -> int:
    longest = max(len(name) for name in (*legend.names, "no label"))
    return max(1, min(len(legend) + 1, int(width / (0.42 + 0.075 * longest))))


def _legend_lines(legend: Legend | None, width: float) -> int:
    if legend is None:
        return 0
    return -(-(len(legend) + 1) // _legend_columns(legend, width))


def draw_legend(figure: Any, legend: Legend, width: float) -> None:
    """Draw every class with its colour, and the colour of pixels without a label, at the foot."""
    from matplotlib.patches import Patch

    entries = [*((item.name, item.colour) for item in legend.classes), ("no label", IGNORE_COLOUR)]
    patches = [
        Patch(facecolor=colour, edgecolor="#888888", linewidth=0.5, label=name)
        for name, colour in entries
    ]
    figure.legend(
        handles=patches,
        loc="lower center",
        ncols=_legend_columns(legend, width),
        fontsize=8,
        frameon=False,
        labelcolor=INK,
        handlelength=1.2,
        columnspacing=1.3,
        borderaxespad=0.2,
    )
