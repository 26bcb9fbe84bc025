"""Pictures of imagery and labels as arrays: composites, and masks in the legend's colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from agri_core.bands import (
    COLOUR_INFRARED,
    DN_PER_REFLECTANCE,
    SENTINEL2,
    SWIR,
    TRUE_COLOUR,
    Unit,
    band_indices,
)
from agri_core.files.errors import InputError
from agri_core.legend import IGNORE, IGNORE_COLOUR, Legend
from agri_core.raster.unit import guess_unit
from numpy.typing import NDArray

from agri_data.store.info import BandStats

Image = NDArray[np.generic]
Rgb = NDArray[np.uint8]
Stretch = Literal["percentile"] | tuple[float, float] | Mapping[str, BandStats]

# Land is dark: shown linearly most of it would be near black.
GAMMA = 1.5
# Reflectance shown at full brightness; plants reflect more in the infrared.
VISIBLE, INFRARED = 0.22, 0.5
TITLES = {
    TRUE_COLOUR: "true colour",
    COLOUR_INFRARED: "colour infrared",
    SWIR: "short-wave infrared",
}
_NATURAL = (TRUE_COLOUR, ("red", "green", "blue"), ("R", "G", "B"))


def composite(
    image: Image,
    bands: Sequence[str],
    names: Sequence[str] = TRUE_COLOUR,
    stretch: Stretch | None = None,
    unit: Unit | None = None,
) -> Rgb:
    """Show three bands of an image `(H, W, C)` as red, green and blue `(H, W, 3)`.

    Without `stretch` the limits are fixed, so that two pictures compare: 0..0.22 reflectance for
    visible bands, 0..0.5 for infrared ones, 0..255 for uint8. "percentile" takes the 2nd to 98th
    percentile of this image, a pair of numbers sets both limits, band statistics use p02 and p98.
    A constant band and pixels that are not finite become 0.

    Raises:
        MissingError: a band is not there.
        InputError: the image is not `(H, W, C)` with a channel per band.
    """
    if image.ndim != 3 or image.shape[2] != len(bands):
        raise InputError(
            f"expected an image (H, W, {len(bands)}) for the bands {', '.join(bands)}, "
            f"got shape {image.shape}"
        )
    if len(names) != 3:
        raise InputError(f"a composite shows three bands, got {', '.join(names) or 'none'}")
    picked = np.asarray(image[..., band_indices(bands, names, "the image")], np.float32)
    measure = unit or guess_unit(picked, image.dtype)
    channels = [
        _scaled(picked[..., i], _limits(picked[..., i], name, measure, stretch))
        for i, name in enumerate(names)
    ]
    shown = np.stack(channels, axis=-1)
    if measure != "uint8" and stretch is None:
        shown = shown ** (1 / GAMMA)
    return np.rint(shown * 255).astype(np.uint8)


def _limits(
    values: NDArray[np.float32], name: str, unit: Unit, stretch: Stretch | None
) -> tuple[float, float]:
    if stretch is None:
        return _fixed(name, unit)
    if isinstance(stretch, str):
        if stretch != "percentile":
            raise InputError(f"a stretch by name is 'percentile', got {stretch!r}")
        finite = values[np.isfinite(values)]
        low, high = np.percentile(finite, (2, 98)) if finite.size else (0.0, 0.0)
        return float(low), float(high)
    if isinstance(stretch, Mapping):
        if name not in stretch:
            raise InputError(f"no statistics of band {name}; there are {', '.join(stretch)}")
        return stretch[name].p02, stretch[name].p98
    return float(stretch[0]), float(stretch[1])


def _fixed(name: str, unit: Unit) -> tuple[float, float]:
    if unit == "uint8":
        return 0.0, 255.0
    wavelength = SENTINEL2[name].wavelength if name in SENTINEL2 else 0.0
    high = VISIBLE if wavelength < 700 else INFRARED
    return 0.0, high * (DN_PER_REFLECTANCE if unit == "dn" else 1.0)


def _scaled(values: NDArray[np.float32], limits: tuple[float, float]) -> NDArray[np.float32]:
    low, high = limits
    if not high > low:
        return np.zeros_like(values)
    scaled = np.clip((values - low) / (high - low), 0.0, 1.0)
    return np.asarray(np.where(np.isfinite(values), scaled, 0.0), np.float32)


def composite_title(names: Sequence[str]) -> str:
    """Name a composite: "true colour (B04 B03 B02)"."""
    listed = " ".join(names)
    known = TITLES.get((names[0], names[1], names[2])) if len(names) == 3 else None
    return f"{known} ({listed})" if known else listed


def picture_bands(bands: Sequence[str]) -> tuple[str, str, str]:
    """Choose what to show: natural colours where there are any, else the first bands."""
    for names in _NATURAL:
        if set(names) <= set(bands):
            return names[0], names[1], names[2]
    if not bands:
        raise InputError("an image without bands cannot be shown")
    first = (list(bands) * 3)[:3] if len(bands) < 3 else list(bands[:3])
    return first[0], first[1], first[2]


def colourise(mask: NDArray[np.generic], legend: Legend) -> Rgb:
    """Show a mask `(H, W)` of class ids in the legend's colours; 255 (ignore) is light grey.

    Raises:
        InputError: the mask holds a value that is neither a class nor 255.
    """
    table = np.zeros((256, 3), np.uint8)
    table[: len(legend)] = legend.rgb
    table[IGNORE] = list(bytes.fromhex(IGNORE_COLOUR[1:]))
    values = np.asarray(mask)
    odd = sorted({int(v) for v in np.unique(values)} - {*range(len(legend)), IGNORE})
    if odd:
        raise InputError(
            f"the mask holds the values {odd[:8]}; the legend has 0 to {len(legend) - 1}, "
            f"and {IGNORE} for no label"
        )
    return np.asarray(table[values.astype(np.uint8)], np.uint8)


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """A bar of a round ground length: how many pixels it spans and what to write on it."""

    pixels: float
    label: str


def scale_bar(width: int, pixel: float, share: float = 0.25) -> ScaleBar:
    """Return the longest bar of 1, 2 or 5 times a power of ten metres within `share` of a width.

    `width` is in pixels of `pixel` metres.
    """
    if width < 1 or pixel <= 0:
        raise InputError(f"expected a width and a pixel above 0, got {width} and {pixel}")
    longest = width * pixel * share
    power = 10.0 ** np.floor(np.log10(longest))
    metres = float(max(step * power for step in (1, 2, 5) if step * power <= longest))
    label = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    return ScaleBar(metres / pixel, label)
