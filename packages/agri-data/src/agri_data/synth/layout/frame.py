"""The frame: where a synthetic scene lies on the Sentinel-2 grid."""

from __future__ import annotations

from dataclasses import dataclass

from agri_core.files.errors import InputError
from rasterio.transform import Affine
from shapely.geometry import Polygon, box

PIXEL = 10
# 10980 pixels of 10 m are a whole Sentinel-2 granule.
SMALLEST, LARGEST = 64, 10980


@dataclass(frozen=True, slots=True)
class Frame:
    """A square scene of `size` 10 m pixels in UTM.

    Inside `synth` the land is drawn in local metres: x to the east and y to the north of the
    lower left corner. `left` and `top` (the upper left corner) are multiples of 60 m, as in
    every Sentinel-2 product, so that 10, 20 and 60 m pixels nest.
    """

    size: int
    left: int = 399960
    top: int = 5500020
    epsg: int = 32633

    def __post_init__(self) -> None:
        """Refuse a frame that is off the Sentinel-2 grid or of a senseless size."""
        if not SMALLEST <= self.size <= LARGEST:
            raise InputError(
                f"expected a size between {SMALLEST} and {LARGEST} pixels, got {self.size}; "
                "512 is a good start"
            )
        if self.left % 60 or self.top % 60:
            raise InputError(
                f"expected a corner on the 60 m grid, got ({self.left}, {self.top}); "
                "use multiples of 60"
            )

    @property
    def metres(self) -> float:
        """Length of a side."""
        return float(self.size * PIXEL)

    @property
    def hectares(self) -> float:
        """Area of the scene."""
        return self.metres**2 / 1e4

    @property
    def square(self) -> Polygon:
        """The scene's outline in local metres."""
        return box(0.0, 0.0, self.metres, self.metres)

    @property
    def origin(self) -> tuple[float, float]:
        """UTM coordinates of the lower left corner: add them to local metres."""
        return float(self.left), self.top - self.metres

    def transform(self, step: float = PIXEL) -> Affine:
        """Pixel to UTM for a raster of `step` metres."""
        return Affine(step, 0.0, self.left, 0.0, -step, self.top)

    def local(self, step: float = PIXEL) -> Affine:
        """Pixel to local metres for a raster of `step` metres."""
        return Affine(step, 0.0, 0.0, 0.0, -step, self.metres)
