"""One look for a cluster wherever it is drawn: a colour, and past 20 clusters a marker too."""

from __future__ import annotations

COLOURS = (
    "#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#e67e00", "#12a5b8", "#8c564b", "#d94fa8",
    "#6b8e23", "#1b2f8a", "#b8930b", "#00806b", "#7a0019", "#6f7b83", "#ff5c5c", "#5d3fd3",
    "#3f9bff", "#0b5d1e", "#c2571a", "#2b2b2b",
)  # fmt: skip
MARKERS = ("o", "s", "^", "D", "v")


def colour(cluster: int) -> str:
    """Return the colour of a cluster as "#rrggbb", dark enough to be read on white."""
    return COLOURS[cluster % len(COLOURS)]


def marker(cluster: int) -> str:
    """Return the matplotlib marker of a cluster; with the colour, unique for 100 clusters."""
    return MARKERS[cluster // len(COLOURS) % len(MARKERS)]
