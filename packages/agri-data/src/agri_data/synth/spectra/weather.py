"""Weather: clouds with soft edges and shadows, haze, and the edge of the swath."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from agri_core.files.errors import InputError
from numpy.typing import NDArray

from agri_data.synth.layout.noise import Field, fractal

# Reflectance of an opaque cloud; its droplets absorb in the short-wave infrared.
CLOUD = {
    "B01": 0.63, "B02": 0.62, "B03": 0.60, "B04": 0.59, "B05": 0.60, "B06": 0.61, "B07": 0.62,
    "B08": 0.63, "B8A": 0.63, "B09": 0.45, "B10": 0.03, "B11": 0.42, "B12": 0.32,
}  # fmt: skip
# Reflectance that haze adds: scattering is strongest in the blue.
HAZE = {"B01": 0.008, "B02": 0.006, "B03": 0.004, "B04": 0.0025, "B10": 0.0006}
VAPOUR = {"B09": 0.07}
# Opacity from which the truth is not judged.
OPAQUE = 0.06
# Rows and columns from a cloud to its shadow: north-west, away from the sun.
SHIFT = (-26, -20)


@dataclass(frozen=True, slots=True)
class Sky:
    """What lies between ground and sensor at 10 m: opacity, shadow and air 0..1, and nodata."""

    cloud: Field
    shadow: Field
    air: Field
    outside: NDArray[np.bool_]

    @property
    def hidden(self) -> NDArray[np.bool_]:
        """Pixels that are not to be judged: cloud, its shadow, or no data."""
        return (self.cloud > OPAQUE) | (self.shadow > OPAQUE) | self.outside

    def over(self, ground: Field, name: str) -> Field:
        """Return the ground as seen through this sky."""
        dimmed = ground * (1 - 0.72 * self.shadow) + HAZE.get(name, 0.0) * self.air
        if name in VAPOUR:
            dimmed = dimmed * (1 - VAPOUR[name] * self.air)
        return np.asarray(dimmed * (1 - self.cloud) + CLOUD[name] * self.cloud, np.float32)


def sky(rng: np.random.Generator, size: int, clouds: float, wedge: float) -> Sky:
    """Draw a sky; `clouds` and `wedge` are shares of the scene, 0 for none."""
    for name, share in (("clouds", clouds), ("wedge", wedge)):
        if not 0 <= share <= 0.6:
            raise InputError(f"expected {name} between 0 and 0.6 (a share), got {share}")
    opacity = _clouds(rng, size, clouds)
    shadow = _moved(opacity, SHIFT) * (1 - opacity)
    air = np.abs(fractal(rng, (size, size), size / 2, 2))
    return Sky(opacity, shadow, air, _outside(rng, size, wedge))


def _clouds(rng: np.random.Generator, size: int, share: float) -> Field:
    field = fractal(rng, (size, size), min(90.0, size / 3), 6)
    if share == 0:
        return np.zeros_like(field)
    level = float(np.quantile(field, 1 - share))
    soft = np.clip((field - level) / 0.45, 0, 1)
    texture = 0.85 + 0.15 * np.clip(fractal(rng, (size, size), 14, 3) * 0.5, -1, 1)
    return np.asarray(cv2.GaussianBlur(soft * texture, (0, 0), 1.2), np.float32)


def _moved(field: Field, shift: tuple[int, int]) -> Field:
    """Shift an image by (rows, columns) without wrapping around."""
    move = np.array([[1, 0, shift[1]], [0, 1, shift[0]]], np.float32)
    return np.asarray(cv2.warpAffine(field, move, field.shape[::-1]), np.float32)


def _outside(rng: np.random.Generator, size: int, share: float) -> NDArray[np.bool_]:
    """Mark a slanting wedge on the eastern side that covers `share` of the scene."""
    rows, cols = np.indices((size, size), np.float32)
    slant = rng.uniform(0.15, 0.35)
    distance = cols + slant * rows
    if share == 0:
        return np.zeros((size, size), np.bool_)
    return np.asarray(distance > np.quantile(distance, 1 - share), np.bool_)
