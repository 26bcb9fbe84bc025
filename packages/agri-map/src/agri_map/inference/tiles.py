"""Positions and blending weights of the tiles of a scene; pure arithmetic.

A tile is a half-open range `[start, start + tile)` along one axis. Tiles start outside the
scene by a `margin`, so the rim of the scene is predicted with context (reflected there) and the
outermost pixels of a tile, which a network sees with one-sided context, never count. Where a
tile has one answer for all its pixels there is no such margin.
"""

from dataclasses import dataclass

import numpy as np
from agri_core.files.errors import InputError
from numpy.typing import NDArray

MARGIN = 16
"""Pixels dropped at each side of a tile, at most a quarter of the overlap."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Tiles along one axis of `length` pixels.

    Attributes:
        length: Pixels of the scene along the axis.
        tile: Side of a tile.
        overlap: Smallest overlap of neighbours; the last tile is shifted back and overlaps more.
        whole: All of a tile counts, as its answer is one for all its pixels: there is no margin,
            and tiles may overlap by more than half.

    Example:
        >>> axis = Axis(length=100, tile=64, overlap=16)
        >>> axis.margin, axis.starts()
        (4, [-4, 40])
        >>> axis.weights().shape
        (2, 64)
    """

    length: int
    tile: int
    overlap: int
    whole: bool = False

    def __post_init__(self) -> None:
        if self.length < 1:
            raise InputError(f"a scene needs at least one pixel, got {self.length}")
        most = self.tile - 1 if self.whole else self.tile // 2
        if self.tile < 1 or not 0 <= self.overlap <= most:
            raise InputError(
                f"overlap must lie in 0 to {most} for a tile of {self.tile}, got {self.overlap}"
            )

    @property
    def margin(self) -> int:
        """Pixels dropped at each side of a tile."""
        return 0 if self.whole else min(MARGIN, self.overlap // 4)

    def starts(self) -> list[int]:
        """Return the start of every tile, ascending; together they cover `[0, length)`."""
        first, last = -self.margin, self.length + self.margin - self.tile
        if last <= first:
            return [first]
        return [*range(first, last, self.tile - self.overlap), last]

    def weights(self) -> NDArray[np.float32]:
        """Return the weight of each tile's pixels, `(tiles, tile)`.

        Raised-cosine ramps over the overlap, at most to the middle, divided by their sum: over
        all tiles that hold a pixel of the scene the weights add up to 1, so blending needs no
        division.
        """
        starts, profile = self.starts(), _profile(self.tile, self.overlap, self.margin)
        total = np.zeros(starts[-1] + self.tile - starts[0])
        for start in starts:
            total[start - starts[0] :][: self.tile] += profile
        # Only dropped margins outside the scene have no weight.
        total[total == 0] = 1
        rows = [profile / total[start - starts[0] :][: self.tile] for start in starts]
        return np.asarray(rows, np.float32)


def _profile(tile: int, overlap: int, margin: int) -> NDArray[np.float64]:
    profile = np.ones(tile)
    ramp = min(overlap - 2 * margin, tile // 2)
    if ramp > 0:
        # Sampled at pixel centres (+ 0.5), so that rise and fall add up to 1.
        rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(ramp) + 0.5) / ramp)
        profile[margin : margin + ramp] = rise
        profile[tile - margin - ramp : tile - margin] = rise[::-1]
    if margin:
        profile[:margin] = 0
        profile[-margin:] = 0
    return profile
