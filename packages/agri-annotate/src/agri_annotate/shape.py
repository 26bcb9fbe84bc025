"""The shapes a person draws, in pixels of the original picture.

The corner of the first pixel is (0, 0), its centre (0.5, 0.5): a rectangle at x = 20 of width 100
holds the columns 20 to 119.
"""

import math
from dataclasses import dataclass, fields
from typing import ClassVar

from agri_annotate.errors import InputError

LARGEST = 1_000_000.0
"""No coordinate of a picture is larger; a file that says so is wrong."""

Points = tuple[tuple[float, float], ...]


class _Checked:
    """Coordinates are finite and not absurd; lengths are not negative."""

    kind: ClassVar[str]
    __slots__ = ()

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            numbers = [n for point in value for n in point] if field.name == "points" else [value]
            if not all(math.isfinite(n) and abs(n) <= LARGEST for n in numbers):
                raise InputError(f"{self.kind}: {field.name} is not a coordinate: {value!r:.80}")
            if field.name in ("width", "height", "r", "rx", "ry") and value <= 0:
                raise InputError(f"{self.kind}: {field.name} must be positive, got {value:g}")


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
    """A disc with the half axes `rx` and `ry`, turned by `theta` radians clockwise on screen."""

    cx: float
    cy: float
    rx: float
    ry: float
    theta: float = 0.0
    kind: ClassVar[str] = "ellipse"


@dataclass(frozen=True, slots=True)
class Polygon(_Checked):
    """A ring of at least three points, not closed: the last is joined to the first."""

    points: Points
    kind: ClassVar[str] = "polygon"

    def __post_init__(self) -> None:
        _Checked.__post_init__(self)
        if len(set(self.points)) < 3:
            raise InputError(f"polygon: three points or more are needed, got {len(self.points)}")


@dataclass(frozen=True, slots=True)
class Polyline(_Checked):
    """A line through two points or more; it covers nothing until it is given a width."""

    points: Points
    kind: ClassVar[str] = "polyline"

    def __post_init__(self) -> None:
        _Checked.__post_init__(self)
        if len(self.points) < 2:
            raise InputError(f"polyline: two points or more are needed, got {len(self.points)}")


@dataclass(frozen=True, slots=True)
class Point(_Checked):
    """A place; it covers nothing until it is given a radius."""

    cx: float
    cy: float
    kind: ClassVar[str] = "point"


Shape = Rect | Circle | Ellipse | Polygon | Polyline | Point
