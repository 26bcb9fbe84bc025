"""Polygons on the ground as drawings on georeferenced pictures."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from agri_core.files.errors import InputError, MissingError
from agri_core.files.hints import hint
from agri_core.vector.crs import move
from agri_core.vector.layer import Fault, Layer, areas, plain, polygonal

from agri_annotate.geo.holes import SLIVER, Rings, open_holes
from agri_annotate.geo.place import Place
from agri_annotate.geo.vector import FIXED, clean
from agri_annotate.model.project import Attribute, Picture, Problem, Project, Region
from agri_annotate.model.shape import Polygon

STRAIGHT = 0.02
"""Corners less than so many pixels off their neighbours' line are left out."""

# Of coordinates: a thousandth of a pixel, below which a polygon is reported as too small.
DIGITS = 3
EDGES = 16
"""Edges across a picture before a polygon goes to its CRS, where long edges would bend."""


@dataclass(frozen=True, slots=True)
class OverlayOptions:
    """How polygons become regions.

    Attributes:
        attribute: the column that holds the class; None for "class", if there is one.
        background: class of holes.
        name: of the project.
        layer: of the file; None for the only one, or for all that have the same columns.
    """

    attribute: str | None = None
    background: str = "background"
    name: str = ""
    layer: str | None = None


def draw_layer(
    layer: Layer, places: Mapping[str, Place], options: OverlayOptions
) -> tuple[Project, list[Problem]]:
    """Draw the polygons of a layer on the pictures they lie on, as a VIA 2 project.

    A part of a multi-polygon becomes a region of its own. A hole that no other polygon fills
    becomes a later region of the class `background`. With holes the regions of a picture go from
    the largest to the smallest, so that what lies in a hole lies above it. A polygon that names
    one of the pictures is drawn there only.

    Raises:
        MissingError: there is no such column.
        InputError: no polygon lies on a picture.
    """
    column = _column(layer, options.attribute)
    shapes, faults = areas(layer)
    problems = list(map(_problem, faults))
    drawn: set[int] = set()
    pictures = []
    tree = shapely.STRtree(shapes)
    homes = _homes(layer, places)
    for name, place in places.items():
        near = [row for row in _near(tree, layer, place) if homes[row] in (None, name)]
        rings, listed = _rings(layer, [(row, shapes[row]) for row in near], name, place)
        problems += listed
        drawn.update(row for _, row, _ in rings)
        pictures.append(Picture(name, regions=tuple(_regions(layer, rings, column, options))))
    problems += _left_out(shapes, drawn)
    definitions = _definitions(pictures, clean(column))
    return Project("via2-project", tuple(pictures), definitions, name=options.name), problems


def _column(layer: Layer, attribute: str | None) -> str:
    columns = layer.columns
    if attribute is not None and attribute not in columns:
        there = ", ".join(columns) or "none"
        raise MissingError(f"no column {attribute!r}; there are {there}{hint(attribute, columns)}")
    return attribute or "class"


def _problem(fault: Fault) -> Problem:
    return Problem(f"feature {fault.feature}", fault.what, "lost" if fault.lost else "changed")


def _rings(
    layer: Layer, shapes: Iterable[tuple[int, Any]], name: str, place: Place
) -> tuple[Rings, list[Problem]]:
    areas, problems = _inside(layer, shapes, name, place)
    rings: Rings = []
    for row, area in areas.items():
        found = [(ring, hole) for ring, hole in _split(area) if len(set(_points(ring))) >= 3]
        rings.extend((ring, row, hole) for ring, hole in found)
        if not found:
            what = "smaller than a thousandth of a pixel"
            problems.append(Problem(f"feature {row + 1} on {name}", what))
    if any(hole for _, _, hole in rings):
        # Largest first; of equal rings the hole comes before the polygon that fills it.
        rings.sort(key=lambda item: (-shapely.Polygon(item[0]).area, not item[2]))
        rings, listed = open_holes(rings, areas, name)
        problems += listed
    return rings, problems


def _inside(
    layer: Layer, shapes: Iterable[tuple[int, Any]], name: str, place: Place
) -> tuple[dict[int, Any], list[Problem]]:
    """Return the part of each polygon that is in a picture, in pixels, by row."""
    areas: dict[int, Any] = {}
    problems = []
    cut = 0
    for row, shape in shapes:
        try:
            whole = _to_pixels(layer, shape, place)
        except InputError as error:
            problems.append(Problem(f"feature {row + 1} on {name}", str(error)))
            continue
        area = whole if place.frame.covers(whole) else _cut(whole, place)
        cut += not area.is_empty and whole.area - area.area > SLIVER
        if not area.is_empty:
            areas[row] = area
    if cut:
        what = f"{cut} polygon{'s reach' if cut > 1 else ' reaches'} over the border; cut there"
        problems.append(Problem(name, what, "changed"))
    return areas, problems


def _homes(layer: Layer, places: Mapping[str, Place]) -> list[str | None]:
    """Return the picture that each record names, None where it names none of these."""
    known = {clean(name): name for name in places}
    names = (record.get("picture") for record in layer.records)
    return [known.get(name) if isinstance(name, str) else None for name in names]


def _near(tree: Any, layer: Layer, place: Place) -> list[int]:
    """Return the rows whose bounds meet the picture's, in order."""
    return sorted(int(row) for row in tree.query(_frame(layer, place, 0.0)))


def _frame(layer: Layer, place: Place, margin: float) -> Any:
    """The bounds of a picture in the CRS of the layer, widened by `margin` of its longer side."""
    ground = place.to_ground(shapely.segmentize(place.frame, _edge(place)))
    west, south, east, north = move(ground, place.crs, layer.crs).bounds
    more = margin * max(east - west, north - south)
    return shapely.box(west - more, south - more, east + more, north + more)


def _to_pixels(layer: Layer, shape: Any, place: Place) -> Any:
    """Move a polygon to the pixels of a picture; what is far from the picture is left out."""
    if layer.crs == place.crs:
        return place.to_pixels(shape)
    # Vertices far away may have no point in the CRS of the picture.
    close = _frame(layer, place, 1.0)
    part = shape if close.covers(shape) else polygonal(shapely.intersection(shape, close))
    west, south, east, north = close.bounds
    # The frame is three pictures wide, so edges come out as long as `EDGES` asks for.
    dense = shapely.segmentize(part, max(east - west, north - south) / (3 * EDGES))
    moved = place.to_pixels(move(dense, layer.crs, place.crs))
    return polygonal(shapely.simplify(moved, STRAIGHT))


def _edge(place: Place) -> float:
    return max(place.height, place.width) / EDGES


def _cut(whole: Any, place: Place) -> Any:
    cut = polygonal(shapely.intersection(whole, place.frame))
    return shapely.MultiPolygon([part for part in shapely.get_parts(cut) if part.area > SLIVER])


def _split(shape: Any) -> Iterator[tuple[Any, bool]]:
    for part in shapely.get_parts(shape):
        if not part.is_empty:
            yield part.exterior, False
            yield from ((hole, True) for hole in part.interiors)


def _regions(layer: Layer, rings: Rings, column: str, options: OverlayOptions) -> Iterator[Region]:
    for number, (ring, row, hole) in enumerate(rings):
        record = {column: options.background} if hole else layer.records[row]
        yield Region(Polygon(_points(ring)), _attribute_values(record, column), number)


def _points(ring: Any) -> tuple[tuple[float, float], ...]:
    # + 0.0 makes 0.0 of -0.0.
    xy = np.round(shapely.get_coordinates(ring)[:-1], DIGITS) + 0.0
    return tuple((float(x), float(y)) for x, y in xy)


def _attribute_values(record: Mapping[str, Any], column: str) -> dict[str, str]:
    """Return the values of a record, the class first, without the columns that we write."""
    keys = [column, *(key for key in record if key not in (column, *FIXED))]
    values = {clean(key): clean(plain(record.get(key))) for key in keys}
    return {key: value for key, value in values.items() if value}


def _definitions(pictures: Sequence[Picture], column: str) -> tuple[Attribute, ...]:
    regions = [region for picture in pictures for region in picture.regions]
    names = dict.fromkeys(key for region in regions for key in region.attributes)
    labels = dict.fromkeys(str(r.attributes[column]) for r in regions if column in r.attributes)
    classes = Attribute(column, "dropdown", {label: label for label in labels})
    return (classes, *(Attribute(name) for name in names if name != column))


def _left_out(shapes: Sequence[Any], drawn: set[int]) -> Iterator[Problem]:
    whole = [row for row, shape in enumerate(shapes) if shape is not None]
    if not drawn:
        raise InputError(
            f"none of the {len(whole)} polygons lies on a picture; are the pictures those of this "
            "area, and is the coordinate reference system of both right?"
        )
    missed = len(whole) - len(drawn)
    if missed:
        yield Problem("polygons", f"{missed} of {len(whole)} lie on none of the pictures", "note")
