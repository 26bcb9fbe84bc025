"""Render a land at one date: reflectance per band on a grid finer than the sensor's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rasterio.features import rasterize

from agri_data.synth.layout.kinds import FORESTS
from agri_data.synth.layout.land import Land
from agri_data.synth.layout.noise import Field, fractal, grain
from agri_data.synth.spectra.bandset import TEN, spectra
from agri_data.synth.spectra.moisture import lacks, parch
from agri_data.synth.spectra.surface import Season, Surface, surface

# Metres, half the finest pixel, so that covers mix in the pixels of their borders.
STEP = 5
# Share of the light that trees take from the ground behind them.
TREE_SHADE = 0.36


@dataclass(frozen=True, slots=True)
class Canvas:
    """Everything the bands of one date share, at 5 m: `(H, W)` fields and `(S, C)` spectra."""

    bands: tuple[str, ...]
    index: NDArray[np.int32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    mixture: Field
    light: Field

    def band(self, name: str) -> Field:
        """Return the reflectance of one band, before the sensor sees it."""
        column = self.bands.index(name)
        low = self.low[:, column][self.index]
        span = (self.high - self.low)[:, column][self.index]
        return np.asarray((low + span * self.mixture) * self.light, np.float32)


def paint(
    land: Land,
    date: int,
    season: Season,
    seed: tuple[int, ...],
    bands: tuple[str, ...] = TEN.names,
    *,
    dry: bool = False,
) -> Canvas:
    """Lay out one date: soils and textures come from the place's seed, crops from the date's.

    With `dry` the fields that lack water show it; no draw and no other pixel depends on that.
    """
    place = np.random.default_rng(seed)
    kinds = [feature.kind_at(date) for feature in land.features]
    details = [d for d in land.details if date or not d.later]
    kinds += [detail.kind for detail in details]
    surfaces = [_surface(i, kind, date, season, seed) for i, kind in enumerate(kinds)]
    shapes = [f.shape for f in land.features] + [d.shape for d in details]
    index = _burn(land, shapes)
    angles = np.array([f.angle for f in land.features] + [0.0] * len(details), np.float32)
    low = spectra(np.stack([s.low for s in surfaces]).astype(np.float32), bands)
    high = spectra(np.stack([s.high for s in surfaces]).astype(np.float32), bands)
    if dry:
        lack = np.concatenate([lacks(land.features, date), np.zeros(len(details))])
        low, high = parch(low, lack, bands), parch(high, lack, bands)
    return Canvas(
        bands,
        index,
        low,
        high,
        _mixture(place, index, surfaces, angles),
        _light(place, land, index, kinds, surfaces),
    )


def _surface(index: int, kind: str, date: int, season: Season, seed: tuple[int, ...]) -> Surface:
    """Draw a surface of its own stream: a forest stays the same forest, a field is sown again."""
    yearly = (date,) if kind in ("field", "meadow") else ()
    return surface(kind, np.random.default_rng((*seed, index, *yearly)), season)


def _burn(land: Land, shapes: Sequence[Any]) -> NDArray[np.int32]:
    side = land.frame.size * 2
    pairs = [(shape, i) for i, shape in enumerate(shapes) if not shape.is_empty]
    burnt = rasterize(pairs, (side, side), transform=land.frame.local(STEP), dtype="int32", fill=0)
    return np.asarray(burnt, np.int32)


def _weights(index: NDArray[np.int32], values: list[float]) -> Field:
    return np.array(values, np.float32)[index]


def _mixture(
    rng: np.random.Generator,
    index: NDArray[np.int32],
    surfaces: list[Surface],
    angles: NDArray[np.float32],
) -> Field:
    shape = (index.shape[0], index.shape[1])
    mixture = _weights(index, [s.level for s in surfaces])
    mixture += _weights(index, [s.patch for s in surfaces]) * fractal(rng, shape, 36, 3)
    mixture += _weights(index, [s.mottle for s in surfaces]) * fractal(rng, shape, 10, 3)
    mixture += _weights(index, [s.grain for s in surfaces]) * grain(rng, shape, 0.9)
    mixture += _weights(index, [s.rows for s in surfaces]) * _rows(rng, index, angles)
    return np.asarray(np.clip(mixture, 0.0, 1.0, out=mixture), np.float32)


def _rows(rng: np.random.Generator, index: NDArray[np.int32], angles: NDArray[np.float32]) -> Field:
    """Lines along each field's direction, 24 to 48 m apart: tramlines, drills, swaths."""
    period = rng.uniform(24, 48, len(angles)).astype(np.float32)
    turn = np.deg2rad(angles)
    wave_x = (2 * np.pi * STEP / period * np.sin(turn)).astype(np.float32)
    wave_y = (2 * np.pi * STEP / period * np.cos(turn)).astype(np.float32)
    rows, cols = np.indices(index.shape, np.float32)
    return np.asarray(np.sin(cols * wave_x[index] + rows * wave_y[index]), np.float32)


def _light(
    rng: np.random.Generator,
    land: Land,
    index: NDArray[np.int32],
    kinds: list[str],
    surfaces: list[Surface],
) -> Field:
    """Sun from the south-east: slopes, pixel-scale roughness, and the shade trees cast."""
    shape = (index.shape[0], index.shape[1])
    light = 1.0 + _weights(index, [s.rough for s in surfaces]) * grain(rng, shape, 0.8)
    light *= cv2.resize(_slopes(land.height), shape[::-1], interpolation=cv2.INTER_LINEAR)
    trees = np.array([kind in FORESTS for kind in kinds])[index]
    water = np.array([kind in ("river", "lake") for kind in kinds])[index]
    shade = np.zeros_like(trees)
    # Shade falls 10 m to the north-west, since the sun is in the south-east.
    shade[:-2, :-2] = trees[2:, 2:]
    shade &= ~trees & ~water
    light = np.where(shade, light * (1 - TREE_SHADE), light)
    return np.asarray(np.clip(light, 0.25, 1.8), np.float32)


def _slopes(height: Field) -> Field:
    south, east = np.gradient(cv2.GaussianBlur(height, (0, 0), 3.0))
    return np.asarray(np.clip(1.0 + 1.6 * (-south - east), 0.82, 1.18), np.float32)
