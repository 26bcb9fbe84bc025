"""Does a scene hold the kind of values a bundle was fitted on? A guess that errs on saying no."""

from typing import Any

import numpy as np
from agri_data.console import warn
from agri_data.errors import InputError
from numpy.typing import NDArray

from agri_map.scene import Scene
from agri_map.spec import BundleSpec

WINDOW = 256
REFLECTANCE_LIMIT = 4.0
OFFSET = 1000
DARK = ("B02", "B03", "B04")


def check_scene(scene: Scene, spec: BundleSpec) -> None:
    """Compare dtype, range of values and pixel size of a scene with the bundle.

    Raises:
        InputError: The bundle is not one for maps, or the values are of another unit.
    """
    if spec.task != "segment":
        raise InputError(
            f"the bundle {spec.name} classifies patches; a map needs one that segments"
        )
    values = sample(scene)
    found = guess_unit(values, scene.dtype)
    if values.size and found != spec.unit:
        raise InputError(
            f"{scene.path} looks like {found} ({_range(values)}, {scene.dtype}) but the bundle "
            f"{spec.name} was fitted on {spec.unit}; {_advice(found, spec.unit)}"
        )
    _warn_pixel(scene, spec)
    empty = float((values == 0).all(axis=1).mean()) if len(values) else 0.0
    if not scene.has_nodata and empty > 0:
        warn(
            f"{100 * empty:.1f} % of the pixels sampled from {scene.path} are 0 in every band and "
            "the file names no no-data value; if they are empty, pass --nodata 0"
        )
    if spec.unit == "dn" and offset_left(values, scene.bands):
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


def guess_unit(values: NDArray[Any], dtype: np.dtype[Any]) -> str:
    """Guess the unit: 8-bit, whole numbers, or numbers about 0 to 1."""
    if dtype == np.uint8:
        return "uint8"
    if dtype.kind in "iu" or not values.size:
        return "dn"
    return "reflectance" if np.percentile(values, 99) < REFLECTANCE_LIMIT else "dn"


def offset_left(values: NDArray[Any], bands: tuple[str, ...]) -> bool:
    """Tell a Sentinel-2 scene whose -1000 offset was not applied.

    Clear land has dark pixels in the visible bands; with the offset left in, hardly one in two
    thousand is below 1000 although the darkest percent is not far above.
    """
    places = [bands.index(name) for name in DARK if name in bands]
    if not places or len(values) < WINDOW:
        return False
    dark = values[:, places]
    share = float((dark < OFFSET).mean())
    return share <= 0.0005 and float(np.percentile(dark, 1, axis=0).min()) <= 1.6 * OFFSET


def _spread(length: int) -> list[tuple[int, int]]:
    side = min(WINDOW, length)
    starts = sorted({0, (length - side) // 2, length - side})
    return [(start, start + side) for start in starts]


def _range(values: NDArray[Any]) -> str:
    low, high = np.percentile(values, [1, 99])
    return f"values {low:.6g} to {high:.6g}"


def _advice(found: str, wanted: str) -> str:
    if (found, wanted) == ("dn", "reflectance"):
        return "divide it by 10000"
    if (found, wanted) == ("reflectance", "dn"):
        return "multiply it by 10000"
    return "use imagery of the same kind"


def _warn_pixel(scene: Scene, spec: BundleSpec) -> None:
    crs = scene.grid.crs
    if spec.pixel_size is None or crs is None or not crs.is_projected:
        return
    metres = scene.grid.pixel * crs.linear_units_factor[1]
    if not 0.67 < metres / spec.pixel_size < 1.5:
        warn(
            f"{scene.path} has pixels of {metres:.3g} m, the bundle was fitted on "
            f"{spec.pixel_size:.3g} m; expect a poor map"
        )
