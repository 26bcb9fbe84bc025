"""The shapes of annotations, in pixels of the original picture.

The corner of the first pixel is (0, 0), its centre (0.5, 0.5): a rectangle at x = 20 of width 100
holds the columns 20 to 119.
"""

import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar, overload

from agri_core.files.errors import InputError

LARGEST = 1_000_000.0
"""Upper bound of a coordinate of a picture; a file with a larger one is damaged."""

Points = Sequence[tuple[float, float]]


class Chain(Points):
    """Points as plain numbers one after another: a seventh of the memory of tuples of tuples."""

    __slots__ = ("numbers",)

    def __init__(self, points: Points) -> None:
        self.numbers = array("d", chain.from_iterable(points))

    def __len__(self) -> int:
        return len(self.numbers) // 2

    def __iter__(self) -> Iterator[tuple[float, float]]:
        return zip(self.numbers[::2], self.numbers[1::2], strict=True)

    @overload
    def __getitem__(self, place: int) -> tuple[float, float]: ...
    @overload
    def __getitem__(self, place: slice) -> Points: ...
    def __getitem__(self, place: int | slice) -> tuple[float, float] | Points:
        return tuple(self)[place]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """Return `(n, 2)` of x, y for numpy."""
        import numpy as np

        return np.array(self.numbers, dtype).reshape(-1, 2)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Chain):
            return self.numbers == other.numbers
        return tuple(self) == other

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))


class _Checked:
    """Coordinates are finite and not absurd; lengths are not negative."""

    kind: ClassVar[str]
    __match_args__: ClassVar[tuple[str, ...]]
    __slots__ = ()

    def __post_init__(self) -> None:
        for name in self.__match_args__:
            value = getattr(self, name)
            if not -LARGEST <= value <= LARGEST:
                raise InputError(f"{self.kind}: {name} is not a coordinate: {value!r:.80}")
            if name in ("width", "height", "r", "rx", "ry") and value <= 0:
                raise InputError(f"{self.kind}: {name} must be positive, got {value:g}")


class _Chained:
    """Points are kept as a `Chain`, and finite and not absurd."""

    kind: ClassVar[str]
    points: Points
    __slots__ = ()

    def __post_init__(self) -> None:
        points = Chain(self.points)
        numbers = points.numbers
        # Least and greatest may overlook NaN, which the sum does not.
        if numbers and not (
            min(numbers) >= -LARGEST and max(numbers) <= LARGEST and math.isfinite(sum(numbers))
        ):
            raise InputError(f"{self.kind}: points is not a coordinate: {self.points!r:.80}")
        object.__setattr__(self, "points", points)


@dataclass(frozen=True, slots=True)
class Rect(_Checked):
    """An upright rectangle; `x`, `y` is its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    kind: ClassVar[str] = "rect"


@dataclass(frozen=True, slots=True)
class Circle(_Checked):
    """A disc about `cx`, `cy`."""

    cx: float
    cy: float
    r: float
    kind: ClassVar[str] = "circle"


@dataclass(frozen=True, slots=True)
class Ellipse(_Checked):
    """An ellipse with half axes `rx` and `ry`, rotated by `theta` radians clockwise on screen."""

    cx: float
    cy: float
    rx: float
    ry: float
    theta: float = 0.0
    kind: ClassVar[str] = "ellipse"


@dataclass(frozen=True, slots=True)
class Polygon(_Chained):
    """A ring of at least three points, not closed: the last is joined to the first."""

    points: Points
    kind: ClassVar[str] = "polygon"

    def __post_init__(self) -> None:
        _Chained.__post_init__(self)
        if len(set(self.points)) < 3:
            raise InputError(f"polygon: three points or more are needed, got {len(self.points)}")


@dataclass(frozen=True, slots=True)
class Polyline(_Chained):
    """A line through two points or more; it covers nothing until it is given a width."""

    points: Points
    kind: ClassVar[str] = "polyline"

    def __post_init__(self) -> None:
        _Chained.__post_init__(self)
        if len(self.points) < 2:
            raise InputError(f"polyline: two points or more are needed, got {len(self.points)}")


@dataclass(frozen=True, slots=True)
class Point(_Checked):
    """A place; it covers nothing until it is given a radius."""

    cx: float
    cy: float
    kind: ClassVar[str] = "point"


Shape = Rect | Circle | Ellipse | Polygon | Polyline | Point
