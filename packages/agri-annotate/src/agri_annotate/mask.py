"""One mask of all regions of a picture, painted from the lowest to the highest."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import shapely
from numpy.typing import NDArray

from agri_annotate.coverage import Cover, cover
from agri_annotate.errors import InputError
from agri_annotate.legend import IGNORE
from agri_annotate.naming import Naming
from agri_annotate.outline import outline
from agri_annotate.project import Picture, Problem, Region
from agri_annotate.shape import Point, Polygon, Polyline

Overlap = Literal["last", "first", "largest", "error"]
Fate = Literal["drawn", "clipped", "lost"]
Mask = NDArray[np.uint8]
_DRAWN = 254
"""No class has this id: it stands for background that was drawn, until the mask is done."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How regions become pixels.

    Attributes:
        overlap: which region keeps a pixel that several cover: the one drawn last, first, the one
            of most pixels, or "error": two classes on one pixel refuse the picture.
        priority: class ids; a region of one of them lies above those of the classes before it in
            the list and of classes that are not in it, whatever `overlap` says: so holes are cut.
        line: width of polylines in pixels.
        radius: of points in pixels.
    """

    overlap: Overlap = "last"
    priority: tuple[int, ...] = ()
    line: float | None = None
    radius: float | None = None

    def __post_init__(self) -> None:
        for name in ("line", "radius"):
            value = getattr(self, name)
            if value is not None and not 0 < value <= 10_000:
                raise InputError(f"{name} must be over 0 and at most 10000 pixels, got {value:g}")


def check_overlap(text: str) -> Overlap:
    """Return the rule called `text`.

    Raises:
        InputError: there is none.
    """
    rules: tuple[Overlap, ...] = get_args(Overlap)
    for rule in rules:
        if rule == text:
            return rule
    raise InputError(f"the rule for overlaps is one of {', '.join(rules)}; got {text!r}")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A mask and what became of the regions.

    Attributes:
        mask: uint8 `(H, W)` of class ids and 255; None if an overlap refused the picture.
        codes: number of a region -> its class id or 255; none where it could not be named.
        fates: number of a region -> "drawn" whole, "clipped" at the border, or "lost".
        pixels: class id or 255 -> pixels of the mask.
        overwritten: class id or 255 -> pixels it lost to a region of another class above.
        problems: in the order of the regions.
    """

    mask: Mask | None
    codes: Mapping[int, int]
    fates: Mapping[int, Fate]
    pixels: Mapping[int, int] = field(default_factory=dict)
    overwritten: Mapping[int, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Piece:
    region: Region
    where: str
    value: int


Found = list[tuple[int, Problem]]
"""Problems with the number of their region, to be sorted by."""


def draw(picture: Picture, height: int, width: int, naming: Naming, rules: Rules) -> Drawn:
    """Draw all regions of `picture` into a mask of `height` rows and `width` columns.

    A region that cannot be drawn is a problem "lost", one that is cut at the border "changed".
    """
    found: Found = []
    named = list(_named(picture, naming, found))
    codes = {piece.region.number: piece.value for piece in named}
    fates: dict[int, Fate] = {region.number: "lost" for region in picture.regions}
    mask = np.zeros((height, width), np.uint8)
    pixels: Counter[int] = Counter()
    overwritten: Counter[int] = Counter()
    for piece in _ordered(named, (height, width), rules):
        covered = _cover(piece, (height, width), rules, found)
        if covered is None:
            continue
        overwritten.update(_paint(mask, covered, piece.value, pixels))
        fates[piece.region.number] = "clipped" if covered.clipped else "drawn"
        if overwritten and rules.overlap == "error":
            found.append((piece.region.number, _clash(piece, naming, overwritten)))
            return Drawn(None, codes, dict.fromkeys(fates, "lost"), problems=_sorted(found))
    if pixels[0]:
        mask[mask == _DRAWN] = 0
    pixels[0] += mask.size - pixels.total()
    return Drawn(mask, codes, fates, +pixels, overwritten, _sorted(found))


def _sorted(found: Found) -> tuple[Problem, ...]:
    return tuple(problem for _, problem in sorted(found, key=lambda item: item[0]))


def _named(picture: Picture, naming: Naming, found: Found) -> Iterator[_Piece]:
    for region in picture.regions:
        where = f"{picture.name} region {region.number + 1}"
        value = naming.class_of(region, where)
        if isinstance(value, Problem):
            found.append((region.number, value))
        else:
            yield _Piece(region, where, value)


def _ordered(pieces: Sequence[_Piece], size: tuple[int, int], rules: Rules) -> Sequence[_Piece]:
    """Return the pieces from the lowest to the highest; of equals the one drawn last is highest."""
    ranks = {value: rank for rank, value in enumerate(rules.priority, 1)}
    order = list(pieces)
    if rules.overlap == "first":
        order.reverse()
    if rules.overlap == "largest":
        order.sort(key=lambda piece: _pixels(piece, size, rules))
    return sorted(order, key=lambda piece: ranks.get(piece.value, 0))


def _pixels(piece: _Piece, size: tuple[int, int], rules: Rules) -> int:
    covered = _cover(piece, size, rules, [])
    return 0 if covered is None else int(np.count_nonzero(covered.inside))


def _cover(piece: _Piece, size: tuple[int, int], rules: Rules, found: Found) -> Cover | None:
    """Return what the piece covers; whatever is wrong with it goes to `found`."""
    shape, number = piece.region.shape, piece.region.number
    try:
        covered = cover(shape, *size, line=rules.line, radius=rules.radius)
    except InputError as error:
        found.append((number, Problem(piece.where, f"not drawn: {error}")))
        return None
    if not covered.inside.any():
        outside = "lies wholly outside the picture" if covered.clipped else "covers no pixel centre"
        text = f"not drawn: this {shape.kind} {outside} ({size[1]} x {size[0]} pixels)"
        found.append((number, Problem(piece.where, text)))
        return None
    if covered.clipped:
        text = f"cut at the border: {_share_outside(piece, size, rules):.2%} of it lies outside"
        found.append((number, Problem(piece.where, text, "changed")))
    if isinstance(shape, Polygon) and not shapely.is_valid(shapely.polygons(shape.points)):
        text = "its outline meets itself: filled is what it goes around once (the even-odd rule)"
        found.append((number, Problem(piece.where, text, "note")))
    return covered


def _share_outside(piece: _Piece, size: tuple[int, int], rules: Rules) -> float:
    """Return how much of the shape's area lies outside the picture, in [0, 1]."""
    drawn = outline(piece.region.shape)
    if isinstance(piece.region.shape, Polyline | Point):
        reach = rules.line / 2 if rules.line and isinstance(piece.region.shape, Polyline) else 0
        drawn = drawn.buffer(reach or rules.radius or 0)
    within = drawn.intersection(shapely.box(0, 0, size[1], size[0]))
    return float(1 - within.area / drawn.area) if drawn.area else 1.0


def _paint(mask: Mask, covered: Cover, value: int, pixels: Counter[int]) -> dict[int, int]:
    """Paint the covered pixels, keep `pixels` up, and return which other classes lost how many."""
    view, inside = mask[covered.window], covered.inside
    own = _DRAWN if value == 0 else value
    before = np.bincount(view[inside & (view != 0)], minlength=1)
    np.copyto(view, own, where=inside)
    counts = {int(number): int(before[number]) for number in np.flatnonzero(before)}
    kept = counts.pop(own, 0)
    lost = {0 if number == _DRAWN else number: count for number, count in counts.items()}
    pixels[value] += int(np.count_nonzero(inside)) - kept
    pixels.subtract(lost)
    return lost


def _clash(piece: _Piece, naming: Naming, lost: Mapping[int, int]) -> Problem:
    names = {**dict(enumerate(naming.legend.names)), IGNORE: "ignore"}
    below = ", ".join(
        f"{count} pixels of {names[value]!r}" for value, count in sorted(lost.items())
    )
    return Problem(
        piece.where,
        f"no mask of this picture: this {names[piece.value]!r} lies on {below}; correct the "
        "drawing, or state --overlap last, first or largest",
    )
