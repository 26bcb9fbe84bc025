"""COCO, as VIA writes it: polygons in rings, a category from a dropdown or radio attribute.

VIA turns circles and ellipses into polygons of 72 corners and leaves polylines and regions without
a category out, so these cannot come back; its `area` is that of the box and is not read.
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
    annotation of several rings becomes as many regions, which cover the same. The same id, image
    and shapes again is the same region with one more thing said of it.
    """
    collector = Collector(source)
    categories = _categories(root.get("categories"), collector)
    drafts = _images(root["images"], collector)
    seen: dict[str, slice] = {}
    for place, said in enumerate(root["annotations"]):
        _read_annotation(place, said, drafts, categories, seen, collector)
    pictures = collector.pictures()
    return Project("coco", pictures, _definitions(categories)), collector.problems


def _categories(said: Any, collector: Collector) -> dict[str, Category]:
    result: dict[str, Category] = {}
    for one in said if isinstance(said, list) else []:
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


def _images(said: list[Any], collector: Collector) -> dict[str, Draft]:
    drafts: dict[str, Draft] = {}
    for one in said:
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
    said: Any,
    drafts: Mapping[str, Draft],
    categories: Mapping[str, Category],
    seen: dict[str, slice],
    collector: Collector,
) -> None:
    image = key(said.get("image_id")) if isinstance(said, dict) else None
    draft = drafts.get(image) if image is not None else None
    if draft is None:
        what = f"annotation {place + 1} is of image {brief(image)}, which is not in the file"
        collector.report(collector.source, what)
        return
    notes: Notes = []
    values = _values(said.get("category_id"), categories, notes)
    identity = key(said.get("id"))
    before, start = len(draft.regions), draft.count
    _draw(said, draft, values, notes, collector)
    drawn = slice(before, len(draft.regions))
    known = drawn if identity is None else seen.setdefault(f"{image} {identity}", drawn)
    if known != drawn and _shapes(draft, known) == _shapes(draft, drawn):
        del draft.regions[drawn]
        draft.count = start
        _merge(known, values, draft, collector)


def _values(said: Any, categories: Mapping[str, Category], notes: Notes) -> dict[str, Value]:
    identity = key(said)
    category = categories.get(identity) if identity is not None else None
    if category is None:
        notes.append((f"its category {brief(said)} is not in the file; left unlabelled", "changed"))
        return {}
    return {category[0]: category[1]}


def _draw(
    said: dict[str, Any], draft: Draft, values: dict[str, Value], notes: Notes, collector: Collector
) -> None:
    rings = said.get("segmentation")
    if isinstance(rings, dict):
        what = "a run-length mask (RLE) is no drawing; only polygons are read"
        collector.lose(draft, what)
    elif rings in (None, [], [[]]):
        _draw_point(said, draft, values, notes, collector)
    elif not isinstance(rings, list):
        collector.lose(draft, f"segmentation should be a list of rings, got {brief(rings)}")
    else:
        if len(rings) > 1:
            notes.append((f"it has {len(rings)} rings, read as so many regions", "note"))
        for ring in rings:
            collector.region(draft, from_ring, ring, values, notes)
            notes = []


def _draw_point(
    said: dict[str, Any], draft: Draft, values: dict[str, Value], notes: Notes, collector: Collector
) -> None:
    """VIA writes a point as one key point, `[x, y, 2]`."""
    points = said.get("keypoints")
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
        what = "is twice in the file, as VIA writes a region with two attributes; taken once"
        collector.report(f"{draft.label} region {region.number + 1}", what, "note")
