"""What VIA itself saved is read as it was drawn; the drawing is written out here once."""

import math
from pathlib import Path

import pytest
from agri_annotate.formats.read import read_project
from agri_annotate.model.project import Attribute, Picture, Region, Value
from agri_annotate.model.shape import Circle, Ellipse, Point, Polygon, Polyline, Rect, Shape

EXPORTS = Path(__file__).parents[1] / "exports"

RECT = Rect(20, 20, 100, 70)
DISC = Circle(220, 70, 35)
TURNED = Ellipse(400, 80, 70, 40, 0.524)
FIELD = Polygon(((40, 200), (160, 190), (180, 300), (60, 320)))
ROW = Polyline(((220, 200), (300, 240), (380, 200)))
PLACE = Point(420, 260)
INNER = Polygon(((90, 220), (130, 220), (140, 260), (90, 270)))
CORNER = Circle(600, 440, 46)
BLOCK = Rect(500, 300, 60, 50)

PLAIN: dict[str, Value] = {"label": "crop", "flags": (), "note": ""}
DRAWING: list[tuple[Shape, dict[str, Value]]] = [
    (RECT, {**PLAIN, "label": "soil"}),
    (DISC, {**PLAIN, "flags": ("blurred",)}),
    (TURNED, {**PLAIN, "note": 'a "quoted", note'}),
    (FIELD, PLAIN),
    (ROW, PLAIN),
    (PLACE, {}),
    (INNER, PLAIN),
    (CORNER, PLAIN),
    (BLOCK, PLAIN),
]
"""Drawn in VIA 2.0.11; VIA 3.0.10 took it over."""

OLD_DRAWING = [RECT, DISC, Ellipse(400, 80, 70, 40), FIELD, ROW, PLACE, CORNER, BLOCK]
"""Drawn in VIA 1.0.6, which has no theta, all with the text label x."""


def regions(pairs: list[tuple[Shape, dict[str, Value]]]) -> tuple[Region, ...]:
    return tuple(Region(shape, said, number) for number, (shape, said) in enumerate(pairs))


def pictures(
    pairs: list[tuple[Shape, dict[str, Value]]], *, sizes: tuple[int | None, ...] = (2095, 669)
) -> tuple[Picture, ...]:
    return Picture("field_0.png", sizes[0], regions(pairs)), Picture("field_1.png", sizes[1])


@pytest.mark.parametrize("form", ["csv", "json"])
def test_via1(form):
    project, problems = read_project(EXPORTS / f"via-1.0.6_annotations.{form}")
    assert project.form == f"via1-{form}"
    assert project.pictures == pictures([(shape, {"label": "x"}) for shape in OLD_DRAWING])
    assert (project.regions, project.files, project.name, problems) == ((), (), "", [])


@pytest.mark.parametrize("form", ["csv", "json"])
def test_via2_annotations(form):
    project, problems = read_project(EXPORTS / f"via-2.0.11_annotations.{form}")
    assert project.form == f"via2-{form}"
    assert project.pictures == pictures(DRAWING)
    assert (project.regions, project.files, project.name, problems) == ((), (), "", [])


LABEL = Attribute(
    "label", "dropdown", {"soil": "Bare soil", "crop": "Crop row", "water": "Water"}, ("crop",),
    "class",
)  # fmt: skip
FLAGS = Attribute("flags", "checkbox", {"blurred": "", "occluded": ""})
QUALITY = Attribute("quality", "radio", {"good": "", "bad": ""}, ("good",))


def test_via2_project():
    project, problems = read_project(EXPORTS / "via-2.0.11_project.json")
    assert (project.form, project.name, problems) == ("via2-project", "fields", [])
    assert project.pictures == pictures(DRAWING)
    assert project.regions == (LABEL, FLAGS, Attribute("note"))
    assert project.files == (QUALITY,)
    assert list(project.regions[0].options) == ["soil", "crop", "water"]


VIA3_NAMES = {
    "via3-json": ("via-3.0.10_project_from_via2.json", "fields"),
    "via3-csv": ("via-3.0.10_export.csv", ""),
}


@pytest.mark.parametrize("form", VIA3_NAMES)
def test_via3_has_no_theta_and_no_sizes(form):
    file, name = VIA3_NAMES[form]
    project, problems = read_project(EXPORTS / file)
    assert (project.form, project.name, problems) == (form, name, [])
    upright = [(Ellipse(400, 80, 70, 40) if s is TURNED else s, said) for s, said in DRAWING]
    # The tick of the disc is on the shape it was drawn on, the others have none.
    assert project.pictures == pictures(upright, sizes=(None, None))
    assert project.regions == (LABEL, FLAGS, Attribute("note"))
    assert project.files == (QUALITY,)


def test_coco_has_rings_and_categories():
    project, problems = read_project(EXPORTS / "via-2.0.11_coco.json")
    assert (project.form, problems) == ("coco", [])
    first, second = project.pictures
    assert (first.name, first.size, first.shape) == ("field_0.png", None, (480, 640))
    assert (second.name, second.shape, second.regions) == ("field_1.png", (200, 300), ())
    # Polyline and point are lost by VIA, circles and the ellipse have become 72-gons.
    assert [r.attributes for r in first.regions] == [{"label": "Bare soil"}] + [
        {"label": "Crop row"}
    ] * 6
    shapes = [r.shape for r in first.regions]
    assert (shapes[0], shapes[3], shapes[4], shapes[6]) == (RECT, FIELD, INNER, BLOCK)
    assert [len(shapes[i].points) for i in (1, 2, 5)] == [72, 72, 72]
    assert project.regions == (
        Attribute("label", "dropdown", {n: n for n in ("Bare soil", "Crop row", "Water")}),
    )


def test_coco_rings_lie_on_the_drawn_curves():
    project, _ = read_project(EXPORTS / "via-2.0.11_coco.json")
    shapes = [r.shape for r in project.pictures[0].regions]
    for shape, disc in ((shapes[1], DISC), (shapes[5], CORNER)):
        for x, y in shape.points:
            assert math.hypot(x - disc.cx, y - disc.cy) == pytest.approx(disc.r, abs=2e-3)
    cos, sin = math.cos(TURNED.theta), math.sin(TURNED.theta)
    for x, y in shapes[2].points:
        dx, dy = x - TURNED.cx, y - TURNED.cy
        along, across = dx * cos + dy * sin, dy * cos - dx * sin
        assert math.hypot(along / TURNED.rx, across / TURNED.ry) == pytest.approx(1, abs=1e-4)
