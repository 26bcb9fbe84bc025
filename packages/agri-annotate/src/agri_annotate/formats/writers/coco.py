"""Writer of COCO as VIA writes it, but with true areas and with every region.

VIA writes the area of the box, drops regions without a class and repeats those with two.
"""

from collections.abc import Mapping
from typing import Any

import shapely

from agri_annotate.formats.writers.categories import Categories, categories, unheld, value_of
from agri_annotate.formats.writers.definitions import unnamed
from agri_annotate.formats.writers.entries import listed, same_names
from agri_annotate.formats.writers.losses import place
from agri_annotate.formats.writers.outline import CORNERS, ring
from agri_annotate.formats.writers.text import compact, number
from agri_annotate.model.project import Picture, Problem, Project, Region
from agri_annotate.model.shape import Circle, Ellipse, Point, Points, Polyline

Json = dict[str, Any]


def to_json(
    project: Project, sizes: Mapping[str, int], where: str, attribute: str | None = None
) -> tuple[str, list[Problem]]:
    """Return the COCO file and what it cannot hold.

    The values of the regions' `attribute` become the categories.

    Raises:
        InputError: there is no such attribute.
    """
    del sizes  # COCO has the size in pixels, not in bytes
    classes = categories(project, attribute)
    problems: list[Problem] = []
    annotations: list[Json] = []
    for image, picture in enumerate(project.pictures, start=1):
        for region in picture.regions:
            outline = _outline(picture, region, problems)
            if outline is None:
                continue
            value = value_of(picture, region, classes, problems)
            head = {"id": len(annotations) + 1, "image_id": image}
            annotations.append(outline | head | {"category_id": classes.id_of(value)})
    content = {
        "info": _info(),
        "images": [_image(number, file) for number, file in enumerate(project.pictures, start=1)],
        "annotations": annotations,
        "licenses": [{"id": 0, "name": "Unknown License", "url": ""}],
        "categories": _categories(classes, annotations),
    }
    return compact(content), problems + _absent(project, classes, where)


def measure(points: Points) -> float:
    """Return the area of a ring in square pixels; of one that crosses itself, after repair."""
    return float(shapely.make_valid(shapely.Polygon(points)).area)


def _outline(picture: Picture, region: Region, problems: list[Problem]) -> Json | None:
    shape = region.shape
    if isinstance(shape, Polyline):
        what = "a polyline is not written: COCO holds areas and points"
        problems.append(Problem(place(picture, region), what))
        return None
    if isinstance(shape, Point):
        return _point(shape)
    if isinstance(shape, Circle | Ellipse):
        what = f"the {shape.kind} became a ring of {CORNERS} points: COCO has no {shape.kind}s"
        problems.append(Problem(place(picture, region), what, "changed"))
    points = ring(shape)
    left, upper = min(x for x, _ in points), min(y for _, y in points)
    width, height = max(x for x, _ in points) - left, max(y for _, y in points) - upper
    return {
        "segmentation": [[number(value) for point in points for value in point]],
        "area": _tidy(measure(points)),
        "bbox": [number(left), number(upper), _tidy(width), _tidy(height)],
        "iscrowd": 0,
    }


def _point(shape: Point) -> Json:
    cx, cy = number(shape.cx), number(shape.cy)
    return {
        # As VIA writes it: VIA 2 stops reading at a point whose list holds no ring.
        "segmentation": [[]],
        "area": 0,
        "bbox": [cx, cy, 0, 0],
        "iscrowd": 0,
        # 2 is COCO's "labelled and visible".
        "keypoints": [cx, cy, 2],
        "num_keypoints": 1,
    }


def _tidy(value: float) -> int | float:
    return number(round(value, 3))


def _image(number: int, picture: Picture) -> Json:
    shape = {}
    if picture.shape is not None:
        shape = {"width": picture.shape[1], "height": picture.shape[0]}
    return {"id": number, **shape, "file_name": picture.name, "license": 0, "date_captured": ""}


def _info() -> Json:
    return {
        "year": 0,
        "version": "1.0",
        "description": "VIA annotations as COCO, written by agri-annotate",
        "contributor": "",
        "url": "http://www.robots.ox.ac.uk/~vgg/software/via/",
        "date_created": "",
    }


def _categories(classes: Categories, annotations: list[Json]) -> list[Json]:
    result = [
        {"supercategory": classes.attribute, "id": number, "name": name}
        for number, name in enumerate(classes.names.values(), start=1)
    ]
    rest = classes.id_of(None)
    if any(annotation["category_id"] == rest for annotation in annotations):
        result.append({"supercategory": classes.attribute, "id": rest, "name": classes.rest})
    return result


def _absent(project: Project, classes: Categories, where: str) -> list[Problem]:
    problems = unheld(project, classes.attribute, where) + unnamed(project, where)
    problems += same_names(project)
    renamed = [value for value, name in classes.names.items() if value != name]
    if renamed:
        what = f"categories are known by their texts; the ids {listed(renamed)} are not in COCO"
        problems.append(Problem(where, what, "note"))
    unsized = [picture.name for picture in project.pictures if picture.shape is None]
    if unsized:
        what = f"width and height of {listed(unsized)} are unknown and left out; give the pictures"
        problems.append(Problem(where, what, "changed"))
    return problems
