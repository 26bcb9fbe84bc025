"""A small JPEG of a picture, as text for a page."""

import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.errors import InputError
from agri_core.pages.uri import data_uri
from numpy.typing import NDArray
from PIL import Image

from agri_annotate.model.pictures import FORMATS

LARGEST = 320
"""Pixels of the longer side."""

QUALITY = 80
MOST_PIXELS = 200_000_000
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, MemoryError)
"""What Pillow raises on a damaged picture, besides its own errors and those of zlib."""


def thumbnail(path: Path) -> str | None:
    """Return a picture of at most 320 x 320 pixels as a data URI, None if it cannot be shown.

    A large JPEG is decoded at an eighth to a half of its size, which costs little.
    """
    image = _read(path) or _read_bands(path)
    if image is None:
        return None
    sink = io.BytesIO()
    image.save(sink, "JPEG", quality=QUALITY, optimize=True)
    return data_uri(sink.getvalue(), "jpeg")


def _read(path: Path) -> Image.Image | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                return _shrink(image)
    except (*_BROKEN, struct.error, zlib.error, Image.DecompressionBombError):
        return None


def _shrink(image: Image.Image) -> Image.Image | None:
    width, height = image.size
    if width * height > MOST_PIXELS:
        return None
    image.draft("RGB", (LARGEST, LARGEST))
    # 16-bit and float values have no fixed range to show.
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_stretch(np.asarray(image, np.float32))).convert("RGB")
    # Whole-number reduction down to twice the size first: quicker, and looks the same.
    image.thumbnail((LARGEST, LARGEST), reducing_gap=2.0)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        clear = image.convert("RGBA")
        paper = Image.new("RGBA", clear.size, "white")
        return Image.alpha_composite(paper, clear).convert("RGB")
    return image.convert("RGB")


def _read_bands(path: Path) -> Image.Image | None:
    """Read a picture of any bands and numbers: the first three as red, green and blue."""
    from agri_core.raster.opening import PICTURES, open_raster
    from agri_core.raster.validity import masking_of, valid_pixels

    try:
        with open_raster(path, path.name, PICTURES) as dataset:
            masking = masking_of(dataset)
            bands = [1, 2, 3] if dataset.count - (masking.alpha is not None) >= 3 else [1]
            scale = max(1.0, max(dataset.shape) / LARGEST)
            height, width = (max(1, round(side / scale)) for side in dataset.shape)
            small = (len(bands), height, width)
            plain = dataset.dtypes[0] == "uint8"
            data = dataset.read(bands, out_shape=small)
            valid = valid_pixels(np.moveaxis(data, 0, -1), dataset.nodata)
            unmasked = masking.read(dataset, shape=small[1:])
    except (InputError, ValueError, MemoryError):
        return None
    filled = data.astype(np.float32)
    filled[:, ~(valid if unmasked is None else valid & unmasked)] = np.nan
    shown = [np.nan_to_num(band).astype(np.uint8) if plain else _stretch(band) for band in filled]
    return Image.fromarray(np.stack(shown * (3 // len(shown)), axis=-1))


def _stretch(band: NDArray[Any]) -> NDArray[np.uint8]:
    """Stretch the 2nd to 98th percentile to 0 to 255; no-data becomes 0."""
    known = band[np.isfinite(band)]
    if not known.size:
        return np.zeros(band.shape, np.uint8)
    low, high = np.percentile(known, [2, 98])
    # 1e-9: a constant band must not divide by 0.
    scaled = (band - low) / max(float(high - low), 1e-9)
    shown: NDArray[np.uint8] = (np.nan_to_num(scaled).clip(0, 1) * 255).astype(np.uint8)
    return shown
