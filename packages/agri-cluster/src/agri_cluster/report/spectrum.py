"""The spectral profile of one cluster as a small drawing (SVG) for its card."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from agri_cluster.report.palette import colour
from agri_cluster.report.profile import Doubles, Profiles

WIDTH, HEIGHT = 270, 132
LEFT, RIGHT, TOP, BOTTOM = 34, 262, 10, 108
CROWDED = 7


def spectrum(found: Profiles, cluster: int, overall: Doubles, top: float) -> str:
    """Draw a cluster's band means with a deviation to each side, the mean of all tiles in grey.

    `overall` is `(C,)`; the axis goes from 0 to `top` on every card, so that cards compare.
    """
    mean, deviation = found.mean[cluster], found.deviation[cluster]
    if not np.isfinite(mean).any():
        return '<p class="soft">no pixel with data</p>'
    x = np.linspace(LEFT + 12, RIGHT - 8, len(mean))
    low, high = _level(mean - deviation, top), _level(mean + deviation, top)
    ink = colour(cluster)
    band = _path([*x, *x[::-1]], [*high, *low[::-1]])
    dots = "".join(
        f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.2" fill="{ink}"/>'
        for a, b in zip(x, _level(mean, top), strict=True)
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="mean of each band">'
        f'{_axis(top)}<path d="{band}Z" fill="{ink}" fill-opacity=".16"/>'
        f'<path d="{_path(x, _level(overall, top))}" class="all"/>'
        f'<path d="{_path(x, _level(mean, top))}" class="own" stroke="{ink}"/>{dots}'
        f"{_names([item.name for item in found.bands], x)}</svg>"
    )


def highest(found: Profiles) -> float:
    """Return the end of the axis of all cards: a round number above nearly every profile."""
    peaks = (found.mean + found.deviation).max(axis=1)
    peaks = peaks[np.isfinite(peaks)]
    peak = float(np.percentile(peaks, 98)) if peaks.size else 1.0
    power = 10.0 ** np.floor(np.log10(peak)) if peak > 0 else 1.0
    steps = [step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10)]
    return float(next(step for step in steps if step >= peak))


def _level(values: Doubles, top: float) -> Doubles:
    share = np.clip(np.nan_to_num(values) / top, -0.02, 1.02)
    return np.asarray(BOTTOM - share * (BOTTOM - TOP), np.float64)


def _path(x: Sequence[float] | Doubles, y: Sequence[float] | Doubles) -> str:
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))


def _axis(top: float) -> str:
    lines = []
    for share in (0.0, 0.5, 1.0):
        y = BOTTOM - share * (BOTTOM - TOP)
        lines.append(
            f'<path d="M{LEFT} {y}H{RIGHT}" class="grid"/>'
            f'<text x="{LEFT - 4}" y="{y + 3}" text-anchor="end">{top * share:g}</text>'
        )
    return "".join(lines)


def _names(names: Sequence[str], x: Doubles) -> str:
    if len(names) <= CROWDED:
        return "".join(
            f'<text x="{a:.1f}" y="{BOTTOM + 14}" text-anchor="middle">{escape(name)}</text>'
            for name, a in zip(names, x, strict=True)
        )
    return "".join(
        f'<text transform="translate({a + 3:.1f} {BOTTOM + 5}) rotate(-90)" text-anchor="end">'
        f"{escape(name)}</text>"
        for name, a in zip(names, x, strict=True)
    )
