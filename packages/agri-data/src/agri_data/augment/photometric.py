"""Photometric change of an image: brightness, contrast, band shifts, noise, lost bands.

Strengths are free of the unit: brightness and contrast are factors, shift and noise are shares of
each band's own deviation in the chip. The mask never changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]


@dataclass(frozen=True, slots=True)
class PhotometricChange:
    """One drawn photometric change of C bands.

    Attributes:
        brightness: factor on all values.
        contrast: factor on the distance from each band's mean.
        channel: added to each band, in deviations of the band; empty for none.
        noise: deviation of white noise, in deviations of the band.
        lost: bands that are replaced by `fill`.
        fill: what a lost band holds.
    """

    brightness: float = 1.0
    contrast: float = 1.0
    channel: tuple[float, ...] = ()
    noise: float = 0.0
    lost: tuple[int, ...] = ()
    fill: float = 0.0

    @property
    def idle(self) -> bool:
        """Whether nothing changes but perhaps lost bands."""
        plain = self.brightness == 1 and self.contrast == 1 and self.noise == 0
        return plain and not any(self.channel)


def apply_photometric(
    image: Image, change: PhotometricChange, valid: NDArray[np.bool_], rng: np.random.Generator
) -> Image:
    """Apply a change to an image `(H, W, C)`; the result has its type and is clipped to its range.

    Args:
        image: the chip.
        change: brightness, contrast and the rest.
        valid: `(H, W)`, pixels that hold data; the others stay as they are.
        rng: draws the noise.
    """
    result = image.copy() if change.idle else _changed(image, change, valid, rng)
    for band in change.lost:
        result[..., band] = _clip(np.array(change.fill), image.dtype)
    result[~valid] = image[~valid]
    return result


def _changed(
    image: Image, change: PhotometricChange, valid: NDArray[np.bool_], rng: np.random.Generator
) -> Image:
    # C order, since the rows below must be a view of the values.
    values = np.array(image, np.float32, order="C")
    mean, std = _moments(values if valid.all() else values[valid])
    # ((x - mean) * contrast + mean) * brightness as one gain and one offset for each band.
    gain = np.float32(change.contrast * change.brightness)
    offset = mean * (1 - change.contrast) * change.brightness
    if change.channel:
        offset = offset + np.array(change.channel) * std
    # Rows of W * C values: numpy is several times faster on a long last axis than on C bands.
    rows, width = values.reshape(len(values), -1), values.shape[1]
    rows *= gain
    rows += np.tile(offset.astype(np.float32), width)
    if change.noise:
        grain = rng.standard_normal(rows.shape, np.float32)
        grain *= np.tile((change.noise * std).astype(np.float32), width)
        rows += grain
    return _clip(values, image.dtype)


def _moments(values: Image) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and deviation of each band of `(..., C)`; 0 where there is no number."""
    flat = values.reshape(-1, values.shape[-1])
    known = np.isfinite(flat)
    count = np.maximum(known.sum(axis=0), 1)
    flat = flat if known.all() else np.where(known, flat, np.float32(0))
    mean = (np.ones(len(flat), flat.dtype) @ flat) / count
    # float32 sums of squares are enough for a strength that is drawn at random anyway.
    spread = np.einsum("nc,nc->c", flat, flat) / count - mean**2
    return mean.astype(np.float64), np.sqrt(np.maximum(spread, 0.0))


def _clip(values: Image, dtype: np.dtype[Any]) -> Image:
    if not np.issubdtype(dtype, np.integer):
        return values.astype(dtype)
    info = np.iinfo(dtype)
    rounded = np.rint(values)
    return np.clip(rounded, info.min, info.max, out=rounded).astype(dtype)
