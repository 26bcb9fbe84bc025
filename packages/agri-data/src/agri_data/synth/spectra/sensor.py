"""The sensor: blur and sampling by each band's native pixel, haze, noise, digital numbers."""

from __future__ import annotations

import cv2
import numpy as np
from agri_core.bands import DN_PER_REFLECTANCE, SENTINEL2
from numpy.typing import NDArray
from PIL import Image

from agri_data.synth.layout.noise import Field
from agri_data.synth.spectra.render import STEP

SPREAD = 0.42
# Deviations of reflectance by native pixel in metres, and as a share of the signal.
NOISE = {10: 0.0013, 20: 0.0010, 60: 0.0006}
GAIN_NOISE = 0.006


def observe(scene: Field, name: str, *, cubic: bool = False) -> Field:
    """Bring a band from the 5 m canvas to 10 m as the instrument would see it.

    The point spread is a Gaussian of 0.42 native pixels (about 0.2 of the contrast is left at
    the Nyquist frequency); bands of 20 and 60 m are averaged to that and resampled bilinearly or,
    with `cubic`, by cubic convolution. Pixel areas nest: the upper left corners coincide.
    """
    native = SENTINEL2[name].pixel
    side = scene.shape[0] // 2
    blurred = cv2.GaussianBlur(scene, (0, 0), SPREAD * native / STEP, borderType=cv2.BORDER_REFLECT)
    # Rounded up: a scene need not be a whole number of coarse pixels.
    count = -(-side * 10 // native)
    if count * native != side * 10:
        extra = (count * native - side * 10) // STEP
        blurred = cv2.copyMakeBorder(blurred, 0, extra, 0, extra, cv2.BORDER_REPLICATE)
    coarse = cv2.resize(blurred, (count, count), interpolation=cv2.INTER_AREA)
    if native == 10:
        return np.asarray(coarse, np.float32)
    fine = _raise(np.asarray(coarse, np.float32), count * native // 10, cubic)
    return np.asarray(fine[:side, :side], np.float32)


def _raise(coarse: Field, side: int, cubic: bool) -> Field:
    """Resample to `side` pixels; Pillow's cubic (a = -0.5) keeps a ramp straight, unlike cv2's."""
    if not cubic:
        return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_LINEAR))
    return np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))


def digitise(rng: np.random.Generator, reflectance: Field, name: str) -> NDArray[np.uint16]:
    """Add noise (a floor plus a part that grows with the signal) and round to DN, at least 1."""
    native = SENTINEL2[name].pixel
    deviation = NOISE[native] + GAIN_NOISE * reflectance
    noisy = reflectance + deviation * rng.standard_normal(reflectance.shape, dtype=np.float32)
    return np.clip(np.rint(noisy * DN_PER_REFLECTANCE), 1, 32767).astype(np.uint16)
