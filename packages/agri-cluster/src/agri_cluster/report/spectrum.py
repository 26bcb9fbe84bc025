"""The spectral profile of one cluster as a small chart; the template `spectrum.svg` draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agri_cluster.report.palette import colour
from agri_cluster.report.profile import Doubles, Profiles

WIDTH, HEIGHT = 270, 132
LEFT, RIGHT, TOP, BOTTOM = 34, 262, 10, 108
CROWDED = 7
"""Bands beyond which their names are written upright."""


@dataclass(frozen=True, slots=True)
class Spectrum:
    """The chart of one cluster, in its own pixels of WIDTH x HEIGHT.

    Attributes:
        colour: the cluster's.
        deviation: outline of one standard deviation to each side of the mean, SVG path data.
        mean: the cluster's mean of each band, SVG path data.
        overall: the mean of all tiles, SVG path data.
        dots: (x, y) of the means.
        ticks: (y, value) of the axis.
        names: (x, name) of the bands.
    """

    colour: str
    deviation: str
    mean: str
    overall: str
    dots: tuple[tuple[float, float], ...]
    ticks: tuple[tuple[float, float], ...]
    names: tuple[tuple[float, str], ...]
    size: tuple[int, int] = (WIDTH, HEIGHT)
    axis: tuple[int, int, int] = (LEFT, RIGHT, BOTTOM)

    @property
    def crowded(self) -> bool:
        """Whether there are too many bands for their names to lie side by side."""
        return len(self.names) > CROWDED


def spectrum(found: Profiles, cluster: int, overall: Doubles, top: float) -> Spectrum | None:
    """Chart a cluster's band means, one deviation to each side, and the mean of all tiles.

    `overall` is `(C,)`; the axis goes from 0 to `top` on every card, so that cards compare. None
    where the cluster has no pixel with data.
    """
    mean, deviation = found.mean[cluster], found.deviation[cluster]
    if not np.isfinite(mean).any():
        return None
    x = np.linspace(LEFT + 12, RIGHT - 8, len(mean)).tolist()
    y = _level(mean, top)
    low, high = _level(mean - deviation, top), _level(mean + deviation, top)
    return Spectrum(
        colour=colour(cluster),
        deviation=_path([*x, *reversed(x)], [*high, *reversed(low)]) + "Z",
        mean=_path(x, y),
        overall=_path(x, _level(overall, top)),
        dots=tuple(zip(x, y, strict=True)),
        ticks=tuple((BOTTOM - share * (BOTTOM - TOP), top * share) for share in (0.0, 0.5, 1.0)),
        names=tuple(zip(x, (band.name for band in found.bands), strict=True)),
    )


def highest(found: Profiles) -> float:
    """Return the end of the axis of all cards: a round number above nearly every profile."""
    peaks = (found.mean + found.deviation).max(axis=1)
    peaks = peaks[np.isfinite(peaks)]
    # The 98th percentile: a single cluster of snow or cloud would flatten all other charts.
    peak = float(np.percentile(peaks, 98)) if peaks.size else 1.0
    power = 10.0 ** np.floor(np.log10(peak)) if peak > 0 else 1.0
    steps = [step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10)]
    return float(next(step for step in steps if step >= peak))


def _level(values: Doubles, top: float) -> list[float]:
    # A little beyond the axis, so that a line that leaves it is seen to leave.
    share = np.clip(np.nan_to_num(values) / top, -0.02, 1.02)
    found: list[float] = (BOTTOM - share * (BOTTOM - TOP)).tolist()
    return found


def _path(x: Sequence[float], y: Sequence[float]) -> str:
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))
