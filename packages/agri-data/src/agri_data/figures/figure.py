"""Figures without windows or global state, written as reproducible PNG files.

Sizes are inches from the left and the bottom edge of the page, as matplotlib has them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agri_core.files.atomic import replacing_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, LINE = "#333333", "#777777", "#e3e3e3"
"""Colours of text, of small print, and of grid lines."""

DPI = 120


def new_figure(width: float, height: float, title: str = "", *, dpi: int = DPI) -> Figure:
    """Return a figure of a size in inches; with a title the layout of its axes is automatic."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=dpi, facecolor="white")
    FigureCanvasAgg(figure)
    if title:
        figure.set_layout_engine("constrained")
        figure.suptitle(title, fontsize=11, color=INK, weight="bold")
    return figure


def new_chart(width: float, height: float, title: str) -> tuple[Figure, Axes]:
    """Return a figure that holds one chart with its title above the left edge."""
    figure = new_figure(width, height)
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=11, color=INK, weight="bold", loc="left")
    style(axes)
    return figure, axes


def axes_at(figure: Figure, box: tuple[float, float, float, float]) -> Axes:
    """Add axes at `box`: left, bottom, width and height in inches."""
    wide, high = figure.get_size_inches()
    left, bottom, width, height = box
    return figure.add_axes((left / wide, bottom / high, width / wide, height / high))


def style(axes: Axes) -> None:
    """Give axes the look of all charts: no frame at the top and right, small dark labels."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK, labelsize=8)
    axes.xaxis.label.set(color=INK, fontsize=9)
    axes.yaxis.label.set(color=INK, fontsize=9)


def name_classes(axes: Axes, names: tuple[str, ...], *, both: bool = False) -> None:
    """Write class names along x, rotated so that long ones fit; `both` writes them along y too."""
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    if both:
        axes.set_yticks(range(len(names)), names)


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG, atomically and without the date or program in it.

    Texts are drawn as they are: a "$" in the name of a class is no formula.
    """
    from matplotlib import rc_context
    from matplotlib.text import Text

    for axes in figure.axes:
        _write_powers_out(axes)
    for text in figure.findobj(Text):
        text.set_parse_math(False)
    # Labels of ticks come into being only while the figure is drawn.
    with rc_context({"text.parse_math": False}), replacing_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi="figure", metadata={"Software": None})
    return path


def _write_powers_out(axes: Axes) -> None:
    """Label logarithmic axes "1,000", since the powers of ten of matplotlib are formulas."""
    from matplotlib.ticker import FuncFormatter, LogFormatter, NullFormatter

    for axis in (axes.xaxis, axes.yaxis):
        if isinstance(axis.get_major_formatter(), LogFormatter):
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
            axis.set_minor_formatter(NullFormatter())
