"""Simulated JPEG compression: 8 x 8 blocks of coarser texture, and often coarser colour.

A network learns the texture of the files it is shown. One that has only seen fine ones reads a
forest saved at quality 75 as sea, so training varies how its pictures were saved too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from agri_core.files.errors import InputError
from numpy.typing import NDArray

from agri_data.sources.readers.photo import decode_jpeg

Image = NDArray[Any]

COARSEST, FINEST = 50, 100
"""Qualities that are drawn; PIL saves at 75 unless told, OpenCV at 95."""


@dataclass(frozen=True, slots=True)
class Jpeg:
    """How a picture is saved.

    Attributes:
        quality: 1..100, as libjpeg scales its tables.
        halved: whether colour is kept at half the width and height (4:2:0), as most writers do.
    """

    quality: int
    halved: bool

    def __post_init__(self) -> None:
        if not 1 <= self.quality <= 100:
            raise InputError(f"a JPEG quality is between 1 and 100, got {self.quality}")


def draw_jpeg(rng: np.random.Generator) -> Jpeg:
    """Draw a quality, each of 50 to 100 as likely as the others, and a colour sampling."""
    return Jpeg(int(rng.integers(COARSEST, FINEST, endpoint=True)), bool(rng.random() < 0.5))


def save_again(image: Image, jpeg: Jpeg) -> NDArray[np.uint8]:
    """Return the picture `(H, W, 3)` of red, green, blue in uint8 as it is after saving it so.

    Raises:
        InputError: the picture has another type or other bands; JPEG holds only these.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise InputError(
            "only red, green and blue in uint8, (H, W, 3), can be saved as JPEG, got "
            f"{image.dtype} {image.shape}; use jpeg=0"
        )
    sampling = (
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
        if jpeg.halved
        else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    )
    settings = [cv2.IMWRITE_JPEG_QUALITY, jpeg.quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    # OpenCV holds blue first.
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(image[..., ::-1]), settings)
    return decode_jpeg(data.tobytes(), "the picture saved again")
