"""One mask of all regions of a picture, painted from the lowest to the highest."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import shapely
from agri_core.files.errors import InputError
from agri_core.legend import IGNORE
from numpy.typing import NDArray

from agri_annotate.choices import Overlap
from agri_annotate.masks.coverage import polygon_spans, spans
from agri_annotate.masks.naming import Naming
from agri_annotate.masks.outline import outline
from agri_annotate.masks.runs import Layer, Runs, Spans, blank, paint
from agri_annotate.model.project import Picture, Problem, Region
from agri_annotate.model.shape import Point, Polygon, Polyline

Fate = Literal["drawn", "clipped", "lost"]


@dataclass(frozen=True, slots=True)
class Rules:
    """How regions become pixels.

    Attributes:
        overlap: which region keeps a pixel that several cover: the one drawn last, first, the one
            of most pixels, or "error": two classes on one pixel refuse the picture.
        priority: class ids; a region of one of them lies above those of the classes before it in
            the list and of classes that are not in it, whatever `overlap` is: so holes are cut.
        line: width of polylines in pixels.
        radius: of points in pixels.
        undrawn: class id of unannotated pixels, 255 for "not known".
    """

    overlap: Overlap = "last"
    priority: tuple[int, ...] = ()
    line: float | None = None
    radius: float | None = None
    undrawn: int = 0

    def __post_init__(self) -> None:
        for name in ("line", "radius"):
            value = getattr(self, name)
            if value is not None and not 0 < value <= 10_000:
                raise InputError(f"{name} must be over 0 and at most 10000 pixels, got {value:g}")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A mask and what became of the regions.

    Attributes:
        runs: the mask; None if an overlap refused the picture.
        codes: number of a region -> its class id or 255; none where it could not be named.
        fates: number of a region -> "drawn" whole, "clipped" at the border, or "lost".
        pixels: class id or 255 -> pixels of the mask.
        overwritten: class id or 255 -> pixels it lost to a region of another class above.
        problems: in the order of the regions.
    """

    runs: Runs | None
    codes: Mapping[int, int]
    fates: Mapping[int, Fate]
    pixels: Mapping[int, int] = field(default_factory=dict)
    overwritten: Mapping[int, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def mask(self) -> NDArray[np.uint8] | None:
        """The mask as uint8 `(H, W)` of class ids and 255."""
        return None if self.runs is None else self.runs.array()


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

    Example:
        >>> from agri_core.legend import Legend
        >>> from agri_annotate.model.shape import Rect
        >>> naming = Naming(Legend.of(["background", "field"]), single="field")
        >>> square = Picture("tile.png", regions=(Region(Rect(1, 0, 2, 2)),))
        >>> draw(square, height=3, width=4, naming=naming, rules=Rules()).mask
        array([[0, 1, 1, 0],
               [0, 1, 1, 0],
               [0, 0, 0, 0]], dtype=uint8)
    """
    found: Found = []
    pieces = list(_named(picture, naming, found))
    crossed = _crossed(pieces)
    layers = []
    fates: dict[int, Fate] = {region.number: "lost" for region in picture.regions}
    covers = _covers(pieces, (height, width), rules)
    for index, (piece, cover) in enumerate(zip(pieces, covers, strict=True)):
        covered = _checked(piece, cover, index in crossed, (height, width), rules, found)
        if covered is not None:
            layers.append(Layer(covered, piece.value, index))
            fates[piece.region.number] = "clipped" if covered.clipped else "drawn"
    codes = {piece.region.number: piece.value for piece in pieces}
    runs, lost = paint(blank(height, width), _ordered(layers, rules))
    if lost and rules.overlap == "error":
        # The first region that lies on another is the one to name.
        index = min(owner for owner, _ in lost)
        found.append((pieces[index].region.number, _clash(pieces[index], index, naming, lost)))
        return Drawn(None, codes, dict.fromkeys(fates, "lost"), problems=_sorted(found))
    overwritten: Counter[int] = Counter()
    for (_, value), count in lost.items():
        overwritten[value] += count
    runs = runs.filled(rules.undrawn)
    return Drawn(runs, codes, fates, runs.pixels(), overwritten, _sorted(found))


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


def _crossed(pieces: Sequence[_Piece]) -> set[int]:
    """Return the places of polygons whose outline crosses or touches itself."""
    shapes = [(index, piece.region.shape) for index, piece in enumerate(pieces)]
    rings = [(index, shape.points) for index, shape in shapes if isinstance(shape, Polygon)]
    if not rings:
        return set()
    points = np.concatenate([np.asarray(ring) for _, ring in rings])
    which = np.repeat(np.arange(len(rings)), [len(ring) for _, ring in rings])
    # In one call for all: for small rings the cost is that of the call.
    valid = shapely.is_valid(shapely.polygons(shapely.linearrings(points, indices=which)))
    return {index for (index, _), good in zip(rings, valid, strict=True) if not good}


def _ordered(layers: Sequence[Layer], rules: Rules) -> list[Layer]:
    """Return the layers from the lowest to the highest; of equals the last drawn is highest."""
    ranks = {value: rank for rank, value in enumerate(rules.priority, 1)}
    order = list(layers)
    if rules.overlap == "first":
        order.reverse()
    # Both sorts are stable: equals stay in the order they were drawn in.
    if rules.overlap == "largest":
        order.sort(key=lambda layer: layer.spans.count)
    return sorted(order, key=lambda layer: ranks.get(layer.value, 0))


def _covers(
    pieces: Sequence[_Piece], size: tuple[int, int], rules: Rules
) -> Iterator[Spans | InputError]:
    """Yield what each piece covers, or why it cannot be drawn."""
    shapes = [piece.region.shape for piece in pieces]
    polygons = polygon_spans([shape for shape in shapes if isinstance(shape, Polygon)], *size)
    for shape in shapes:
        if isinstance(shape, Polygon):
            yield next(polygons)
            continue
        try:
            yield spans(shape, *size, line=rules.line, radius=rules.radius)
        except InputError as error:
            yield error


def _checked(
    piece: _Piece,
    covered: Spans | InputError,
    crossed: bool,
    size: tuple[int, int],
    rules: Rules,
    found: Found,
) -> Spans | None:
    """Return what is to be painted; whatever is wrong with it goes to `found`."""
    shape, number = piece.region.shape, piece.region.number
    if isinstance(covered, InputError):
        found.append((number, Problem(piece.where, f"not drawn: {covered}")))
        return None
    if not len(covered.begin):
        # The tolerance is for rounding in the areas of clipped polygons.
        beyond = covered.clipped and _share_outside(piece, size, rules) > 1 - 1e-9
        outside = "lies wholly outside the picture" if beyond else "covers no pixel centre"
        text = f"not drawn: this {shape.kind} {outside} ({size[1]} x {size[0]} pixels)"
        found.append((number, Problem(piece.where, text)))
        return None
    if covered.clipped:
        text = f"cut at the border: {_share_outside(piece, size, rules):.2%} of it lies outside"
        found.append((number, Problem(piece.where, text, "changed")))
    if crossed:
        text = "its outline meets itself: filled is what it goes around once (the even-odd rule)"
        found.append((number, Problem(piece.where, text, "note")))
    return covered


def _share_outside(piece: _Piece, size: tuple[int, int], rules: Rules) -> float:
    """Return how much of the shape's area lies outside the picture, in [0, 1]."""
    shape = piece.region.shape
    drawn = outline(shape)
    if isinstance(shape, Polyline):
        drawn = drawn.buffer((rules.line or 0) / 2)
    if isinstance(shape, Point):
        drawn = drawn.buffer(rules.radius or 0)
    within = drawn.intersection(shapely.box(0, 0, size[1], size[0]))
    return float(1 - within.area / drawn.area) if drawn.area else 1.0


def _clash(
    piece: _Piece, index: int, naming: Naming, lost: Mapping[tuple[int, int], int]
) -> Problem:
    names = {**dict(enumerate(naming.legend.names)), IGNORE: "ignore"}
    mine = [(value, count) for (owner, value), count in sorted(lost.items()) if owner == index]
    below = ", ".join(f"{count} pixels of {names[value]!r}" for value, count in mine)
    return Problem(
        piece.where,
        f"no mask of this picture: this {names[piece.value]!r} lies on {below}; correct the "
        "drawing, or state --overlap last, first or largest",
    )
