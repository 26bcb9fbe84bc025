"""One patch from a file: a photo or a GeoTIFF, in the bands, the unit and the size of a model.

Nothing is guessed: what is not the kind of picture a model learned from is refused with the reason.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from agri_core.bands import TRUE_COLOUR, band_indices
from agri_core.files.errors import InputError, MissingError
from agri_core.raster.validity import ALPHA
from agri_data.sources.readers.photo import JPEG, PNG, decode_jpeg, decode_photo
from numpy.typing import NDArray

from agri_classify.patches.quality import FINE, estimate_quality

if TYPE_CHECKING:
    from agri_map.bundle.spec import BundleSpec

SMALLEST, LARGEST = 16, 1024
"""Sides of a picture in pixels; larger ones are scenes."""

# 1024 x 1024 pixels of 13 bands in 32 bits are 52 MiB: no patch needs more.
MAX_BYTES = 64 * 2**20
ENDINGS = (".jpg", ".jpeg", ".png", ".tif", ".tiff")
# EXIF tag 274, Orientation.
_ORIENTATION = 0x0112
_TURNED_MODES = ("L", "RGB")

Pixels = NDArray[Any]
Valid = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Patch:
    """A picture as a model takes it.

    Attributes:
        image: `(tile, tile, C)`, in the bands and the unit of the model.
        valid: `(tile, tile)`, False where there is no data.
        note: what was done to make it fit; "" for nothing.
        quality: of the JPEG, 1..100; 100 where nothing was lost.
        enlarged: whether it has fewer pixels than the model takes.
    """

    image: Pixels
    valid: Valid
    note: str = ""
    quality: int = 100
    enlarged: bool = False

    @property
    def coarse(self) -> bool:
        """Whether it lacks the fine texture of native pixels."""
        return self.quality < FINE or self.enlarged


def read_patch(path: Path, spec: BundleSpec, bands: tuple[str, ...] = ()) -> Patch:
    """Read a picture for the model that `spec` describes.

    Args:
        path: a JPEG, PNG or GeoTIFF file.
        spec: of a bundle.
        bands: names of a GeoTIFF's bands in file order, where the file does not name them.

    Raises:
        MissingError: there is no such file, or it lacks a band of the model.
        InputError: it is no picture, is damaged, or is of another kind than the model takes.
    """
    data = _bytes(path)
    where = str(path)
    quality = 100
    if data.startswith((JPEG, PNG)):
        image, valid, quality = _photo(data, where, spec)
    else:
        image, valid = _raster(data, where, spec, bands)
    if not valid.any():
        raise InputError(f"{where} has no pixel with data")
    return replace(_fitted(image, valid, spec.tile), quality=quality)


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        raise MissingError(f"there is no file {path}")
    size = path.stat().st_size
    if size == 0:
        raise InputError(f"{path} is empty; get the file again")
    if size > MAX_BYTES:
        raise InputError(
            f"{path} has {size} bytes; a patch has {MAX_BYTES} at most, larger files are scenes"
        )
    return path.read_bytes()


def _photo(data: bytes, where: str, spec: BundleSpec) -> tuple[Pixels, Valid, int]:
    wanted = _colours(where, spec)
    turned, quality = _check_header(data, where)
    if turned > 1:
        image = decode_jpeg(data, where)
        image, valid = _upright(image, turned), np.ones((1, 1), np.bool_)
    else:
        image, valid = decode_photo(data, where)
    if image.dtype != np.uint8:
        raise InputError(
            f"{where} has 16 bits a colour; the model takes 8, which in EuroSAT stand for 0 to "
            "2750 of the product's numbers. Convert it so"
        )
    if image.shape[2] != len(TRUE_COLOUR):
        raise InputError(f"{where} is grey; the model takes {', '.join(spec.bands)}")
    valid = np.broadcast_to(valid, image.shape[:2])
    return image[..., wanted], valid, quality


def _colours(where: str, spec: BundleSpec) -> list[int]:
    if spec.unit != "uint8" or not set(spec.bands) <= set(TRUE_COLOUR):
        raise InputError(
            f"{where} is a photo of red, green and blue in 8 bits; the model takes "
            f"{', '.join(spec.bands)} in {spec.unit}: give it GeoTIFFs"
        )
    return band_indices(TRUE_COLOUR, spec.bands, where)


def _check_header(data: bytes, where: str) -> tuple[int, int]:
    """Check size and mode before a pixel is decoded.

    Returns:
        The EXIF orientation, 1 = upright, and the JPEG quality, 100 = lossless or nearly so.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data), formats=["PNG", "JPEG"]) as image:
            _check_size(image.height, image.width, where)
            turned = int(image.getexif().get(_ORIENTATION, 1) or 1)
            plain = image.format == "JPEG" and image.mode in _TURNED_MODES
            jpeg = image.format == "JPEG"
            quality = estimate_quality(image.quantization) if jpeg else 100  # type: ignore[attr-defined]
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, struct.error) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{where} is damaged, or not a PNG or JPEG picture") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"{where} declares too many pixels: {error}") from error
    return turned if plain and 1 < turned <= 8 else 1, quality


def _check_size(height: int, width: int, where: str) -> None:
    if min(height, width) < SMALLEST:
        raise InputError(
            f"{where} is {width} x {height} pixels; a patch has {SMALLEST} or more a side"
        )
    if max(height, width) > LARGEST:
        raise InputError(
            f"{where} is {width} x {height} pixels, a scene and not a patch ({LARGEST} at most); "
            "cut it into patches first"
        )


def _upright(image: Pixels, orientation: int) -> Pixels:
    """Undo the turn that EXIF orientation 2..8 declares."""
    if orientation in (5, 6, 7, 8):
        image = image.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return np.ascontiguousarray(image)


def _raster(
    data: bytes, where: str, spec: BundleSpec, bands: tuple[str, ...]
) -> tuple[Pixels, Valid]:
    from agri_core.raster.facts import facts_of
    from agri_core.raster.opening import SCENES, open_raster
    from agri_core.raster.unit import guess_unit
    from agri_core.raster.validity import valid_pixels

    with open_raster(data, where, SCENES) as dataset:
        facts = facts_of(dataset, where, bands)
        _check_size(*facts.shape, where)
        places = _places(bands or facts.names, facts.count, where, spec)
        image = np.ascontiguousarray(np.moveaxis(dataset.read([p + 1 for p in places]), 0, -1))
        unmasked = facts.masking.read(dataset)
    valid = valid_pixels(image, facts.nodata)
    if unmasked is not None:
        valid &= unmasked
    found = guess_unit(image[valid], image.dtype)
    if valid.any() and found != spec.unit:
        raise InputError(
            f"{where} looks like {found} ({facts.dtype}) but the model was fitted on {spec.unit}; "
            "use imagery of the same kind"
        )
    return image, valid


def _places(names: tuple[str, ...], count: int, where: str, spec: BundleSpec) -> list[int]:
    if not names:
        raise InputError(
            f"{where} does not name its {count} bands; the model takes {', '.join(spec.bands)}. "
            "Name them in file order with --bands"
        )
    names = names[:count] if len(names) == count + 1 and names[-1].casefold() == ALPHA else names
    if len(names) != count:
        raise InputError(f"{where} has {count} bands, but {len(names)} names: {', '.join(names)}")
    return band_indices(names, spec.bands, where)


def _fitted(image: Pixels, valid: Valid, tile: int) -> Patch:
    """Cut the middle square and bring it to the size of the model."""
    height, width = image.shape[:2]
    if (height, width) == (tile, tile):
        return Patch(image, np.ascontiguousarray(valid))
    import cv2

    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    kept = valid[top : top + side, left : left + side].astype(np.uint8)
    # Averaging when shrinking, as bilinear sampling skips pixels and aliases field edges.
    way = cv2.INTER_AREA if side > tile else cv2.INTER_LINEAR
    made = cv2.resize(np.ascontiguousarray(square), (tile, tile), interpolation=way)
    # Nearest: a mask has no values between True and False.
    mask = cv2.resize(np.ascontiguousarray(kept), (tile, tile), interpolation=cv2.INTER_NEAREST)
    cut = "its middle square " if height != width else ""
    note = f"{cut}resized from {side} to {tile} pixels; the model learned other pixel sizes less"
    image = made.reshape(tile, tile, image.shape[2])
    return Patch(image, mask.astype(np.bool_), note, enlarged=side < tile)
