"""Regions drawn on georeferenced pictures as features on the ground."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import shapely
from agri_core.files.errors import InputError
from agri_core.vector.layer import polygonal

from agri_annotate.geo.place import Place
from agri_annotate.masks.outline import outline
from agri_annotate.model.project import Picture, Problem, Project, Region
from agri_annotate.model.shape import Polygon

FIXED = ("class", "hectares", "picture", "region")
"""Columns of every feature in a file."""

AREAS = ("Polygon", "MultiPolygon")
Name = Callable[[Region, str], "str | Problem"]
"""From a region and where it is: its class, "" for none, or why it is not to be written."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A region on the ground.

    Attributes:
        shape: geometry in pixels of the picture.
        place: of the picture.
        picture: name of the picture.
        region: its number, from 1.
        name: its class, "" where it has none.
        hectares: exact for the shape within the picture; None for lines and points.
        attributes: its attribute values as text.
    """

    shape: Any
    place: Place
    picture: str
    region: int
    name: str = ""
    hectares: float | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def geometry(self) -> Any:
        """The shape in the CRS of the picture."""
        return self.place.to_ground(self.shape)


def locate(
    project: Project, places: Mapping[str, Place], name: Name, *, flat: bool = False
) -> tuple[list[Feature], list[Problem]]:
    """Put the regions of a project on the ground.

    Areas are cut at the border of their picture, as masks are. They may overlap, as drawn; with
    `flat` a later region is cut out of the earlier ones below it, so hectares add up.

    Args:
        project: what was drawn.
        places: of the pictures, by name; a picture with regions and no place is a problem.
        name: gives the class of a region.
        flat: cut overlaps.
    """
    features: list[Feature] = []
    problems: list[Problem] = []
    for picture in project.pictures:
        if picture.name not in places:
            problems.extend(_placeless(picture))
            continue
        found = [_locate(picture, region, places[picture.name], name) for region in picture.regions]
        drawn = [feature for feature, _ in found if feature is not None]
        problems.extend(problem for _, listed in found for problem in listed)
        features.extend(_flatten(drawn, places[picture.name], problems) if flat else drawn)
    return features, problems


def _placeless(picture: Picture) -> Iterator[Problem]:
    if picture.regions:
        count = len(picture.regions)
        yield Problem(
            picture.name,
            f"{count} region{'s' * (count > 1)} not written: the picture was not found or has "
            "no georeference; expected a GeoTIFF, or a world file next to it and --crs",
        )


def _locate(
    picture: Picture, region: Region, place: Place, name: Name
) -> tuple[Feature | None, list[Problem]]:
    where = f"{picture.name} region {region.number + 1}"
    label = name(region, where)
    if isinstance(label, Problem):
        return None, [label]
    shape = outline(region.shape)
    cut, problems = _clip(where, region, shape, place)
    if cut.is_empty:
        return None, problems
    try:
        hectares = place.hectares(cut) if cut.geom_type in AREAS else None
    except InputError as error:
        return None, [Problem(where, str(error))]
    values = {key: _text(value) for key, value in region.attributes.items()}
    number = region.number + 1
    return Feature(cut, place, picture.name, number, label, hectares, values), problems


def _clip(where: str, region: Region, shape: Any, place: Place) -> tuple[Any, list[Problem]]:
    if shape.is_empty:
        return shape, [Problem(where, f"the {region.shape.kind} has no area")]
    problems = []
    if isinstance(region.shape, Polygon) and not shapely.Polygon(region.shape.points).is_valid:
        what = "the outline crosses or touches itself; its parts are kept by the even-odd rule"
        problems.append(Problem(where, what, "changed"))
    if place.frame.covers(shape):
        return shape, problems
    cut = _same_kind(shapely.intersection(shape, place.frame), shape)
    size = f"{place.width} x {place.height}"
    if cut.is_empty:
        what = f"the {region.shape.kind} lies outside the picture of {size} pixels"
        return cut, [*problems, Problem(where, what)]
    what = f"the {region.shape.kind} reaches over the border of the picture of {size} pixels; cut"
    return cut, [*problems, Problem(where, what, "changed")]


def _same_kind(cut: Any, shape: Any) -> Any:
    """Drop what a cut leaves of lower dimension: touching a border is not lying in it."""
    if shape.geom_type in AREAS:
        return polygonal(cut)
    if shape.geom_type == "LineString" and "LineString" not in cut.geom_type:
        lines = [part for part in shapely.get_parts(cut) if part.geom_type == "LineString"]
        return shapely.MultiLineString(lines)
    return cut


def _flatten(features: Sequence[Feature], place: Place, problems: list[Problem]) -> list[Feature]:
    """Cut later areas out of earlier ones, walking from the top down."""
    kept: list[Feature] = []
    above: Any = shapely.Polygon()
    for feature in reversed(features):
        if feature.hectares is None:
            kept.append(feature)
            continue
        rest = polygonal(shapely.difference(feature.shape, above))
        above = shapely.union(above, feature.shape)
        if rest.is_empty:
            where = f"{feature.picture} region {feature.region}"
            problems.append(Problem(where, "it is hidden whole by later regions", "changed"))
            continue
        kept.append(replace(feature, shape=rest, hectares=place.hectares(rest)))
    return kept[::-1]


def _text(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else "; ".join(value)


def clean(text: str) -> str:
    """Make a text one that UTF-8 can hold, without control characters."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(" " if ord(c) < 32 or 127 <= ord(c) < 160 else c for c in whole)
