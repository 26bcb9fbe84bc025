"""Reading one whole image of any format with its validity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from agri_core.raster.facts import Facts, read_facts, read_raster
from numpy.typing import NDArray

from agri_data.sources.readers.masks import read_head
from agri_data.sources.readers.photo import JPEG, PNG, decode_photo


def read_image(
    path: Path, names: tuple[str, ...] = ()
) -> tuple[NDArray[Any], NDArray[np.bool_], Facts]:
    """Read a whole image `(H, W, C)`, its mask `(H, W)` and its facts.

    Args:
        path: a GeoTIFF, JPEG 2000, PNG or JPEG file.
        names: of its bands, as the description gives them. A grey photo serves as three equal
            bands unless one is named.
    """
    head = read_head(path)
    if not head.startswith((JPEG, PNG)):
        return read_raster(path, names=names)
    picture, valid = decode_photo(path.read_bytes(), str(path))
    if picture.shape[2] == 1 and len(names) in (0, 3):
        picture = np.repeat(picture, 3, axis=2)
    driver = "JPEG" if head.startswith(JPEG) else "PNG"
    height, width, count = picture.shape
    return picture, valid, Facts(str(path), driver, (height, width), count, str(picture.dtype))


def image_facts(path: Path, names: tuple[str, ...] = ()) -> Facts:
    """Return the facts of an image as `read_image` would, from its header where possible."""
    if read_head(path).startswith((JPEG, PNG)):
        return read_image(path, names)[2]
    return read_facts(path, names)
