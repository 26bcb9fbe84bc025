"""Heuristic unit check of a scene against its bundle, biased towards rejection."""

from typing import Any

import numpy as np
from agri_core.files.console import warn
from agri_core.files.errors import InputError
from agri_core.raster.pixel_area import pixel_metres
from agri_core.raster.unit import guess_unit
from numpy.typing import NDArray

from agri_map.bundle.spec import BundleSpec
from agri_map.scene.bytescale import EUROSAT
from agri_map.scene.scene import Scene

# Side in pixels of the windows that are sampled; nine bound the time on scenes of any size.
WINDOW = 256
# Added to the digital numbers of Sentinel-2 products since January 2022 (baseline 04.00).
OFFSET = 1000
# If even the 99th percentile is below this byte, the scale is for another unit.
BLACK = 4
# Shares of clipped values: clouds may do the first, only a wrong scale the second.
WHITE = 0.25
BLANK = 0.99
# Clear land is dark in the visible bands, so that an offset shows there.
DARK = ("B02", "B03", "B04")


def check_scene(scene: Scene, spec: BundleSpec) -> None:
    """Compare dtype, range of values and pixel size of a scene with the bundle.

    Raises:
        InputError: The values are of another unit, or the scale does not suit.
    """
    if scene.scale is not None and spec.unit != "uint8":
        raise InputError(
            f"a scale makes 8-bit values, but the bundle {spec.name} was fitted on {spec.unit}; "
            "leave the scale out"
        )
    values = sample(scene)
    found = guess_unit(values, scene.dtype)
    if values.size and found != spec.unit:
        raise InputError(
            f"{scene.path} looks like {found} ({_range(values)}, {scene.dtype}) but the bundle "
            f"{spec.name} was fitted on {spec.unit}; {_advice(found, spec)}"
        )
    if scene.scale is not None:
        _check_scaled(scene, scene.scale, values)
    _warn_pixel(scene, spec)
    empty = float((values == 0).all(axis=1).mean()) if len(values) else 0.0
    if not scene.has_nodata and empty > 0:
        warn(
            f"{100 * empty:.1f} % of the pixels sampled from {scene.path} are 0 in every band and "
            "the file names no no-data value; if they are empty, pass --nodata 0"
        )
    if scene.scale is not None:
        values = values * np.float32(scene.scale / 255)
    if (spec.unit == "dn" or scene.scale is not None) and offset_left(values, scene.bands):
        warn(
            f"{scene.path} has hardly a pixel below {OFFSET} in {', '.join(DARK)}: the offset of "
            "-1000 of products since January 2022 seems not to be applied"
        )


def sample(scene: Scene) -> NDArray[Any]:
    """Read valid pixels `(N, C)` of nine small windows spread over the scene."""
    found = []
    for row in _spread(scene.grid.height):
        for col in _spread(scene.grid.width):
            values, valid = scene.read(row, col)
            found.append(values[valid])
    return np.concatenate(found)


def offset_left(values: NDArray[Any], bands: tuple[str, ...]) -> bool:
    """Tell a Sentinel-2 scene whose -1000 offset was not applied.

    Clear land has dark pixels in the visible bands; with the offset left in, hardly one in two
    thousand is below 1000 although the darkest percent is not far above.
    """
    positions = [bands.index(name) for name in DARK if name in bands]
    if not positions or len(values) < WINDOW:
        return False
    dark = values[:, positions]
    share = float((dark < OFFSET).mean())
    return share <= 0.0005 and float(np.percentile(dark, 1, axis=0).min()) <= 1.6 * OFFSET


def _spread(length: int) -> list[tuple[int, int]]:
    side = min(WINDOW, length)
    starts = sorted({0, (length - side) // 2, length - side})
    return [(start, start + side) for start in starts]


def _range(values: NDArray[Any]) -> str:
    low, high = np.percentile(values, [1, 99])
    return f"values {low:.6g} to {high:.6g}"


def _advice(found: str, spec: BundleSpec) -> str:
    if (found, spec.unit) == ("dn", "reflectance"):
        return "divide it by 10000"
    if (found, spec.unit) == ("reflectance", "dn"):
        return "multiply it by 10000"
    if (spec.task, spec.unit) == ("classify", "uint8"):
        scale = EUROSAT if found == "dn" else EUROSAT / 10_000
        return (
            "use imagery of the same kind, or, if the bundle was trained on pictures made of such "
            f"values, map them to 8 bits: --scale {scale:g} as for EuroSAT"
        )
    return "use imagery of the same kind"


def _check_scaled(scene: Scene, scale: float, values: NDArray[Any]) -> None:
    """Judge what a scale made: all black or all white is a mistake, much white may be one."""
    if not values.size:
        return
    if np.percentile(values, 99) < BLACK:
        raise InputError(
            f"{scene.path} is black at a scale of {scale:g}: 99 % of the values sampled are below "
            f"{BLACK} of 255; is the scale meant for another unit? EuroSAT's is {EUROSAT:g} for "
            f"digital numbers, {EUROSAT / 10_000:g} for reflectance"
        )
    white = float((values == 255).mean())
    if white > BLANK:
        raise InputError(
            f"{scene.path} is white at a scale of {scale:g}: {100 * white:.1f} % of the values "
            f"sampled are cut off; is the scale meant for another unit? EuroSAT's is {EUROSAT:g} "
            f"for digital numbers, {EUROSAT / 10_000:g} for reflectance"
        )
    if white > WHITE:
        warn(
            f"{100 * white:.0f} % of the values sampled from {scene.path} are cut off at the scale "
            f"of {scale:g}; is it clouded, or meant for another unit?"
        )


def _warn_pixel(scene: Scene, spec: BundleSpec) -> None:
    metres = None if spec.pixel_size is None else pixel_metres(scene.grid)
    if spec.pixel_size is None or metres is None:
        return
    # A factor of 1.5 either way: objects have other sizes in pixels than in training.
    if not 0.67 < metres / spec.pixel_size < 1.5:
        warn(
            f"{scene.path} has pixels of {metres:.3g} m, the bundle was fitted on "
            f"{spec.pixel_size:.3g} m; expect a poor map"
        )
