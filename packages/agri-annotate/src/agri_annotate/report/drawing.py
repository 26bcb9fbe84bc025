"""Outlines of regions, to lie over a thumbnail; the template `drawing.svg` draws them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import shapely

from agri_annotate.masks.outline import outline
from agri_annotate.model.shape import Circle, Ellipse, Point, Points, Polygon, Polyline, Rect, Shape
from agri_annotate.report.report import PictureReport
from agri_annotate.report.thumbnail import LARGEST

MOST = 400
"""Outlines on one thumbnail; more would be a blot."""

NUMBERED = 20
"""So many regions carry their numbers whatever their size; of more, only those large enough."""

TEXT = 11.0
SMALL = 20.0
ROOMY = 30.0
"""Pixels of the thumbnail: numbers of regions less wide than this are drawn next to them."""

CROWD = 30
"""Outlines of so many regions are drawn finer."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The outline of one region: an SVG element with its attributes, and how to draw it."""

    tag: str
    attributes: dict[str, float | str]
    colour: str
    lost: bool


@dataclass(frozen=True, slots=True)
class Number:
    """The number of a region and its position."""

    x: float
    y: float
    number: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """The outlines of one picture, in its pixels.

    Attributes:
        key: what ids on the page begin with.
        size: `(width, height)` of the picture.
        scale: pixels of the picture in one of the thumbnail.
        fine: factor of the width of the lines.
        total: regions of the picture; at most `MOST` of them have a mark.
        marks: the outlines, in the order of the file.
        numbers: those that have room.
    """

    key: str
    size: tuple[int, int]
    scale: float
    fine: float
    total: int
    marks: tuple[Mark, ...]
    numbers: tuple[Number, ...]


def drawing(picture: PictureReport, key: str, colours: dict[int | None, str]) -> Drawing:
    """Return the outlines of a picture; `colours` are those of the classes, by id."""
    height, width = picture.shape or (1, 1)
    scale = max(height, width) / LARGEST
    regions = picture.regions[:MOST]
    return Drawing(
        key=key,
        size=(width, height),
        scale=scale,
        fine=1.0 if len(regions) < CROWD else 0.6,
        total=len(picture.regions),
        marks=tuple(
            Mark(*_element(region.shape, scale), colours[region.code], region.fate == "lost")
            for region in regions
        ),
        numbers=tuple(_numbers(picture, scale)),
    )


def _element(shape: Shape, scale: float) -> tuple[str, dict[str, float | str]]:
    match shape:
        case Rect(x, y, width, height):
            return "rect", {"x": x, "y": y, "width": width, "height": height}
        case Circle(cx, cy, r):
            return "circle", {"cx": cx, "cy": cy, "r": r}
        case Ellipse(cx, cy, rx, ry, theta):
            turn = f"rotate({math.degrees(theta):.7g} {cx:.7g} {cy:.7g})"
            return "ellipse", {"cx": cx, "cy": cy, "rx": rx, "ry": ry, "transform": turn}
        case Polygon(points):
            return "path", {"d": f"M{_path((*points, points[0]), scale)}z"}
        case Polyline(points):
            return "path", {"fill": "none", "d": f"M{_path(points, scale)}"}
        case Point(cx, cy):
            return "circle", {"cx": cx, "cy": cy, "r": f"{3 * scale:.4g}"}


def _path(points: Points, scale: float) -> str:
    """Join points, without corners too fine to be seen."""
    # A third of a pixel of the thumbnail.
    line = shapely.LineString(points).simplify(scale / 3, preserve_topology=False)
    return "L".join(f"{x:.6g} {y:.6g}" for x, y in shapely.get_coordinates(line).tolist())


def _numbers(picture: PictureReport, scale: float) -> Iterator[Number]:
    """Yield numbers where no later region lies over them, if there is such a place."""
    height, width = picture.shape or (1, 1)
    frame = shapely.box(0, 0, width, height)
    regions = picture.regions[:MOST]
    shapes = [shapely.intersection(outline(region.shape), frame) for region in regions]
    tree = shapely.STRtree(shapes)
    for index, (region, shape) in enumerate(zip(regions, shapes, strict=True)):
        if shape.is_empty or not _has_room(shape, scale, len(regions)):
            continue
        above = [shapes[other] for other in tree.query(shape) if other > index]
        rest = shapely.difference(shape, shapely.union_all(above)) if above else shape
        yield Number(*_spot(shape if rest.is_empty else rest, frame, scale), region.number)


def _spot(shape: Any, frame: Any, scale: float) -> tuple[float, float]:
    """Return a place for a number: inside, or for a small shape to the right of it."""
    west, north, east, south = shape.bounds
    at = shape.representative_point()
    if max(east - west, south - north) >= ROOMY * scale:
        return at.x, at.y
    x = east + TEXT * scale * 0.8
    return (x if x < frame.bounds[2] - TEXT * scale / 2 else west - TEXT * scale * 0.8), at.y


def _has_room(shape: Any, scale: float, count: int) -> bool:
    west, north, east, south = shape.bounds
    return count <= NUMBERED or max(east - west, south - north) >= SMALL * scale
