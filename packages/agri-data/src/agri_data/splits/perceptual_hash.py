"""Perceptual hashes: 64 bits that survive noise, brightness, recompression, mirroring.

A hash holds the signs of the 64 lowest frequencies (without the mean) of the discrete cosine
transform of the chip's band mean, cut down to 32 x 32 pixels (Zauner 2010, "pHash", with signs in
place of the median). Mirroring a chip only flips the signs of odd frequencies and transposing it
swaps them, so the hashes of all eight poses follow from one transform.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
from agri_core.raster.validity import chip_validity
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]

# As in pHash: twice what the frequencies below need, and cheap to transform.
SIDE = 32
# The 64 lowest frequencies after the mean have row + column <= 10 (see `_lowest`).
FREQUENCIES = 11
POSES = 8
# Pairs compared at a time: two positions and two hashes of 8 bytes each take 128 MB.
CANDIDATES = 4_000_000
# 8 would allow two different bits in each quarter, and `near` would miss such pairs.
MAX_BITS = 7
"""Hashes that differ in at most this many of 64 bits are candidates."""


def greys(chips: NDArray[Any], nodata: float | None, limit: int = 64) -> Floats:
    """Return the band means of chips `(N, H, W, C)`, at most `limit` pixels wide, `(N, h, w)`.

    Pixels without data take the mean of the others, so that the outline of a scene's edge is not
    mistaken for content.
    """
    grey = _band_mean(chips)
    valid = chip_validity(chips, nodata) & np.isfinite(grey)
    grey[~valid] = 0.0
    if not valid.all():
        means = grey.sum(axis=(1, 2)) / np.maximum(valid.sum(axis=(1, 2)), 1)
        grey += ~valid * means.astype(np.float32)[:, None, None]
    return _shrink(grey, limit) if max(grey.shape[1:]) > limit else grey


def spectra(grey: Floats) -> Floats:
    """Return the low cosine coefficients of grey chips, `(N, 11, 11)`, 0 for one-valued chips."""
    basis = _basis()
    low = np.asarray(basis @ _shrink(grey, SIDE) @ basis.T, np.float32)
    # A ten-thousandth of the brightest pixel is rounding of the mean, not content.
    low[np.ptp(grey, axis=(1, 2)) <= 1e-4 * np.abs(grey).max(axis=(1, 2))] = 0.0
    return low


def hashes(low: Floats, pose: int = 0) -> Hashes:
    """Return the hashes `(N,)` of chips in one of eight poses (see `orient`) from their spectra.

    Example:
        >>> chips = np.random.default_rng(0).random((1, 32, 32)).astype(np.float32)
        >>> mirrored = hashes(spectra(chips[:, :, ::-1]))
        >>> mirrored == hashes(spectra(chips), pose=1), mirrored == hashes(spectra(chips))
        (array([ True]), array([False]))
    """
    rows, cols = _lowest()
    signs = np.ones(FREQUENCIES, np.float32)
    # Read backwards, the cosine of frequency k is itself for even k and its negative for odd k.
    signs[1::2] = -1
    oriented = low.transpose(0, 2, 1) if pose & 4 else low
    if pose & 1:
        oriented = oriented * signs
    if pose & 2:
        oriented = oriented * signs[:, None]
    bits = (oriented[:, rows, cols] > 0).astype(np.uint64)
    weights = np.uint64(1) << np.arange(64, dtype=np.uint64)
    return np.asarray((bits * weights).sum(axis=1, dtype=np.uint64), np.uint64)


def orient(image: NDArray[Any], pose: int) -> NDArray[Any]:
    """Return the image `(H, W, ...)` in a pose: +4 transposed, then +1 mirrored, +2 upside down.

    Example:
        >>> orient(np.array([[1, 2], [3, 4]]), pose=1).tolist()
        [[2, 1], [4, 3]]
    """
    oriented = np.swapaxes(image, 0, 1) if pose & 4 else image
    oriented = oriented[:, ::-1] if pose & 1 else oriented
    return oriented[::-1] if pose & 2 else oriented


def near(left: Hashes, right: Hashes) -> tuple[Ints, Ints]:
    """Return the pairs (i, j) whose hashes `left[i]`, `right[j]` differ in at most `MAX_BITS`.

    Of four 16-bit quarters of such hashes at least one differs in at most one bit, so each quarter
    is looked up as it is and with each one bit flipped: 4 x 17 look-ups a hash, no N x N.
    """
    found: list[NDArray[np.int64]] = []
    for shift in range(0, 64, 16):
        mine, theirs = _quarter(left, shift), _quarter(right, shift)
        # A table by quarter: the right hashes of value v are order[starts[v] : starts[v + 1]].
        order = np.argsort(theirs, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(theirs, minlength=1 << 16))])
        for probe in _probes():
            found.extend(_matches(left, right, mine ^ probe, starts, order))
    if not found:
        none = np.zeros(0, np.int64)
        return none, none
    pairs = np.unique(np.concatenate(found), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _matches(
    left: Hashes, right: Hashes, wanted: Ints, starts: Ints, order: Ints
) -> Iterable[Ints]:
    first = starts[wanted]
    counts = starts[wanted + 1] - first
    bounds = np.concatenate([[0], np.cumsum(counts)])
    start = 0
    while start < len(left):
        # Blank chips share one bucket: the pairs of a step are bounded, not their number.
        stop = int(np.searchsorted(bounds, bounds[start] + CANDIDATES, "right")) - 1
        stop = min(max(stop, start + 1), len(left))
        i = np.repeat(np.arange(start, stop), counts[start:stop])
        within = np.arange(len(i)) - np.repeat(
            bounds[start:stop] - bounds[start], counts[start:stop]
        )
        j = order[np.repeat(first[start:stop], counts[start:stop]) + within]
        close = np.bitwise_count(left[i] ^ right[j]) <= MAX_BITS
        yield np.column_stack([i[close], j[close]])
        start = stop


def _band_mean(chips: NDArray[Any]) -> Floats:
    total = chips[..., 0].astype(np.float32)
    for band in range(1, chips.shape[-1]):
        total += chips[..., band]
    return total / np.float32(chips.shape[-1])


def _shrink(grey: Floats, side: int) -> Floats:
    small = [cv2.resize(item, (side, side), interpolation=cv2.INTER_AREA) for item in grey]
    return np.stack(small).astype(np.float32)


def _quarter(values: Hashes, shift: int) -> Ints:
    return ((values >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.int64)


def _probes() -> list[int]:
    return [0, *(1 << bit for bit in range(16))]


def _basis() -> Floats:
    """Return the first rows of the orthonormal DCT-II matrix, `(11, 32)`."""
    k, n = np.arange(FREQUENCIES)[:, None], np.arange(SIDE)[None, :]
    matrix: NDArray[Any] = np.sqrt(2 / SIDE) * np.cos(np.pi * (2 * n + 1) * k / (2 * SIDE))
    # Makes the first row a unit vector like the others.
    matrix[0] /= np.sqrt(2)
    return matrix.astype(np.float32)


def _lowest() -> tuple[Ints, Ints]:
    """Return row and column of the 64 lowest frequencies, the mean left out."""
    rows, cols = np.divmod(np.arange(FREQUENCIES**2), FREQUENCIES)
    order = np.lexsort([rows, np.maximum(rows, cols), rows + cols])[1:65]
    return rows[order], cols[order]
