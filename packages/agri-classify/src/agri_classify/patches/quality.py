"""JPEG quality of a file, and its effect on the accuracy of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from agri_map.bundle.spec import BundleSpec

QUALITIES = (95, 90, 75, 50)
"""Qualities at which a trained model is scored; OpenCV saves at 95 by default, Pillow at 75."""

KEY = "jpeg"
"""Key in the metrics of a bundle: accuracy by quality."""

FINE = 97
"""From this quality on a JPEG counts as lossless."""

TOLERATED = 0.01
"""Loss of accuracy that is not reported."""

_TABLE_MEAN = 57.625
"""Mean of the luminance table at quality 50 (ITU-T T.81, annex K), which libjpeg scales."""


def estimate_quality(tables: Mapping[int, Sequence[int]]) -> int:
    """Return the quality 1..100 at which libjpeg's luminance table has the same mean.

    Args:
        tables: quantisation tables by number, as in Pillow; the lowest number is luminance.
    """
    percent = 100 * float(np.mean(tables[min(tables)])) / _TABLE_MEAN if tables else 0.0
    # libjpeg's scaling inverted: its table is s % of the one at quality 50, with s = 200 - 2 q
    # from 50 on and s = 5000 / q below. The mean of 64 entries evens out their rounding.
    return round(100 - percent / 2 if percent <= 100 else 5000 / percent)


def doubt(quality: int, spec: BundleSpec) -> str:
    """Return a note about predictions on a JPEG of this quality, "" if none is needed.

    A bundle that was scored on recompressed patches has its accuracy at several qualities. Without
    it the loss is unknown, and networks trained on uncompressed pictures fail on compressed ones.
    """
    if quality >= FINE:
        return ""
    known, best = _known(spec), spec.metrics.get("accuracy")
    coarser = [level for level in known if level <= quality]
    if not coarser or not isinstance(best, float):
        return f"JPEG of quality {quality}: fine texture is lost; the prediction is unreliable"
    level = max(coarser)
    if best - known[level] < TOLERATED:
        return ""
    return (
        f"JPEG of quality {quality}: fine texture is lost; accuracy at quality {level} is "
        f"{100 * known[level]:.1f} % instead of {100 * best:.1f} %"
    )


def _known(spec: BundleSpec) -> dict[int, float]:
    found = spec.metrics.get(KEY)
    pairs = found.items() if isinstance(found, dict) else ()
    return {int(key): value for key, value in pairs if key.isdecimal() and isinstance(value, float)}
