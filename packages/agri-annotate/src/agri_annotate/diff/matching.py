"""Matching of the regions of two drawings of one picture, by the pixels both cover."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from agri_core.files.errors import InputError
from numpy.typing import NDArray

from agri_annotate.masks.coverage import Cover, cover
from agri_annotate.model.shape import Shape

SAME = 0.99
"""IoU above which a region counts as kept."""

OVERLAP = 0.5
"""IoU above which two regions can be one."""

Change = Literal["kept", "moved", "relabelled", "added", "removed"]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A region as it is compared: its class, None where none is known, and what it covers.

    Attributes:
        cover: None where the shape covers nothing, as a line without a width.
    """

    shape: Shape
    label: str | None
    cover: Cover | None

    @property
    def pixels(self) -> int:
        """How many pixels it covers."""
        return 0 if self.cover is None else int(np.count_nonzero(self.cover.inside))


@dataclass(frozen=True, slots=True)
class Match:
    """What became of a region.

    Attributes:
        change: what happened to it.
        before: its index among the proposed, None if it was added.
        after: its index among the corrected, None if it was removed.
        iou: of the pixels of both, 0 where there is but one.
    """

    change: Change
    before: int | None
    after: int | None
    iou: float = 0.0


def drawn(
    shape: Shape,
    label: str | None,
    height: int,
    width: int,
    *,
    line: float | None = None,
    radius: float | None = None,
) -> Drawn:
    """Return a region and the pixels of a picture of `height` and `width` it covers."""
    try:
        covered = cover(shape, height, width, line=line, radius=radius)
    except InputError:
        covered = None
    return Drawn(shape, label, covered)


def match(before: Sequence[Drawn], after: Sequence[Drawn]) -> list[Match]:
    """Match the regions of a picture one to one, those of the highest IoU first.

    Only an IoU above `OVERLAP` makes a match; of equal ones that of equal class comes first, then
    that drawn first. Regions that cover nothing match where their shapes are equal.

    Example:
        >>> from agri_annotate.model.shape import Rect
        >>> before = [drawn(Rect(0, 0, 4, 4), "field", 8, 8)]
        >>> after = [drawn(Rect(0, 0, 4, 3), "field", 8, 8)]
        >>> match(before, after)
        [Match(change='moved', before=0, after=0, iou=0.75)]
    """
    # Minus the IoU, so that the highest comes first and ties go by the keys that follow.
    pairs = sorted(
        (-iou, before[i].label != after[j].label, i, j)
        for i, j, iou in _overlaps(before, after)
        if iou > OVERLAP
    )
    left, right = set(range(len(before))), set(range(len(after)))
    found = []
    for minus, _, i, j in pairs:
        if i in left and j in right:
            left.remove(i)
            right.remove(j)
            found.append(Match(_change(before[i], after[j], -minus), i, j, -minus))
    found += [Match("removed", i, None) for i in sorted(left)]
    found += [Match("added", None, j) for j in sorted(right)]
    return found


def iou(first: Drawn, second: Drawn) -> float:
    """Return the IoU of the pixels of two regions, 1 where equal shapes cover none."""
    if first.shape == second.shape:
        return 1.0
    if first.cover is None or second.cover is None:
        return 0.0
    rows = _common(first.cover.top, second.cover.top, first.cover, second.cover, axis=0)
    columns = _common(first.cover.left, second.cover.left, first.cover, second.cover, axis=1)
    if rows[0] >= rows[1] or columns[0] >= columns[1]:
        return 0.0
    both = np.count_nonzero(
        _window(first.cover, rows, columns) & _window(second.cover, rows, columns)
    )
    either = first.pixels + second.pixels - both
    return float(both / either) if either else 0.0


def _overlaps(before: Sequence[Drawn], after: Sequence[Drawn]) -> list[tuple[int, int, float]]:
    """Every pair whose windows and sizes allow an IoU above `OVERLAP`, with its IoU."""
    if not before or not after:
        return []
    first, second = np.array([_box(d) for d in before]), np.array([_box(d) for d in after])
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:4], second[None, :, 2:4])
    # Pixels that the windows share: never fewer than the regions share.
    shared = np.clip(high - low, 0, None).prod(axis=2)
    larger = np.maximum(first[:, None, 4], second[None, :, 4])
    # IoU <= shared / larger, so no other pair can match; regions without pixels may be equal.
    close = (shared > OVERLAP * larger) | (larger == 0)
    return [(int(i), int(j), iou(before[i], after[j])) for i, j in np.argwhere(close)]


def _box(region: Drawn) -> tuple[int, int, int, int, int]:
    """Top, left, bottom, right and pixels."""
    if region.cover is None:
        return 0, 0, 0, 0, 0
    height, width = region.cover.inside.shape
    top, left = region.cover.top, region.cover.left
    return top, left, top + height, left + width, region.pixels


def _common(first: int, second: int, one: Cover, other: Cover, *, axis: int) -> tuple[int, int]:
    ends = first + one.inside.shape[axis], second + other.inside.shape[axis]
    return max(first, second), min(ends)


def _window(covered: Cover, rows: tuple[int, int], columns: tuple[int, int]) -> NDArray[np.bool_]:
    return covered.inside[
        rows[0] - covered.top : rows[1] - covered.top,
        columns[0] - covered.left : columns[1] - covered.left,
    ]


def _change(before: Drawn, after: Drawn, overlap: float) -> Change:
    if before.label != after.label:
        return "relabelled"
    return "kept" if overlap > SAME else "moved"
