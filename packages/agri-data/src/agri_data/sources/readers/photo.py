"""Decoding JPEG and PNG pictures exactly: no silent repair, no silent loss of depth.

JPEG goes through OpenCV, whose libjpeg-turbo gives the same bytes as Pillow's; GDAL's bundled
libjpeg does not, and GDAL reads a truncated PNG without complaint.
"""

from __future__ import annotations

import io
import struct
from typing import Any

import cv2
import numpy as np
from agri_core.files.errors import InputError
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

JPEG = b"\xff\xd8\xff"
PNG = b"\x89PNG\r\n\x1a\n"
MAX_PIXELS = 400_000_000

Photo = NDArray[Any]
"""`(H, W, C)`, uint8 or uint16."""

_MODES = {"1": "L", "L": "L", "P": "RGB", "PA": "RGBA", "LA": "RGBA", "RGB": "RGB", "RGBA": "RGBA"}
# The EXIF tag.
_ORIENTATION = 0x0112


def decode_jpeg(data: bytes, where: str) -> NDArray[np.uint8]:
    """Decode a JPEG to `(H, W, 3)` RGB or `(H, W, 1)` grey, uint8, as stored (EXIF ignored).

    Raises:
        InputError: it is no JPEG, is damaged, or is not 8-bit grey or colour.
    """
    if not data.startswith(JPEG):
        raise InputError(f"{where} is empty or not a JPEG picture")
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise InputError(f"{where} cannot be decoded: {error.err}") from error
    if picture is None or not _is_whole(data):
        raise InputError(f"{where} is truncated or damaged; get the file again")
    if picture.ndim == 2:
        return np.ascontiguousarray(picture[..., None]).astype(np.uint8, copy=False)
    if picture.shape[2] != 3:
        raise InputError(f"{where} has {picture.shape[2]} channels; save it as RGB")
    # OpenCV holds blue first.
    return np.ascontiguousarray(picture[..., ::-1]).astype(np.uint8, copy=False)


def decode_photo(data: bytes, where: str) -> tuple[Photo, NDArray[np.bool_]]:
    """Decode a JPEG or PNG to `(H, W, C)`, C = 1 or 3, and its validity `(H, W)`.

    Palettes become the RGB they stand for; a fully transparent pixel is invalid; 16 bit stays 16.

    Raises:
        InputError: it is damaged, half transparent, or rotated by an EXIF flag.
    """
    if data.startswith(JPEG):
        header = _header(data, where)
        if header.mode not in ("L", "RGB"):
            raise InputError(f"{where} is a JPEG of mode {header.mode}; save it as RGB or grey")
        _check_upright(header, where)
        picture = decode_jpeg(data, where)
        return picture, np.ones(picture.shape[:2], np.bool_)
    image = _load(_header(data, where), where)
    _check_upright(image, where)
    if _is_deep(data):
        return _decode_deep(data, where)
    if image.mode not in _MODES:
        raise InputError(f"{where} is a picture of mode {image.mode}; save it as RGB or grey")
    mode = _MODES[image.mode]
    if "transparency" in image.info:
        mode = "RGBA"
    return _split_alpha(np.atleast_3d(np.asarray(image.convert(mode))), where)


def palette_indices(data: bytes, where: str) -> NDArray[np.uint8] | None:
    """Return the stored indices `(H, W)` of a palette PNG, None for other pictures."""
    image = _header(data, where)
    if image.mode != "P":
        return None
    return np.asarray(_load(image, where), np.uint8)


def _header(data: bytes, where: str) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=["PNG", "JPEG"])
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise InputError(f"{where} is empty, damaged, or not a PNG or JPEG picture") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"{where} declares too many pixels: {error}") from error
    if image.width * image.height > MAX_PIXELS:
        raise InputError(f"{where} is {image.width}x{image.height}, more than {MAX_PIXELS} pixels")
    return image


def _load(image: Image.Image, where: str) -> Image.Image:
    try:
        image.load()
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(
            f"{where} is truncated or damaged ({error}); get the file again"
        ) from error
    return image


def _check_upright(image: Image.Image, where: str) -> None:
    try:
        turned = image.getexif().get(_ORIENTATION, 1)
    except (OSError, ValueError, SyntaxError, struct.error) as error:
        raise InputError(f"{where} has damaged EXIF data ({error}); save it again") from error
    if turned not in (0, 1):
        raise InputError(
            f"{where} is stored rotated (EXIF orientation {turned}), so a mask drawn on it may not "
            "lie on its pixels; save it upright first"
        )


def _is_deep(data: bytes) -> bool:
    return data.startswith(PNG) and data[24:25] == b"\x10"


def _decode_deep(data: bytes, where: str) -> tuple[Photo, NDArray[np.bool_]]:
    # Pillow would silently reduce 16-bit RGB to 8 bits.
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise InputError(f"{where} is truncated or damaged; get the file again")
    picture = np.atleast_3d(picture)
    if picture.shape[2] == 4:
        picture = picture[..., [2, 1, 0, 3]]
    elif picture.shape[2] == 3:
        picture = picture[..., ::-1]
    return _split_alpha(picture, where)


def _split_alpha(picture: Photo, where: str) -> tuple[Photo, NDArray[np.bool_]]:
    if picture.shape[2] in (1, 3):
        return np.ascontiguousarray(picture), np.ones(picture.shape[:2], np.bool_)
    alpha, opaque = picture[..., -1], np.iinfo(picture.dtype).max
    half = int(((alpha != 0) & (alpha != opaque)).sum())
    if half:
        raise InputError(
            f"{where} has {half} half-transparent pixels, whose colour is undefined; save it "
            "without transparency"
        )
    return np.ascontiguousarray(picture[..., :-1]), alpha == opaque


def _is_whole(data: bytes) -> bool:
    """Return whether a JPEG has its end marker; data that cameras append after it is ignored."""
    return b"\xff\xd9" in data[len(data) // 2 :]
