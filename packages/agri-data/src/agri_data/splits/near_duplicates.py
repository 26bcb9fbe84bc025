"""Near duplicates between splits: candidates by perceptual hash, confirmed by correlation.

The hash only nominates. A pair counts when the two chips correlate, at the best shift of a few
pixels, both as they are and without their broad shading. Two flat sea chips share a shade but no
detail, so they do not pass; neither can a copy of such a chip be found once noise hides it.
Thresholds were set on the EuroSAT RGB set: chips of one place from neighbouring Sentinel-2 zones
score above 0.92, the best chance pair below 0.85.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from agri_data.splits.perceptual_hash import POSES, Floats, Hashes, hashes, near, orient

Ints = NDArray[np.int64]

# Between what was measured on EuroSAT: true pairs above 0.92, chance pairs below 0.85.
MIN_CORRELATION = 0.88
# Lower than for the whole: noise and recompression change the details most.
MIN_DETAIL_CORRELATION = 0.75
# Deviation in pixels of the Gaussian whose result is taken off as broad shading.
BLUR = 3.0
# A twentieth of the side is tried each way: chips of one place cut a few pixels apart.
SHIFT = 20


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """A pair of near duplicates: positions, the pose of the first, and their correlation."""

    first: int
    second: int
    pose: int
    score: float


def find_near_duplicates(
    low: Floats, splits: Ints | None, look: Callable[[int], Floats]
) -> list[NearDuplicate]:
    """Return the near duplicates that lie in different splits, mirrored and rotated ones too.

    Args:
        low: the spectra of all chips, `(N, 11, 11)`; all zero for a blank chip.
        splits: the split of each chip, below 0 for none; None compares all chips with all.
        look: gives one grey chip `(h, w)`; only candidates are asked for.
    """
    plain = hashes(low)
    best: dict[tuple[int, int], NearDuplicate] = {}
    for pose in range(POSES):
        for i, j in _candidates(low, plain, splits, pose):
            score = similarity(orient(look(i), pose), look(j))
            if score >= MIN_CORRELATION and score > best.get((i, j), _NONE).score:
                best[i, j] = NearDuplicate(i, j, pose, score)
    return [best[key] for key in sorted(best)]


def similarity(first: Floats, second: Floats) -> float:
    """Return the correlation (-1..1) of two grey chips at their best shift; 0 if details differ.

    Example:
        >>> chip = np.random.default_rng(0).random((32, 32)).astype(np.float32)
        >>> round(similarity(chip, 0.5 * chip + 0.1), 3)
        1.0
    """
    whole = _correlate(first, second)
    if (
        whole < MIN_CORRELATION
        or _correlate(_details(first), _details(second)) < MIN_DETAIL_CORRELATION
    ):
        return min(whole, 0.0)
    return whole


_NONE = NearDuplicate(-1, -1, 0, -1.0)


def _candidates(
    low: Floats, plain: Hashes, splits: Ints | None, pose: int
) -> Iterator[tuple[int, int]]:
    for left, right in _sides(np.asarray(low.any(axis=(1, 2)), bool), splits):
        i, j = near(hashes(low[left], pose), plain[right])
        for first, second in zip(left[i].tolist(), right[j].tolist(), strict=True):
            if splits is not None or first < second:
                yield first, second


def _sides(usable: NDArray[np.bool_], splits: Ints | None) -> Iterator[tuple[Ints, Ints]]:
    """Yield the positions to compare: each split with all later ones, or all with all."""
    if splits is None:
        every = np.flatnonzero(usable)
        yield every, every
        return
    usable = usable & (splits >= 0)
    for name in np.unique(splits[usable])[:-1]:
        yield np.flatnonzero(usable & (splits == name)), np.flatnonzero(usable & (splits > name))


def _correlate(first: Floats, second: Floats) -> float:
    margin = max(1, min(second.shape) // SHIFT)
    inner = np.ascontiguousarray(second[margin:-margin, margin:-margin])
    # The normalised correlation divides by the deviation, and a flat chip has none.
    if np.ptp(inner) == 0:
        return 0.0
    image = np.ascontiguousarray(first)
    return float(cv2.matchTemplate(image, inner, cv2.TM_CCOEFF_NORMED).max())


def _details(grey: Floats) -> Floats:
    image = np.ascontiguousarray(grey)
    return image - cv2.GaussianBlur(image, (0, 0), BLUR)
