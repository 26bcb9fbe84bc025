"""Cutting a raster into square windows that cover every pixel and stay inside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agri_core.files.errors import InputError


@dataclass(frozen=True, slots=True)
class Cut:
    """How images are cut: chips of `size` pixels, neighbours sharing `overlap` pixels."""

    size: int
    overlap: int = 0

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InputError(f"the chip size must be at least 1 pixel, got {self.size}")
        if not 0 <= self.overlap < self.size:
            raise InputError(
                f"the overlap must be from 0 to {self.size - 1} pixels, got {self.overlap}"
            )


def starts(length: int, cut: Cut) -> list[int]:
    """Return the window starts along one axis; the last is shifted inward to end at `length`.

    Raises:
        InputError: `length` is less than a chip.

    Example:
        >>> starts(10, Cut(size=4)), starts(10, Cut(size=4, overlap=2))
        ([0, 4, 6], [0, 2, 4, 6])
    """
    if length < cut.size:
        raise InputError(f"{length} pixels are fewer than a chip of {cut.size}")
    found = list(range(0, length - cut.size + 1, cut.size - cut.overlap))
    if found[-1] + cut.size < length:
        found.append(length - cut.size)
    return found


def windows(shape: tuple[int, int], cut: Cut) -> Iterator[tuple[int, int]]:
    """Yield `(row, col)` of the upper left corner of each window, row by row.

    Example:
        >>> list(windows((4, 6), Cut(size=4)))
        [(0, 0), (0, 2)]
    """
    cols = starts(shape[1], cut)
    for row in starts(shape[0], cut):
        for col in cols:
            yield row, col


def check_fits(shape: tuple[int, int], cut: Cut, where: str) -> None:
    """Refuse an image smaller than a chip; padding it would invent ground.

    Raises:
        InputError: a side is shorter than the chip.
    """
    if min(shape) < cut.size:
        raise InputError(
            f"{where} is {shape[0]}x{shape[1]} pixels, smaller than a chip of {cut.size}; choose a "
            f"'--size' of at most {min(shape)}"
        )
