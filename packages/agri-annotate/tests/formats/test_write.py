"""Annotation files are written as VIA writes them; what a form cannot hold is reported."""

import json
import math
from pathlib import Path
from typing import Any, get_args

import pytest
import shapely
from agri_annotate.choices import Form
from agri_annotate.formats.write import render, write_project
from agri_annotate.formats.writers.outline import ring, untilted
from agri_annotate.model.project import Attribute, Picture, Problem, Project, Region, Value
from agri_annotate.model.shape import Circle, Ellipse, Point, Polygon, Polyline, Shape
from agri_core.files.errors import InputError

EXPORTS = Path(__file__).parents[1] / "exports"
SQUARE = Polygon(((0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)))
LABEL = Attribute("label", "dropdown", {"soil": "Bare soil", "crop": ""}, ("crop",), "class")


def _project(*shapes: Shape, form: Form = "via2-project", **values: Value) -> Project:
    regions = tuple(Region(shape, values, number) for number, shape in enumerate(shapes))
    return Project(form, (Picture("a.png", 9, regions),))


def _json(project: Project, form: Form, **options: Any) -> Any:
    return json.loads(render(project, form, "out", **options)[0])


def _weights(project: Project, form: Form) -> list[tuple[str, str]]:
    return [(each.where, each.severity) for each in render(project, form, "out")[1]]


def test_every_form_has_a_writer(tmp_path: Path) -> None:
    for form in get_args(Form):
        write_project(_project(SQUARE, label="soil"), form, tmp_path / form)
        assert (tmp_path / form).read_bytes()
    assert sorted(path.name for path in tmp_path.glob("[!.]*")) == sorted(get_args(Form))


def test_an_unknown_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="via2-project"):
        write_project(_project(SQUARE), "via9", tmp_path / "out")  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_via1_json_closes_polygons_and_numbers_regions() -> None:
    text, problems = render(_project(SQUARE, Point(1.5, 2), label="soil"), "via1-json", "out")
    assert text == (
        '{"a.png9":{"fileref":"","size":9,"filename":"a.png","base64_img_data":"",'
        '"file_attributes":{},"regions":{"0":{"shape_attributes":{"name":"polygon",'
        '"all_points_x":[0,4,4,0,0],"all_points_y":[0,0,4,4,0]},"region_attributes":'
        '{"label":"soil"}},"1":{"shape_attributes":{"name":"point","cx":1.5,"cy":2},'
        '"region_attributes":{"label":"soil"}}}}}'
    )
    assert problems == []


def test_via1_csv() -> None:
    text, _ = render(_project(Circle(3, 4, 5), label='a "b", c'), "via1-csv", "out")
    assert text == (
        "#filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,"
        "region_attributes\n"
        'a.png,9,"{}",1,0,"{""name"":""circle"",""cx"":3,""cy"":4,""r"":5}",'
        '"{""label"":""a \\""b\\"", c""}"'
    )


def test_via2_csv_of_a_picture_without_regions_and_with_a_bad_name() -> None:
    text, problems = render(Project("via2-csv", (Picture('a,"b\n.png', 9),)), "via2-csv", "out")
    assert [(p.where, p.severity) for p in problems] == [(r'a,"b\n.png', "changed")]
    assert text.split("\n", 1)[1] == '"a,""b\n.png",9,"{}",0,0,"{}","{}"'


def test_via2_keeps_theta_ticks_and_open_polygons() -> None:
    project = _project(Ellipse(4, 4, 3, 2, 0.524), SQUARE, flags=("wet", "dark"), none=())
    first, second = _json(project, "via2-json")["a.png9"]["regions"]
    assert first["shape_attributes"] == {
        "name": "ellipse", "cx": 4, "cy": 4, "rx": 3, "ry": 2, "theta": 0.524,
    }  # fmt: skip
    assert first["region_attributes"] == {"flags": {"wet": True, "dark": True}, "none": {}}
    assert second["shape_attributes"]["all_points_x"] == [0, 4, 4, 0]


def test_a_project_has_the_keys_that_the_application_writes() -> None:
    """The settings are those of a real project file, but for its name."""
    real = json.loads((EXPORTS / "via-2.0.11_project.json").read_text())
    ours = _json(Project("coco", (Picture("a.png", 9),), (LABEL,), name="fields"), "via2-project")
    assert list(ours) == list(real)
    assert ours["_via_settings"] == real["_via_settings"]
    assert ours["_via_data_format_version"] == real["_via_data_format_version"]
    assert ours["_via_image_id_list"] == list(ours["_via_img_metadata"]) == ["a.png9"]
    assert ours["_via_attributes"] == {
        "region": {
            "label": {
                "type": "dropdown",
                "description": "class",
                "options": {"soil": "Bare soil", "crop": ""},
                "default_options": {"crop": True},
            }
        },
        "file": {},
    }


def test_a_project_defines_what_its_regions_use() -> None:
    ours = _json(_project(SQUARE, note="x", flags=("wet",)), "via2-project")
    assert ours["_via_attributes"]["region"] == {
        "note": {"type": "text", "description": "", "default_value": ""},
        "flags": {
            "type": "checkbox", "description": "", "options": {"wet": ""}, "default_options": {},
        },
    }  # fmt: skip


def test_via3_numbers_its_metadata() -> None:
    project = Project("via3-json", _project(SQUARE, label="soil").pictures, (LABEL,), name="p")
    ours = _json(project, "via3-json")
    assert ours["metadata"] == {
        "1_00000001": {
            "vid": "1", "flg": 0, "z": [], "xy": [7, 0, 0, 4, 0, 4, 4, 0, 4], "av": {"1": "soil"},
        },
        "1_00000002": {"vid": "1", "flg": 0, "z": [], "xy": [], "av": {}},
    }  # fmt: skip
    assert ours["attribute"]["1"] == {
        "aname": "label", "anchor_id": "FILE1_Z0_XY1", "type": 4, "desc": "class",
        "options": {"soil": "Bare soil", "crop": ""}, "default_option_id": "crop",
    }  # fmt: skip
    assert ours["project"]["created"] == 0
    assert ours["project"]["pname"] == "p"


def test_via3_has_the_keys_that_the_application_writes() -> None:
    real = json.loads((EXPORTS / "via-3.0.10_project_from_via2.json").read_text())
    ours = _json(_project(SQUARE, label="soil"), "via3-json")
    assert list(ours) == list(real)
    assert list(ours["project"]) == list(real["project"])
    assert ours["config"] == real["config"]
    for part in ("file", "view"):
        assert list(ours[part]["1"]) == list(real[part]["1"])
    assert list(ours["metadata"]["1_00000001"]) == list(real["metadata"]["1_1p7xvfNL"])


def test_via3_csv_has_the_comment_that_the_application_writes() -> None:
    real = (EXPORTS / "via-3.0.10_export.csv").read_text().split("\n")
    project = Project("via3-csv", _project(Circle(220, 70, 35), label="a,b").pictures)
    ours = render(project, "via3-csv", "out")[0].split("\n")
    assert ours[:8] == real[:8]
    assert ours[9] == real[9]
    assert ours[8] == (
        '# ATTRIBUTE = {"1":{"aname":"label","anchor_id":"FILE1_Z0_XY1","type":1,"desc":"",'
        '"default_option_id":""}}'
    )
    assert ours[10:] == [
        '"1_00000001","[""a.png""]",0,"[]","[3,220,70,35]","{""1"":""a,b""}"',
        '"1_00000002","[""a.png""]",0,"[]","[]","{}"',
    ]


@pytest.mark.parametrize("form", ["via1-json", "via1-csv", "via3-json", "via3-csv"])
def test_a_turned_ellipse_becomes_a_polygon_where_there_is_no_theta(form: Form) -> None:
    project = _project(SQUARE, Ellipse(40, 40, 30, 10, 0.5))
    text, problems = render(project, form, "out")
    assert text.count("polygon") >= 2 or text.count("[7,") >= 2
    assert [str(p) for p in problems if p.severity != "note"] == [
        "a.png region 2: a rotated ellipse became a polygon of 72 points: this form has no theta"
    ]


def test_an_ellipse_turned_by_a_quarter_has_its_axes_swapped() -> None:
    assert untilted(Ellipse(5, 6, 3, 2, math.pi / 2)) == Ellipse(5, 6, 2, 3, 0.0)
    assert untilted(Ellipse(5, 6, 3, 2, -math.pi)) == Ellipse(5, 6, 3, 2, 0.0)
    assert untilted(Ellipse(5, 6, 3, 3, 0.3)) == Ellipse(5, 6, 3, 3, 0.0)


def test_the_ring_of_an_ellipse_is_the_ellipse_turned_by_shapely() -> None:
    """Shapely's rotate turns counter-clockwise with y up, so clockwise on screen with y down."""
    from shapely import affinity

    unit = shapely.Point(0, 0).buffer(1, quad_segs=18)  # 72 corners
    reference = affinity.translate(
        affinity.rotate(affinity.scale(unit, 70, 40), 0.524, origin=(0, 0), use_radians=True),
        400,
        80,
    )
    ours = shapely.Polygon(ring(Ellipse(400, 80, 70, 40, 0.524)))
    assert ours.symmetric_difference(reference).area < 0.5  # of 8785 square pixels
    assert ours.area == pytest.approx(math.pi * 70 * 40, rel=0.0013)


def test_a_ring_too_small_to_be_one_is_lost_and_said() -> None:
    tiny = Ellipse(900_000, 5, 1e-13, 2e-13, 0.5)
    assert _weights(_project(tiny), "via1-json") == [("a.png region 1", "lost")]


def test_the_circle_of_coco_is_the_ring_that_the_application_writes() -> None:
    real = json.loads((EXPORTS / "via-2.0.11_coco.json").read_text())["annotations"]
    ours = _json(_project(Circle(220, 70, 35), Circle(600, 440, 46), label="x"), "coco")
    for mine, theirs in zip(ours["annotations"], (real[1], real[5]), strict=True):
        assert mine["segmentation"] == theirs["segmentation"]
        assert mine["bbox"] == theirs["bbox"]


def test_the_turned_ellipse_of_coco_is_the_ring_that_the_application_writes() -> None:
    real = json.loads((EXPORTS / "via-2.0.11_coco.json").read_text())["annotations"][2]
    ours = _json(_project(Ellipse(400, 80, 70, 40, 0.524), label="x"), "coco")["annotations"][0]
    assert ours["segmentation"][0] == pytest.approx(real["segmentation"][0], abs=0.0011)
    assert ours["bbox"] == pytest.approx(real["bbox"], abs=0.0011)


def test_coco_has_true_areas_sizes_and_categories() -> None:
    """A quad whose area is 14100, where VIA writes 18200, that of its 140 x 130 box."""
    quad = Polygon(((40, 200), (160, 190), (180, 300), (60, 320)))
    bow = Polygon(((0, 0), (100, 100), (100, 0), (0, 100)))  # two triangles of 2500
    picture = Picture(
        "a.png", 9, _project(quad, bow, label="crop").pictures[0].regions, {}, (48, 64)
    )
    ours = _json(Project("coco", (picture,), (LABEL,)), "coco")
    assert [each["area"] for each in ours["annotations"]] == [14100, 5000]
    assert ours["annotations"][0]["bbox"] == [40, 190, 140, 130]
    assert ours["images"] == [
        {
            "id": 1, "width": 64, "height": 48, "file_name": "a.png", "license": 0,
            "date_captured": "",
        }
    ]  # fmt: skip
    assert ours["categories"] == [
        {"supercategory": "label", "id": 1, "name": "Bare soil"},
        {"supercategory": "label", "id": 2, "name": "crop"},
    ]
    assert [each["category_id"] for each in ours["annotations"]] == [2, 2]


def test_coco_says_what_it_cannot_hold() -> None:
    line = Polyline(((0, 0), (5, 5)))
    regions = (
        Region(SQUARE, {"label": "soil", "flags": ("wet",), "note": ""}, 0),
        Region(line, {"label": "soil"}, 1),
        Region(SQUARE, {}, 2),
        Region(Point(1, 2), {"label": "soil"}, 3),
    )
    project = Project("coco", (Picture("a.png", 9, regions, {"by": "me"}, (8, 8)),), (LABEL,))
    text, problems = render(project, "coco", "out.json")
    assert [(p.where, p.severity, p.what[:38]) for p in problems] == [
        ("a.png region 2", "lost", "a polyline is not written: COCO holds "),
        ("a.png region 3", "changed", "it has no value of 'label', so its cat"),
        ("out.json", "lost", "'flags' of 1 regions is not in the fil"),
        ("out.json", "lost", "'by' of 1 pictures is not in the file:"),
        ("out.json", "note", "categories are known by their texts; t"),
    ]
    ours = json.loads(text)
    assert [each["category_id"] for each in ours["annotations"]] == [1, 3, 1]
    assert ours["categories"][2] == {"supercategory": "label", "id": 3, "name": "unlabelled"}
    assert ours["annotations"][2]["keypoints"] == [1, 2, 2]
    assert ours["annotations"][2]["segmentation"] == [[]]


def test_a_checkbox_as_category_of_coco() -> None:
    project = _project(SQUARE, flags=("wet", "dark"))
    text, problems = render(project, "coco", "out", attribute="flags")
    assert json.loads(text)["categories"] == [{"supercategory": "flags", "id": 1, "name": "wet"}]
    assert [p.what for p in problems if p.severity == "lost"] == [
        "['wet', 'dark'] are ticked, COCO holds one category: 'wet' is kept"
    ]


def test_an_unknown_attribute_for_coco_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="no attribute 'klass'; they have 'label'"):
        render(_project(SQUARE, label="soil"), "coco", "out", attribute="klass")


def test_options_of_one_text_stay_apart_in_coco() -> None:
    same = Attribute("label", "radio", {"a": "Field", "b": "Field", "c": "a"})
    project = Project("coco", _project(SQUARE, label="b").pictures, (same,))
    names = [each["name"] for each in _json(project, "coco")["categories"]]
    assert names == ["a", "b", "c"]  # 'a', the text of c, is the name of another one


def test_sizes_make_the_key_and_a_difference_is_noted() -> None:
    project = Project("via2-json", (Picture("a.png", 9), Picture("b.png", None)))
    text, problems = render(project, "via2-json", "out", {"a.png": 12})
    assert list(json.loads(text)) == ["a.png12", "b.png-1"]
    assert problems == [
        Problem("a.png", "9 bytes were recorded, the picture has 12; 12 is written", "note"),
        Problem("out", "the size in bytes of 'b.png' is unknown, so VIA is told -1", "note"),
    ]


def test_two_pictures_never_share_a_key() -> None:
    square, circle = (Region(SQUARE),), (Region(Circle(3, 3, 2)),)
    project = Project(
        "via2-json", (Picture("a1", 2, square), Picture("a", 12, circle), Picture("a1", 2, circle))
    )
    text, problems = render(project, "via2-json", "out")
    content = json.loads(text)
    assert {key: len(entry["regions"]) for key, entry in content.items()} == {"a12": 2, "a12#2": 1}
    assert [(p.where, p.severity) for p in problems] == [("a1", "changed")]


def test_ticks_become_text_in_via1_and_via3() -> None:
    project = _project(SQUARE, flags=("wet", "dark"))
    assert _json(project, "via1-json")["a.png9"]["regions"]["0"]["region_attributes"] == {
        "flags": "wet,dark"
    }
    assert _weights(project, "via1-json") == [("a.png region 1", "changed")]
    assert _json(project, "via3-json")["metadata"]["1_00000001"]["av"] == {"1": "wet,dark"}
    assert _weights(project, "via3-json") == [("out", "note")]
    assert ("a.png region 1", "changed") in _weights(_project(SQUARE, flags=("a,b",)), "via3-json")


@pytest.mark.parametrize("form", ["via1-json", "via1-csv", "via2-json", "via2-csv"])
def test_definitions_and_the_name_are_missed_where_there_is_no_place(form: Form) -> None:
    project = Project("via2-project", (Picture("a.png", 9),), (LABEL,), name="fields")
    assert _weights(project, form) == [("out", "changed"), ("out", "note")]


def test_line_ends_and_half_surrogates_stay_within_one_line(tmp_path: Path) -> None:
    text = "a\u2028b\x85c\nd\ud800"
    for form in ("via2-json", "via3-csv"):
        write_project(_project(SQUARE, note=text), form, tmp_path / "out")
        written = (tmp_path / "out").read_text(encoding="utf-8")
        assert all("a" not in line for line in written.splitlines()[13:])
    write_project(_project(SQUARE, note=text), "via2-json", tmp_path / "out")
    regions = json.loads((tmp_path / "out").read_bytes())["a.png9"]["regions"]
    assert regions[0]["region_attributes"] == {"note": text}


@pytest.mark.parametrize("form", get_args(Form))
def test_half_a_character_in_a_name_is_written_or_said(form: Form, tmp_path: Path) -> None:
    """JSON holds it as its escape; a bare name in CSV does not, so there it is a problem."""
    project = Project(form, (Picture("a\ud800.png", 9),))
    problems = write_project(project, form, tmp_path / "out")
    assert b"a\\ud800.png" in (tmp_path / "out").read_bytes()
    said = [p.where for p in problems if p.severity == "changed" and form != "coco"]
    assert said == ([r"a\ud800.png"] if form in ("via1-csv", "via2-csv") else [])


@pytest.mark.parametrize("form", get_args(Form))
def test_a_second_run_writes_the_same_bytes(form: Form, tmp_path: Path) -> None:
    project = _project(SQUARE, Ellipse(9, 9, 3, 2, 0.3), Circle(3, 3, 2), label="soil")
    write_project(project, form, tmp_path / "one")
    before = (tmp_path / "one").read_bytes()
    write_project(project, form, tmp_path / "one")
    assert (tmp_path / "one").read_bytes() == before
    assert b"2026" not in before
    assert str(tmp_path).encode() not in before
