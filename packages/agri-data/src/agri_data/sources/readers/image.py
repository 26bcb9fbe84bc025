"""Reading one whole image of any format with its validity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agri_data.sources.readers.masks import read_head
from agri_data.sources.readers.photo import JPEG, PNG, decode_photo
from agri_data.sources.readers.raster import Facts, read_facts, read_tiff


def read_image(path: Path, declared: int) -> tuple[NDArray[Any], NDArray[np.bool_], Facts]:
    """Read a whole image `(H, W, C)`, its validity `(H, W)` and its facts.

    Args:
        path: a GeoTIFF, JPEG 2000, PNG or JPEG file.
        declared: the number of bands the description names, 0 for none. A grey photo serves as
            three equal bands, and a last band that is marked as alpha as the validity.
    """
    head = read_head(path)
    if not head.startswith((JPEG, PNG)):
        image, facts = read_tiff(path)
        return (*_without_alpha(image, facts, declared),)
    picture, valid = decode_photo(path.read_bytes(), str(path))
    if picture.shape[2] == 1 and declared in (0, 3):
        picture = np.repeat(picture, 3, axis=2)
    driver = "JPEG" if head.startswith(JPEG) else "PNG"
    facts = Facts(
        str(path), driver, picture.shape[:2], picture.shape[2], str(picture.dtype), None, None,
        None, (), False,
    )  # fmt: skip
    return picture, valid, facts


def image_facts(path: Path, declared: int) -> Facts:
    """Return the facts of an image as `read_image` would, from its header where possible."""
    if read_head(path).startswith((JPEG, PNG)):
        return read_image(path, declared)[2]
    return read_facts(path).without_alpha(declared)


def _without_alpha(
    image: NDArray[Any], facts: Facts, declared: int
) -> tuple[NDArray[Any], NDArray[np.bool_], Facts]:
    plain = facts.without_alpha(declared)
    if plain.count == facts.count:
        return image, np.ones(facts.shape, np.bool_), facts
    return image[..., :-1], image[..., -1] > 0, plain
