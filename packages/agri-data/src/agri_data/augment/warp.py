"""Geometric change of a chip as one map of the plane, so that image and mask move alike.

All turns, flips, scales and shifts are multiplied into one matrix and applied once: no pixel is
interpolated twice. Pixel centres lie on whole numbers and a chip turns about
`((W - 1) / 2, (H - 1) / 2)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from agri_core.legend import IGNORE
from numpy.typing import NDArray

Image = NDArray[Any]
Mask = NDArray[np.uint8]
Matrix = NDArray[np.float64]

_NATIVE = frozenset({"uint8", "uint16", "int16", "float32", "float64"})
"""The types cv2 interpolates; others go through float64."""


@dataclass(frozen=True, slots=True)
class Warp:
    """How an output chip is drawn from its source.

    Attributes:
        transpose: rows become columns first (square chips only).
        mirror: left and right change places.
        flip: top and bottom change places.
        angle: turn, in degrees, counter-clockwise on the screen.
        scale: above 1 magnifies.
        shift: x, y to the right and down, as shares of width and height.
        shear: slant along x, in degrees.
    """

    transpose: bool = False
    mirror: bool = False
    flip: bool = False
    angle: float = 0.0
    scale: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)
    shear: float = 0.0

    @property
    def dihedral(self) -> bool:
        """Whether the warp only permutes pixels, so that nothing is interpolated."""
        still = self.angle == 0 and self.shear == 0 and self.shift == (0.0, 0.0)
        return still and self.scale == 1

    def matrix(self, height: int, width: int) -> Matrix:
        """Return the `(2, 3)` map from source x, y to output x, y."""
        middle = np.array([(width - 1) / 2, (height - 1) / 2])
        turn, slant = np.radians(self.angle), np.tan(np.radians(self.shear))
        # y points down, so a positive screen angle has the sine above the diagonal.
        rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        # Read from right to left: mirror and transpose, slant, rotate, zoom.
        linear = self.scale * rotation @ np.array([[1.0, slant], [0.0, 1.0]]) @ self._pose()
        # The centre of the chip stays where it is but for the shift.
        move = middle + np.array(self.shift) * (width, height) - linear @ middle
        return np.column_stack([linear, move])

    def _pose(self) -> Matrix:
        pose = np.diag([-1.0 if self.mirror else 1.0, -1.0 if self.flip else 1.0])
        return pose @ np.array([[0.0, 1.0], [1.0, 0.0]]) if self.transpose else pose


def warp_image(image: Image, warp: Warp) -> Image:
    """Return the image `(H, W, C)` warped, in its own type: bilinear, reflected at the border."""
    if warp.dihedral:
        return _permute(image, warp)
    source = image if image.dtype.name in _NATIVE else image.astype(np.float64)
    # The border pixel is not repeated, as where agri-map reads beyond the rim of a scene.
    moved = _move(source, warp, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return _as_type(moved.reshape(image.shape), image.dtype)


def warp_mask(mask: Mask, warp: Warp, outside: int = IGNORE) -> Mask:
    """Return the mask `(H, W)` warped: nearest pixel, `outside` beyond the border."""
    if warp.dihedral:
        return _permute(mask, warp)
    border = {"borderMode": cv2.BORDER_CONSTANT, "borderValue": outside}
    return np.asarray(_move(mask, warp, flags=cv2.INTER_NEAREST, **border), np.uint8)


def _move(array: Image, warp: Warp, **how: Any) -> Image:
    """Return `(H, W)` or `(H, W, C)` warped by OpenCV, which drops the axis of a single band."""
    height, width = array.shape[:2]
    matrix = warp.matrix(height, width)
    return cv2.warpAffine(np.ascontiguousarray(array), matrix, (width, height), **how)


def _permute(array: Image, warp: Warp) -> Image:
    moved = np.swapaxes(array, 0, 1) if warp.transpose else array
    moved = moved[:, ::-1] if warp.mirror else moved
    moved = moved[::-1] if warp.flip else moved
    return np.ascontiguousarray(moved)


def _as_type(values: Image, dtype: np.dtype[Any]) -> Image:
    if values.dtype == dtype:
        return values
    # Bilinear values lie between those of the source, so none leaves the range of the type.
    return np.rint(values).astype(dtype)
