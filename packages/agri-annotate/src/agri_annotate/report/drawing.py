"""Outlines of regions as SVG, to lie over a thumbnail."""

import math
from collections.abc import Iterator
from html import escape
from typing import Any

import shapely

from agri_annotate.masks.outline import outline
from agri_annotate.model.shape import Circle, Ellipse, Point, Points, Polygon, Polyline, Rect, Shape
from agri_annotate.report.report import PictureReport, RegionReport
from agri_annotate.report.thumbnail import LARGEST

MOST = 400
"""Outlines on one thumbnail; more would be a blot."""

NUMBERED = 20
"""So many regions carry their numbers whatever their size; of more, only those large enough."""

TEXT = 11.0
SMALL = 20.0
ROOMY = 30.0
"""Pixels of the thumbnail: numbers of regions less wide than this stand beside them."""

CROWD = 30
"""Outlines of so many regions are drawn finer."""


def drawing(picture: PictureReport, key: str, colours: dict[int | None, str]) -> str:
    """Return an SVG in the pixels of the picture; ids begin with `key`."""
    height, width = picture.shape or (1, 1)
    scale = max(height, width) / LARGEST
    regions = picture.regions[:MOST]
    fine = 1.0 if len(regions) < CROWD else 0.6
    shapes = "".join(
        f'<g id="{key}-{number}">{_element(region.shape, scale)}</g>'
        for number, region in enumerate(regions)
    )
    used = "".join(
        _used(f"{key}-{number}", region, escape(colours[region.code]))
        for number, region in enumerate(regions)
    )
    numbers = "".join(_numbers(picture, scale))
    return (
        f'<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" '
        f'style="--u:{scale * fine:.4g}" role="img" aria-label="{len(picture.regions)} outlines">'
        f"<defs>{shapes}</defs>{used}"
        f'<g font-size="{TEXT * scale:.4g}" stroke-width="{2.6 * scale:.4g}">{numbers}</g></svg>'
    )


def _used(key: str, region: RegionReport, colour: str) -> str:
    """Draw an outline over a light seam; one that is in no mask is dashed."""
    lost = " lost" if region.fate == "lost" else ""
    return (
        f'<use href="#{key}" class="halo{lost}"/>'
        f'<use href="#{key}" class="line{lost}" stroke="{colour}" fill="{colour}"/>'
    )


def _element(shape: Shape, scale: float) -> str:
    match shape:
        case Rect(x, y, width, height):
            return f'<rect x="{x:.7g}" y="{y:.7g}" width="{width:.7g}" height="{height:.7g}"/>'
        case Circle(cx, cy, r):
            return f'<circle cx="{cx:.7g}" cy="{cy:.7g}" r="{r:.7g}"/>'
        case Ellipse(cx, cy, rx, ry, theta):
            turn = f"rotate({math.degrees(theta):.7g} {cx:.7g} {cy:.7g})"
            place = f'cx="{cx:.7g}" cy="{cy:.7g}" rx="{rx:.7g}" ry="{ry:.7g}"'
            return f'<ellipse {place} transform="{turn}"/>'
        case Polygon(points):
            return f'<path d="M{_path((*points, points[0]), scale)}z"/>'
        case Polyline(points):
            return f'<path fill="none" d="M{_path(points, scale)}"/>'
        case Point(cx, cy):
            return f'<circle cx="{cx:.7g}" cy="{cy:.7g}" r="{3 * scale:.4g}"/>'


def _path(points: Points, scale: float) -> str:
    """Join points, without corners too fine to be seen."""
    line = shapely.LineString(points).simplify(scale / 3, preserve_topology=False)
    return "L".join(f"{x:.6g} {y:.6g}" for x, y in shapely.get_coordinates(line).tolist())


def _numbers(picture: PictureReport, scale: float) -> Iterator[str]:
    """Write numbers where no later region lies over them, if there is such a place."""
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
        x, y = _spot(shape if rest.is_empty else rest, frame, scale)
        yield f'<text x="{x:.6g}" y="{y:.6g}">{region.number}</text>'


def _spot(shape: Any, frame: Any, scale: float) -> tuple[float, float]:
    """Give a place for a number: inside, or for a small shape to the right of it."""
    west, north, east, south = shape.bounds
    at = shape.representative_point()
    if max(east - west, south - north) >= ROOMY * scale:
        return at.x, at.y
    x = east + TEXT * scale * 0.8
    return (x if x < frame.bounds[2] - TEXT * scale / 2 else west - TEXT * scale * 0.8), at.y


def _has_room(shape: Any, scale: float, count: int) -> bool:
    west, north, east, south = shape.bounds
    return count <= NUMBERED or max(east - west, south - north) >= SMALL * scale
