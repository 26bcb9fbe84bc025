"""Augmentation of chips: a warp of image and mask; photometric change, resampling, JPEG."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import numpy as np
from agri_core.files.errors import InputError
from agri_core.raster.validity import chip_validity
from numpy.typing import NDArray

from agri_data.augment.downscale import downscale, draw_downscale
from agri_data.augment.jpeg import draw_jpeg, save_again
from agri_data.augment.photometric import PhotometricChange, apply_photometric
from agri_data.augment.warp import Warp, warp_image, warp_mask

Image = NDArray[Any]
Mask = NDArray[np.uint8]

MAX_COPIES = 1000
"""Of one chip; 10 to 20 are usual."""


@dataclass(frozen=True, slots=True)
class Augment:
    """Settings of the augmentation; the default only mirrors and rotates by quarter turns.

    Every strength is the half-width of a uniform draw about "no change".

    Attributes:
        flip: mirror left-right and top-bottom, each with an even chance.
        quarter: also transpose with an even chance, which with the flips gives all quarter turns.
        rotation: largest turn in degrees.
        shift: largest shift, as a share of the width and height.
        scale: largest zoom in or out: 0.2 is 0.8 to 1.2 times.
        crop: largest share of the side cut away before enlarging what is left back to full size.
        shear: largest slant in degrees.
        brightness: 0.2 is 0.8 to 1.2 times.
        contrast: 0.2 is 0.8 to 1.2 times.
        channel: largest shift of each band, in deviations of the band in the chip.
        noise: largest deviation of white noise, in deviations of the band in the chip.
        dropout: chance of each band to be lost; one band always stays.
        fill: value of a lost band.
        downscale: chance of being averaged over larger pixels, up to twice as wide, and raised
            back, as resampled imagery is.
        jpeg: chance of being saved again as JPEG, at a quality of 50 to 100 and with whole or
            halved colour by even chances: only for red, green, blue in uint8.
        nodata: value of pixels without data in every band; they stay so and never bleed.
    """

    flip: bool = True
    quarter: bool = True
    rotation: float = 0.0
    shift: float = 0.0
    scale: float = 0.0
    crop: float = 0.0
    shear: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    channel: float = 0.0
    noise: float = 0.0
    dropout: float = 0.0
    fill: float = 0.0
    downscale: float = 0.0
    jpeg: float = 0.0
    nodata: float | None = None

    def __post_init__(self) -> None:
        for name, limit in _LIMITS.items():
            value = getattr(self, name)
            if not 0 <= value <= limit:
                raise InputError(f"augmentation {name} is between 0 and {limit:g}, got {value}")

    @property
    def idle(self) -> bool:
        """Whether nothing is ever changed."""
        return not any(getattr(self, f.name) for f in fields(self) if f.name not in _VALUES)


_VALUES = ("fill", "nodata")
# scale, crop and dropout stay below 1: at 1 nothing of the chip would be left.
_LIMITS = {
    "rotation": 180.0,
    "shift": 1.0,
    "scale": 0.9,
    "crop": 0.9,
    "shear": 60.0,
    "brightness": 1.0,
    "contrast": 1.0,
    "channel": 10.0,
    "noise": 10.0,
    "dropout": 0.99,
    "downscale": 1.0,
    "jpeg": 1.0,
}


def augment(
    image: Image, mask: Mask | None, rng: np.random.Generator, config: Augment
) -> tuple[Image, Mask | None]:
    """Return one augmented copy of an image `(H, W, C)` and its mask `(H, W)`, in their own types.

    The mask moves with the image, takes the nearest pixel, and is 255 (ignore) where the warp
    reaches beyond the chip; there the image is reflected. All else changes the image only.

    Raises:
        InputError: the mask has another size, quarter turns meet a chip that is not square, or
            JPEG meets a chip that is not red, green and blue in uint8.
    """
    _check(image, mask, config)
    warp = draw_warp(config, rng)
    moved = _warp(image, warp, config.nodata)
    change = draw_photometric(config, image.shape[-1], rng)
    if not change.idle or change.lost:
        moved = apply_photometric(moved, change, chip_validity(moved, config.nodata), rng)
    # In the order of image formation: radiometry, resampling, compression. There is no draw
    # for what is off, so that seeds keep their meaning.
    if config.downscale and rng.random() < config.downscale:
        moved = _downscale(moved, rng, config.nodata)
    if config.jpeg and rng.random() < config.jpeg:
        moved = _save_again(moved, rng, config.nodata)
    return moved, None if mask is None else warp_mask(mask, warp)


def check_count(count: int) -> None:
    """Refuse a number of copies that nobody means; a store of millions fills any disk.

    Raises:
        InputError: it is not from 1 to `MAX_COPIES`.
    """
    if not 1 <= count <= MAX_COPIES:
        raise InputError(f"the number of copies is from 1 to {MAX_COPIES}, got {count}")


def copies(
    image: Image, mask: Mask | None, count: int, rng: np.random.Generator, config: Augment
) -> tuple[Image, Mask | None]:
    """Return `count` augmented copies: images `(count, H, W, C)` and masks `(count, H, W)`."""
    check_count(count)
    made = [augment(image, mask, rng, config) for _ in range(count)]
    images = np.stack([item for item, _ in made])
    masks = [item for _, item in made if item is not None]
    return images, np.stack(masks) if masks else None


def draw_warp(config: Augment, rng: np.random.Generator) -> Warp:
    """Draw a warp; the same number of draws whatever the settings, so seeds stay comparable."""
    coins = rng.random(3) < 0.5
    turn, x, y, zoom, slant = rng.uniform(-1, 1, 5)
    cut = rng.random() * config.crop
    place = rng.uniform(-0.5, 0.5, 2)
    kept = 1 - cut
    scale = (1 + zoom * config.scale) / kept
    # A crop of side `kept` centred at `place * cut` from the middle, brought to the middle.
    shift = (
        float(x * config.shift - place[0] * cut / kept),
        float(y * config.shift - place[1] * cut / kept),
    )
    return Warp(
        transpose=bool(coins[0]) and config.quarter,
        mirror=bool(coins[1]) and config.flip,
        flip=bool(coins[2]) and config.flip,
        angle=float(turn * config.rotation),
        scale=float(scale),
        shift=shift,
        shear=float(slant * config.shear),
    )


def draw_photometric(config: Augment, bands: int, rng: np.random.Generator) -> PhotometricChange:
    """Draw a photometric change of `bands` bands."""
    bright, contrast = 1 + rng.uniform(-1, 1, 2) * (config.brightness, config.contrast)
    channel = rng.uniform(-1, 1, bands) * config.channel
    noise = rng.random() * config.noise
    lost = np.flatnonzero(rng.random(bands) < config.dropout)
    if len(lost) == bands:
        lost = np.delete(lost, rng.integers(bands))
    return PhotometricChange(
        brightness=float(bright),
        contrast=float(contrast),
        channel=tuple(channel.tolist()),
        noise=float(noise),
        lost=tuple(lost.tolist()),
        fill=config.fill,
    )


def _warp(image: Image, warp: Warp, nodata: float | None) -> Image:
    moved = warp_image(image, warp)
    return moved if warp.dihedral else _blank(moved, image, partial(warp_image, warp=warp), nodata)


def _downscale(image: Image, rng: np.random.Generator, nodata: float | None) -> Image:
    way = draw_downscale(rng)
    return _blank(downscale(image, way), image, partial(downscale, way=way), nodata)


def _blank(
    moved: Image, image: Image, change: Callable[[Image], Image], nodata: float | None
) -> Image:
    """Take the data from pixels of `moved` that were blended with no data of `image`."""
    valid = chip_validity(image, nodata)
    if valid.all():
        return moved
    # The share of data under a pixel must be whole.
    share = change(valid.astype(np.float32)[..., None])[..., 0]
    # 1e-3 is above float32 rounding; abs, since cubic weights overshoot above 1 too.
    moved[np.abs(share - 1) > 1e-3] = np.nan if nodata is None else nodata
    return moved


def _save_again(image: Image, rng: np.random.Generator, nodata: float | None) -> Image:
    saved = save_again(image, draw_jpeg(rng))
    lost = ~chip_validity(image, nodata)
    saved[lost] = image[lost]
    return saved


def _check(image: Image, mask: Mask | None, config: Augment) -> None:
    if image.ndim != 3:
        raise InputError(f"an image has shape (H, W, C), got {image.shape}")
    height, width = image.shape[:2]
    if mask is not None and mask.shape != (height, width):
        raise InputError(f"the mask has shape {mask.shape} but the image is {height} x {width}")
    if config.quarter and height != width:
        raise InputError(
            f"quarter turns need square chips, got {height} x {width}; use quarter=False"
        )
