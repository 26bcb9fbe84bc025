"""Simulated resampling: fewer pixels, and fine texture lost as they are raised back.

Scenes are reprojected, mosaics are stored coarser, 20 m bands are raised to 10 m. A network that
has only seen native pixels reads such a picture wrong though a person sees no difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from agri_core.files.errors import InputError
from numpy.typing import NDArray

Image = NDArray[Any]

LEAST = 0.5
"""Smallest share of the side that is drawn: 20 m for 10 m pixels."""


@dataclass(frozen=True, slots=True)
class Downscale:
    """How a picture is brought to fewer pixels and back.

    Attributes:
        share: of the side that is left between, above 0 and at most 1.
        cubic: whether it is raised by cubic interpolation; else by linear.
    """

    share: float
    cubic: bool

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise InputError(f"a share of the side is above 0 and at most 1, got {self.share}")


def draw_downscale(rng: np.random.Generator) -> Downscale:
    """Draw a share of the side, evenly from a half to the whole, and an interpolation."""
    return Downscale(float(rng.uniform(LEAST, 1)), bool(rng.random() < 0.5))


def downscale(image: Image, way: Downscale) -> Image:
    """Return the picture `(H, W, C)`, in its own type, averaged over larger pixels and raised."""
    height, width = image.shape[:2]
    size = (max(1, round(width * way.share)), max(1, round(height * way.share)))
    # float32 in between, so that integers are rounded once, at the end.
    small = _resize(image.astype(np.float32), size, cv2.INTER_AREA)
    raised = _resize(small, (width, height), cv2.INTER_CUBIC if way.cubic else cv2.INTER_LINEAR)
    if not np.issubdtype(image.dtype, np.integer):
        return raised.astype(image.dtype)
    info = np.iinfo(image.dtype)
    return np.clip(np.rint(raised), info.min, info.max).astype(image.dtype)


def _resize(values: Image, size: tuple[int, int], how: int) -> Image:
    # OpenCV averages over areas in four channels at most.
    parts = [
        cv2.resize(np.ascontiguousarray(values[..., k : k + 4]), size, interpolation=how)
        for k in range(0, values.shape[2], 4)
    ]
    return np.concatenate([part.reshape(size[1], size[0], -1) for part in parts], axis=2)
