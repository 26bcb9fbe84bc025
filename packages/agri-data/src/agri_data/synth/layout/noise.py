"""Smooth random fields: the terrain, soil and canopy patterns of a scene."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]


def fractal(
    rng: np.random.Generator, shape: tuple[int, int], cell: float, octaves: int = 4
) -> Field:
    """Return a `(H, W)` field of mean 0 and deviation 1 whose largest features span `cell` pixels.

    Each octave halves the feature size and its weight; octaves finer than a pixel are left out.
    """
    field = np.zeros(shape, np.float32)
    for octave in range(octaves):
        step = cell / 2**octave
        if step < 1:
            break
        field += 0.55**octave * _octave(rng, shape, step)
    return standard(field)


def _octave(rng: np.random.Generator, shape: tuple[int, int], step: float) -> Field:
    # Three cells more than needed: for the random offset and the neighbours of the cubic.
    height, width = (int(np.ceil(side / step)) + 3 for side in shape)
    coarse = rng.standard_normal((height, width)).astype(np.float32)
    size = (int(np.ceil(width * step)), int(np.ceil(height * step)))
    fine = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    y, x = (int(offset * step) for offset in rng.uniform(0.5, 1.5, 2))
    return np.asarray(fine[y : y + shape[0], x : x + shape[1]], np.float32)


def grain(rng: np.random.Generator, shape: tuple[int, int], blur: float) -> Field:
    """Return white noise smoothed by a Gaussian of `blur` pixels, mean 0 and deviation 1."""
    white = rng.standard_normal(shape, dtype=np.float32)
    return standard(np.asarray(cv2.GaussianBlur(white, (0, 0), blur), np.float32))


def standard(field: Field) -> Field:
    """Scale to mean 0 and deviation 1; a constant field becomes 0."""
    centred = field - field.mean(dtype=np.float64)
    spread = float(centred.std(dtype=np.float64))
    return np.asarray(centred / spread if spread > 0 else centred, np.float32)


def ranks(field: Field) -> Field:
    """Replace each value by its share of smaller values, 0 to 1."""
    order = np.argsort(field, axis=None, kind="stable")
    result = np.empty(field.size, np.float32)
    result[order] = np.linspace(0.0, 1.0, field.size, dtype=np.float32)
    return result.reshape(field.shape)
