"""Photometric jitter on the scale of the whole set, as contrastive learning needs it.

`agri_data.augment.photometric` measures strength in each tile's own deviations, under which smooth
tiles (water, bare soil) hardly change and stay recognisable by their exact colour. Here one unit is
the band's standard deviation over all tiles.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from agri_core.files.errors import InputError

from agri_cluster.data.tiles import Floats, Tiles, sample

ROWS = 1000


@dataclass(frozen=True, slots=True)
class Level:
    """Mean and deviation of each band over the set, `(C,)`; 0 and 1 of a standardised one."""

    mean: Floats = field(default_factory=lambda: np.zeros(1, np.float32))
    deviation: Floats = field(default_factory=lambda: np.ones(1, np.float32))


@dataclass(frozen=True, slots=True)
class Jitter:
    """Strength of the photometric jitter; half-widths of uniform draws.

    Attributes:
        brightness: added to all bands alike, in deviations of each band over the set.
        contrast: 0.3 is 0.7 to 1.3 times the distance from the mean of the set.
        channel: added to each band on its own, in its deviations.
        grey: chance that all bands become their mean, each on its own scale.
        level: the scale of the bands.
    """

    brightness: float = 0.0
    contrast: float = 0.0
    channel: float = 0.0
    grey: float = 0.0
    level: Level = field(default_factory=Level)

    def __post_init__(self) -> None:
        for name, limit in (("brightness", 10.0), ("contrast", 1.0), ("channel", 10.0)):
            value = getattr(self, name)
            if not 0 <= value <= limit:
                raise InputError(f"jitter {name} is between 0 and {limit:g}, got {value}")
        if not 0 <= self.grey <= 1:
            raise InputError(f"jitter grey is a chance from 0 to 1, got {self.grey}")

    @property
    def idle(self) -> bool:
        """Whether nothing is ever changed."""
        return not (self.brightness or self.contrast or self.channel or self.grey)


def measure_level(tiles: Tiles, rng: np.random.Generator) -> Level:
    """Measure the bands over at most `ROWS` tiles; a constant band gets the deviation 1."""
    values = tiles.take(sample(tiles, ROWS, rng)).reshape(-1, tiles.shape[-1])
    mean, deviation = values.mean(axis=0, dtype=np.float64), values.std(axis=0, dtype=np.float64)
    return Level(
        mean.astype(np.float32), np.where(deviation > 0, deviation, 1.0).astype(np.float32)
    )


def jittered(batch: Floats, jitter: Jitter, rng: np.random.Generator) -> Floats:
    """Change tiles `(N, H, W, C)` in place, each by its own draws, and return them."""
    if jitter.idle:
        return batch
    count, bands = len(batch), batch.shape[-1]
    gain = 1 + rng.uniform(-1, 1, (count, 1)) * jitter.contrast
    shift = rng.uniform(-1, 1, (count, 1)) * jitter.brightness
    shift = shift + rng.uniform(-1, 1, (count, bands)) * jitter.channel
    mean, deviation = jitter.level.mean, jitter.level.deviation
    relit(batch, gain, mean * (1 - gain) + shift * deviation)
    grey = rng.random(count) < jitter.grey
    if grey.any():
        own = ((batch[grey] - mean) / deviation).mean(axis=-1, keepdims=True)
        batch[grey] = own * deviation + mean
    return batch


def relit(batch: Floats, gain: Any, offset: Any) -> None:
    """Multiply tiles by `gain` `(N, 1)` and add `offset` `(N, C)`, in place.

    Rows of W * C values: NumPy is several times faster on a long last axis than on C bands.
    """
    count, height, width, bands = batch.shape
    rows = batch.reshape(count, height, width * bands)
    rows *= np.asarray(gain, np.float32)[:, None]
    full = np.broadcast_to(np.asarray(offset, np.float32), (count, bands))
    rows += np.tile(full, width)[:, None]
