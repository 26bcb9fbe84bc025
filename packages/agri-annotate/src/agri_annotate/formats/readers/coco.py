"""Reader of COCO as VIA writes it: polygon rings, and categories from a dropdown or radio.

VIA turns circles and ellipses into polygons of 72 corners and leaves polylines and regions without
a category out, so these cannot be restored; its `area` is that of the box and is not read.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from agri_annotate.formats.readers.attributes import text_of
from agri_annotate.formats.readers.collector import Collector, Draft
from agri_annotate.formats.readers.geometry import from_object, from_ring
from agri_annotate.formats.readers.values import Notes, brief, key, whole
from agri_annotate.model.project import Attribute, Problem, Project, Region, Value
from agri_annotate.model.shape import Shape

Category = tuple[str, str]
"""Attribute name and option."""

CLASS = "class"
"""The attribute of categories without a supercategory."""

_MOST = 1_000_000
"""Rows or columns of a picture."""


def read_coco(root: dict[str, Any], source: str) -> tuple[Project, list[Problem]]:
    """Read images, categories and annotations.

    The supercategory is the attribute and the name the option, whose id is the name again. An
    annotation of several rings becomes as many regions. An annotation that repeats id, image and
    shapes adds an attribute value to the same region.
    """
    collector = Collector(source)
    categories = _categories(root.get("categories"), collector)
    drafts = _images(root["images"], collector)
    seen: dict[str, slice] = {}
    for place, raw in enumerate(root["annotations"]):
        _read_annotation(place, raw, drafts, categories, seen, collector)
    pictures = collector.pictures()
    return Project("coco", pictures, _definitions(categories)), collector.problems


def _categories(raw: Any, collector: Collector) -> dict[str, Category]:
    result: dict[str, Category] = {}
    for one in raw if isinstance(raw, list) else []:
        identity = key(one.get("id")) if isinstance(one, dict) else None
        name = text_of(one.get("name")) if isinstance(one, dict) else ""
        if identity is None or not name or identity in result:
            what = f"a category is left out: id {brief(identity)}, name {brief(name)}"
            collector.report(collector.source, what, "changed")
            continue
        result[identity] = text_of(one.get("supercategory")) or CLASS, name
    return result


def _definitions(categories: Mapping[str, Category]) -> tuple[Attribute, ...]:
    options: dict[str, dict[str, str]] = defaultdict(dict)
    for attribute, name in categories.values():
        options[attribute][name] = name
    return tuple(Attribute(name, "dropdown", options[name]) for name in options)


def _images(raw: list[Any], collector: Collector) -> dict[str, Draft]:
    drafts: dict[str, Draft] = {}
    for one in raw:
        identity = key(one.get("id")) if isinstance(one, dict) else None
        name = (text_of(one.get("file_name")) or text_of(one.get("coco_url"))) if identity else ""
        if identity is None or not name or identity in drafts:
            what = f"an image is left out: id {brief(identity)}, file_name {brief(name)}"
            collector.report(collector.source, what)
            continue
        draft = drafts[identity] = collector.picture(name, mark=identity)
        height, width = whole(one.get("height"), 1), whole(one.get("width"), 1)
        if height and width and max(height, width) <= _MOST:
            draft.shape = (height, width)
    return drafts


def _read_annotation(
    place: int,
    raw: Any,
    drafts: Mapping[str, Draft],
    categories: Mapping[str, Category],
    seen: dict[str, slice],
    collector: Collector,
) -> None:
    image = key(raw.get("image_id")) if isinstance(raw, dict) else None
    draft = drafts.get(image) if image is not None else None
    if draft is None:
        what = f"annotation {place + 1} is of image {brief(image)}, which is not in the file"
        collector.report(collector.source, what)
        return
    notes: Notes = []
    values = _values(raw.get("category_id"), categories, notes)
    identity = key(raw.get("id"))
    before, start = len(draft.regions), draft.count
    _draw(raw, draft, values, notes, collector)
    drawn = slice(before, len(draft.regions))
    known = drawn if identity is None else seen.setdefault(f"{image} {identity}", drawn)
    if known != drawn and _shapes(draft, known) == _shapes(draft, drawn):
        del draft.regions[drawn]
        draft.count = start
        _merge(known, values, draft, collector)


def _values(raw: Any, categories: Mapping[str, Category], notes: Notes) -> dict[str, Value]:
    identity = key(raw)
    category = categories.get(identity) if identity is not None else None
    if category is None:
        notes.append((f"its category {brief(raw)} is not in the file; left unlabelled", "changed"))
        return {}
    return {category[0]: category[1]}


def _draw(
    raw: dict[str, Any], draft: Draft, values: dict[str, Value], notes: Notes, collector: Collector
) -> None:
    rings = raw.get("segmentation")
    if isinstance(rings, dict):
        what = "a run-length mask (RLE) is no drawing; only polygons are read"
        collector.lose(draft, what)
    elif rings in (None, [], [[]]):
        _draw_point(raw, draft, values, notes, collector)
    elif not isinstance(rings, list):
        collector.lose(draft, f"segmentation should be a list of rings, got {brief(rings)}")
    else:
        if len(rings) > 1:
            notes.append((f"it has {len(rings)} rings, read as so many regions", "note"))
        for ring in rings:
            collector.region(draft, from_ring, ring, values, notes)
            notes = []


def _draw_point(
    raw: dict[str, Any], draft: Draft, values: dict[str, Value], notes: Notes, collector: Collector
) -> None:
    """Read a point, which VIA writes as one key point, `[x, y, 2]`."""
    points = raw.get("keypoints")
    if isinstance(points, list) and len(points) == 3:
        point = {"name": "point", "cx": points[0], "cy": points[1]}
        collector.region(draft, from_object, point, values, notes)
    else:
        collector.lose(draft, "it has no segmentation, only polygons and single points are read")


def _shapes(draft: Draft, part: slice) -> list[Shape]:
    return [region.shape for region in draft.regions[part]]


def _merge(known: slice, values: dict[str, Value], draft: Draft, collector: Collector) -> None:
    for index in range(known.start, known.stop):
        region = draft.regions[index]
        merged = Region(region.shape, {**region.attributes, **values}, region.number)
        draft.regions[index] = merged
        what = "is repeated in the file, as VIA writes a region with two attributes; read once"
        collector.report(f"{draft.label} region {region.number + 1}", what, "note")
