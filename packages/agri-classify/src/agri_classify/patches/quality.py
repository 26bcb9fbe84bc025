"""How finely a JPEG was saved, and what a model makes of coarser files than it learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from agri_map.bundle.spec import BundleSpec

QUALITIES = (95, 90, 75, 50)
"""At which a training judges its model; OpenCV saves at 95 unless told, Pillow at 75."""

KEY = "jpeg"
"""In the metrics of a bundle: accuracy by quality."""

FINE = 97
"""From here on a JPEG passes for lossless."""

TOLERATED = 0.01
"""Loss of accuracy that is not worth a word."""

_TABLE_MEAN = 57.625
"""Mean of the luminance table at quality 50 (ITU-T T.81, annex K), which libjpeg scales."""


def estimate_quality(tables: Mapping[int, Sequence[int]]) -> int:
    """Return the quality 1..100 at which libjpeg makes a luminance table of the same mean.

    Args:
        tables: of quantisation, by number, as Pillow gives them; the lowest is the luminance.
    """
    percent = 100 * float(np.mean(tables[min(tables)])) / _TABLE_MEAN if tables else 0.0
    # libjpeg's scaling inverted: its table is s % of the one at quality 50, with s = 200 - 2 q
    # from 50 on and s = 5000 / q below. The mean of 64 entries evens out their rounding.
    return round(100 - percent / 2 if percent <= 100 else 5000 / percent)


def doubt(quality: int, spec: BundleSpec) -> str:
    """Return what to say of an answer to a JPEG of this quality, "" for nothing.

    A bundle that was judged on patches saved again tells how many of them it got right; of others
    nothing is known, and networks that learned from fine pictures fail on coarse ones.
    """
    if quality >= FINE:
        return ""
    known, best = _known(spec), spec.metrics.get("accuracy")
    coarser = [level for level in known if level <= quality]
    if not coarser or not isinstance(best, float):
        return f"JPEG of quality {quality}: fine texture is lost, doubt this"
    level = max(coarser)
    if best - known[level] < TOLERATED:
        return ""
    return (
        f"JPEG of quality {quality}: fine texture is lost; at quality {level} "
        f"{100 * known[level]:.1f} % are right instead of {100 * best:.1f} %"
    )


def _known(spec: BundleSpec) -> dict[int, float]:
    found = spec.metrics.get(KEY)
    pairs = found.items() if isinstance(found, dict) else ()
    return {int(key): value for key, value in pairs if key.isdecimal() and isinstance(value, float)}
