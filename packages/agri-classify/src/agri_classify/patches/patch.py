"""Reads one patch from a photo or a GeoTIFF, in the bands, unit and size of a model.

Nothing is guessed: a picture that does not match the training data is refused with the reason.
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
"""Smallest and largest side of a picture in pixels; larger ones are scenes."""

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
    """A picture as input of a model.

    Attributes:
        image: `(tile, tile, C)`, in the bands and the unit of the model.
        valid: `(tile, tile)`, False where there is no data.
        note: how it was adapted to the model; "" if it was not.
        quality: JPEG quality 1..100; 100 for lossless files.
        enlarged: whether it has fewer pixels than the model expects.
    """

    image: Pixels
    valid: Valid
    note: str = ""
    quality: int = 100
    enlarged: bool = False

    @property
    def coarse(self) -> bool:
        """Whether the fine texture of native pixels is missing."""
        return self.quality < FINE or self.enlarged


def read_patch(path: Path, spec: BundleSpec, bands: tuple[str, ...] = ()) -> Patch:
    """Read a picture for the model that `spec` describes.

    Args:
        path: a JPEG, PNG or GeoTIFF file.
        spec: of a bundle.
        bands: names of a GeoTIFF's bands in file order, for files without band names.

    Raises:
        MissingError: the file does not exist, or lacks a band of the model.
        InputError: the file is damaged, not a picture, or does not match the model.
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
            f"{where} has 16 bits per colour; the model expects 8 bits, which in EuroSAT stand for "
            "digital numbers of 0 to 2750. Rescale the picture accordingly"
        )
    if image.shape[2] != len(TRUE_COLOUR):
        raise InputError(f"{where} is greyscale; the model expects {', '.join(spec.bands)}")
    valid = np.broadcast_to(valid, image.shape[:2])
    return image[..., wanted], valid, quality


def _colours(where: str, spec: BundleSpec) -> list[int]:
    if spec.unit != "uint8" or not set(spec.bands) <= set(TRUE_COLOUR):
        raise InputError(
            f"{where} is an 8-bit RGB photo; the model expects "
            f"{', '.join(spec.bands)} in {spec.unit}: use GeoTIFFs"
        )
    return band_indices(TRUE_COLOUR, spec.bands, where)


def _check_header(data: bytes, where: str) -> tuple[int, int]:
    """Check size and mode before decoding.

    Returns:
        The EXIF orientation, 1 = upright, and the JPEG quality, 100 = (nearly) lossless.
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
        raise InputError(f"{where} is damaged or not a PNG or JPEG picture") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"{where} declares too many pixels: {error}") from error
    return turned if plain and 1 < turned <= 8 else 1, quality


def _check_size(height: int, width: int, where: str) -> None:
    if min(height, width) < SMALLEST:
        raise InputError(
            f"{where} is {width} x {height} pixels; a patch needs {SMALLEST} or more per side"
        )
    if max(height, width) > LARGEST:
        raise InputError(
            f"{where} is {width} x {height} pixels, a scene rather than a patch (at most "
            f"{LARGEST}); cut it into patches first"
        )


def _upright(image: Pixels, orientation: int) -> Pixels:
    """Undo the EXIF orientation 2..8."""
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
            f"{where} looks like {found} ({facts.dtype}) but the model was trained on {spec.unit}; "
            "use imagery in the same unit"
        )
    return image, valid


def _places(names: tuple[str, ...], count: int, where: str, spec: BundleSpec) -> list[int]:
    if not names:
        raise InputError(
            f"{where} has {count} bands without names; the model expects {', '.join(spec.bands)}. "
            "Name them in file order with --bands"
        )
    names = names[:count] if len(names) == count + 1 and names[-1].casefold() == ALPHA else names
    if len(names) != count:
        raise InputError(f"{where} has {count} bands, but {len(names)} names: {', '.join(names)}")
    return band_indices(names, spec.bands, where)


def _fitted(image: Pixels, valid: Valid, tile: int) -> Patch:
    """Crop the centre square and resize it to the size of the model."""
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
    cut = "its centre square " if height != width else ""
    note = f"{cut}resized from {side} to {tile} pixels, a pixel size the model was not trained on"
    image = made.reshape(tile, tile, image.shape[2])
    return Patch(image, mask.astype(np.bool_), note, enlarged=side < tile)
