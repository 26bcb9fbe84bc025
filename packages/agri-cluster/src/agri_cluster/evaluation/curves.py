"""The chart of a suggested number of clusters: each rule's curve, its vote, and the range."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agri_data.figures.figure import INK, new_figure, save

from agri_cluster.evaluation.choose import Suggestion

RULES = {
    "silhouette": "Silhouette (higher is better)",
    "davies_bouldin": "Davies-Bouldin (lower is better)",
    "gap": "Gap statistic (first within one error of the next)",
    "eigengap": "Eigengap of the neighbour graph (higher is better)",
}
LINE, BAND = "#1f77b4", "#f3e3b3"


def draw_suggestion(suggestion: Suggestion, path: Path) -> Path:
    """Draw one panel a rule as a PNG."""
    figure = new_figure(9.0, 6.2)
    figure.set_layout_engine("constrained")
    low, high = suggestion.low, suggestion.high
    told = f"{low} clusters" if low == high else f"{low} to {high} clusters"
    figure.suptitle(
        f"How many clusters? {told}, try {suggestion.best} first", fontsize=12, color=INK,
        weight="bold", x=0.01, ha="left",
    )  # fmt: skip
    for axes, (rule, title) in zip(figure.subplots(2, 2).flat, RULES.items(), strict=True):
        _draw(axes, suggestion, rule, title)
    return save(figure, path)


def _draw(axes: Any, suggestion: Suggestion, rule: str, title: str) -> None:
    tried, curve = suggestion.candidates, suggestion.curves[rule]
    vote = suggestion.votes[rule]
    axes.axvspan(suggestion.low - 0.5, suggestion.high + 0.5, color=BAND, linewidth=0)
    axes.plot(tried, curve, color=LINE, marker="o", markersize=3, linewidth=1.2)
    if rule == "gap":
        axes.errorbar(tried, curve, suggestion.curves["gap_error"], fmt="none", ecolor=LINE, lw=0.8)
    if vote is not None:
        axes.plot(vote, curve[tried.index(vote)], "o", color="#d62728", markersize=8, zorder=3)
    axes.set_title(
        f"{title}: {'none' if vote is None else vote}", fontsize=9, color=INK, loc="left"
    )
    axes.set_xlabel("clusters", color=INK, fontsize=8)
    axes.tick_params(colors=INK, labelsize=8)
    axes.xaxis.get_major_locator().set_params(integer=True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
