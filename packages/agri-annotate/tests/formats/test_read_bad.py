"""Bad files are refused in one line; bad regions are named, and the rest is read."""

import json
import os

import pytest
from agri_annotate.formats.read import read_project, read_text_project
from agri_annotate.formats.readers import decode
from agri_annotate.model.project import Region
from agri_annotate.model.shape import Circle, Ellipse, Point, Polygon, Polyline, Rect
from agri_core.files.errors import InputError, MissingError

GOOD = {"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4}
TRIANGLE = ((0.0, 0.0), (9.0, 0.0), (0.0, 9.0))
HEADER = (
    "filename,file_size,file_attributes,region_count,region_id,"
    "region_shape_attributes,region_attributes"
)


def region(shape, **said):
    return {"shape_attributes": shape, "region_attributes": said}


def via2(*regions, **fields):
    entry = {"filename": "a.png", "size": 5, "regions": list(regions), "file_attributes": {}}
    return {"a.png5": {**entry, **fields}}


def read(content):
    return read_text_project(content if isinstance(content, str) else json.dumps(content), "f.json")


def ring(xs, ys, name="polygon"):
    return {"name": name, "all_points_x": xs, "all_points_y": ys}


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ({"name": "star"}, "unknown shape 'star'"),
        ({"name": ["rect"]}, "unknown shape a list of 1"),
        ({}, "unknown shape nothing"),
        (None, "should be an object, got nothing"),
        ("rect", "should be an object, got 'rect'"),
        ({"name": "rect", "x": 1, "y": 2, "width": 3}, "rect: height is missing"),
        ({**GOOD, "x": float("nan")}, "x is not a coordinate: nan"),
        ({**GOOD, "x": float("inf")}, "x is not a coordinate: inf"),
        ({**GOOD, "x": 10**400}, "x is not a coordinate: a number out of"),
        ({**GOOD, "x": 1e7}, "x is not a coordinate: 10000000.0"),
        ({**GOOD, "x": True}, "x is not a coordinate: true"),
        ({**GOOD, "x": "left"}, "x is not a coordinate: 'left'"),
        ({**GOOD, "x": "nan"}, "x is not a coordinate: 'nan'"),
        ({**GOOD, "x": "1_0"}, "x is not a coordinate"),
        ({**GOOD, "x": "٣"}, "x is not a coordinate"),
        ({**GOOD, "x": [[[[]]]]}, "x is not a coordinate: a list of 1"),
        ({**GOOD, "width": -3}, "width must be positive"),
        ({"name": "circle", "cx": 1, "cy": 1, "r": -2}, "r must be positive"),
        ({"name": "circle", "cx": 1, "cy": 1, "r": 0}, "r must be positive"),
        (
            {"name": "ellipse", "cx": 1, "cy": 1, "rx": 2, "ry": 2, "theta": None},
            "theta is missing",
        ),
        (ring([0, 9], [0, 9]), "three points"),
        (ring([0, 9, 0], [0, 9, 0]), "three points"),
        (ring([0, 9, 0], [0, 0]), "all_points_x has 3 numbers, all_points_y has 2"),
        (ring([0, 9, float("nan")], [0, 0, 9]), "all_points_x[2] is not a coordinate: nan"),
        (ring([0, 9, float("inf"), -1e999], [0, 0, 9, 8]), "all_points_x[2] is not"),
        (ring([0.5, 9, 10**400], [0, 0, 9]), "all_points_x[2] is not a coordinate"),
        (ring([0, 9, False], [0, 0, 9]), "all_points_x[2] is not a coordinate: false"),
        (ring([0, 9, [0]], [0, 0, 9]), "all_points_x[2] is not a coordinate: a list"),
        (ring(None, [0, 0, 9]), "all_points_x should be a list"),
        (ring([1], [1], "polyline"), "two points"),
    ],
)
def test_bad_region_is_lost_and_the_rest_stays(shape, words):
    project, problems = read(via2(region(GOOD), region(shape), region(GOOD, label="crop")))
    assert [r.number for r in project.pictures[0].regions] == [0, 2]
    assert project.pictures[0].regions[1].attributes == {"label": "crop"}
    (problem,) = problems
    assert (problem.where, problem.severity) == ("a.png region 2", "lost")
    assert words in problem.what
    assert "\n" not in str(problem)


@pytest.mark.parametrize("junk", [7, "region", None, [GOOD], True])
def test_region_that_is_no_object(junk):
    project, problems = read(via2(junk, region(GOOD)))
    assert [r.number for r in project.pictures[0].regions] == [1]
    assert [(p.where, p.severity) for p in problems] == [("a.png region 1", "lost")]


def test_text_for_number_is_read_and_noted():
    project, problems = read(via2(region({**GOOD, "width": " 3.5 ", "x": "-1e1"})))
    assert project.pictures[0].regions[0].shape == Rect(-10, 2, 3.5, 4)
    assert {p.severity for p in problems} == {"note"}
    project, problems = read(via2(region(ring(["0", "9", 0], [0, 0, "9"]))))
    assert project.pictures[0].regions[0].shape == Polygon(TRIANGLE)
    assert [p.severity for p in problems] == ["note", "note"]


def test_polygon_is_unclosed():
    project, problems = read(via2(region(ring([0, 9, 0, 0], [0, 0, 9, 0]))))
    assert project.pictures[0].regions[0].shape == Polygon(TRIANGLE)
    assert problems == []


def test_regions_of_an_object_are_in_javascript_order():
    said = {str(n): region({**GOOD, "x": n}) for n in (10, 2, 0)}
    project, _ = read(via2(regions={"last": region(GOOD), **said}))
    assert project.form == "via1-json"
    assert [r.shape.x for r in project.pictures[0].regions] == [0, 2, 10, 1]


@pytest.mark.parametrize(
    ("said", "found", "weights"),
    [
        ({"c": "  Crop Row \t"}, {"c": "  Crop Row \t"}, []),
        ({"c": {"a": True, "b": False, "d": True}}, {"c": ("a", "d")}, []),
        ({"c": {}}, {"c": ()}, []),
        ({"c": None}, {}, []),
        ({"c": 3}, {"c": "3"}, ["note"]),
        ({"c": True}, {"c": "true"}, ["note"]),
        ({"c": ["a", "b"]}, {"c": ("a", "b")}, ["note"]),
        ({"c": [{"a": [1]}], "d": "x"}, {"d": "x"}, ["changed"]),
        ({"c": {"a": {"b": 1}}, "d": "x"}, {"d": "x"}, ["changed"]),
        ([1], {}, ["changed"]),
        (None, {}, []),
    ],
)
def test_what_is_said_of_a_region(said, found, weights):
    project, problems = read(via2({"shape_attributes": GOOD, "region_attributes": said}))
    assert project.pictures[0].regions == (Region(Rect(1, 2, 3, 4), found),)
    assert [p.severity for p in problems] == weights


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "its root is a list of 0"),
        ("null", "its root is nothing"),
        ("12", "its root is 12"),
        ('"filename"', "header should be"),
        ('{"a": 1}', "the JSON object has 'a'"),
        ('{"images": [], "annotations": {}}', "the JSON object has 'images', 'annotations'"),
        ('{"a.png5": {"filename": "a.p', "cut off"),
        ('{"a.png5": ', "cut off"),
        ('{"a.png5": {}} {}', "line 1, column 16: Extra data"),
        ("{'a': 1}", "not JSON at line 1, column 2"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "thousands of digits"),
        ("_via_dp = {}", "it starts with '_via_dp = {}'"),
        ("<html>", "it starts with '<html>'"),
        ("filename;file_size", "the header should be filename,"),
        ("# a comment", "expected a line '# CSV_HEADER"),
    ],
)
def test_bad_file_is_refused_in_one_line(tmp_path, text, words):
    path = tmp_path / "f.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_project(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b" \n\t", b"\xef\xbb\xbf"])
def test_empty_file(tmp_path, content):
    path = tmp_path / "f.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is empty"):
        read_project(path)


def test_encodings(tmp_path):
    path = tmp_path / "f.json"
    text = json.dumps(via2(filename="müll.png"), ensure_ascii=False)
    path.write_bytes(text.encode("utf-8-sig"))
    assert read_project(path)[0].pictures[0].name == "müll.png"
    for encoding in ("latin-1", "utf-16"):
        path.write_bytes(text.encode(encoding))
        with pytest.raises(InputError, match="is not UTF-8 text"):
            read_project(path)


def test_size_cap_holds_before_reading(tmp_path, monkeypatch):
    path = tmp_path / "f.json"
    with path.open("wb") as file:
        os.truncate(file.fileno(), decode.LIMIT + 1)
    monkeypatch.setattr("pathlib.Path.read_bytes", lambda self: pytest.fail("it was read"))
    with pytest.raises(InputError, match="at most 512 are read"):
        read_project(path)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(MissingError, match="does not exist"):
        read_project(tmp_path / "none.json")
    with pytest.raises(InputError, match="is not a file"):
        read_project(tmp_path)


def test_half_a_surrogate_pair_is_replaced():
    text = json.dumps(via2(region(GOOD, c="\ud800 \U0001f33e \\ud800", d="\\"), filename="\udc00"))
    project, _ = read(text)
    assert project.pictures[0].name == "\ufffd"
    assert project.pictures[0].regions[0].attributes == {
        "c": "\ufffd \U0001f33e \\ud800",
        "d": "\\",
    }


def test_names_are_kept_and_problems_stay_on_one_line():
    name = 'a/../"\n\x1b[2J\u202e.png'
    project, problems = read(via2(region({}), filename=name))
    assert project.pictures[0].name == name
    assert problems[0].where == 'a/../"\\n\\x1b[2J\\u202e.png region 1'


@pytest.mark.parametrize("fields", [{"filename": None}, {"filename": 7}, {"filename": ""}])
def test_picture_without_a_filename_has_that_of_its_id(fields):
    project, problems = read(via2(region(GOOD), **fields))
    assert (project.pictures[0].name, project.pictures[0].size) == ("a.png", 5)
    assert [p.severity for p in problems] == ["note"]


def test_picture_without_a_name_of_any_kind_is_lost():
    project, problems = read({"": {"regions": []}, "a": {"regions": []}})
    assert [p.name for p in project.pictures] == ["a"]
    assert [p.severity for p in problems] == ["lost", "note"]


def test_junk_beside_pictures_is_reported():
    project, problems = read({**via2(region(GOOD)), "b.png7": 7, "c.png1": {"regions": 7}})
    assert [p.name for p in project.pictures] == ["a.png", "c.png1"]
    assert [(p.where, p.severity) for p in problems] == [
        ("f.json", "lost"), ("f.json", "note"), ("c.png1", "lost"),
    ]  # fmt: skip


def test_empty_annotations_are_noted():
    for text in ("{}", HEADER):
        project, problems = read(text)
        assert project.pictures == ()
        assert [p.severity for p in problems] == ["note"]


def test_picture_under_one_key_twice_is_one_with_the_regions_of_both():
    one, two = (json.dumps(via2(region({**GOOD, "x": x})))[1:-1] for x in (1, 2))
    project, problems = read("{" + one + "," + two + "}")
    (picture,) = project.pictures
    assert [(r.number, r.shape.x) for r in picture.regions] == [(0, 1), (1, 2)]
    assert [p.severity for p in problems] == ["note"]


def test_pictures_of_one_name_and_other_sizes_stay_apart():
    project, problems = read({**via2(region(GOOD)), "b": via2(size=6)["a.png5"]})
    assert [(p.name, p.size) for p in project.pictures] == [("a.png", 5), ("a.png", 6)]
    assert [p.severity for p in problems] == ["note"]


def test_name_twice_in_a_region_is_reported():
    text = json.dumps(via2(region(GOOD, a="x")))
    project, problems = read(text.replace('"a": "x"', '"a": "x", "a": "y"'))
    assert project.pictures[0].regions[0].attributes == {"a": "y"}
    assert [p.severity for p in problems] == ["changed"]
    project, problems = read(text.replace('"size": 5', '"size": 5, "regions": []'))
    assert [p.severity for p in problems] == ["lost"]


def via2_project(listed, **parts):
    metadata = {n: via2(filename=n, size=-1)["a.png5"] for n in "abc"}
    return {"_via_img_metadata": metadata, "_via_image_id_list": listed, **parts}


@pytest.mark.parametrize(
    ("listed", "order", "notes"),
    [
        (["c", "a", "b"], "cab", 0),
        (["c"], "cab", 0),
        (["c", "b", "c", "x", "a"], "cba", 1),
        (["c", None], "abc", 1),
        (["c", 7.5, "a"], "abc", 1),
        (["c", 7, "b"], "cba", 1),
        ({"c": 1}, "abc", 1),
        (None, "abc", 0),
    ],
)
def test_project_order(listed, order, notes):
    project, problems = read(via2_project(listed))
    assert "".join(p.name for p in project.pictures) == order
    assert [p.severity for p in problems] == ["note"] * notes
    assert {p.size for p in project.pictures} == {None}


@pytest.mark.parametrize("junk", [7, [], "x", None, {"region": 7}, {"region": {"a": 7}},
                                  {"file": {"a": {"type": 9, "options": [1]}}}])  # fmt: skip
def test_project_with_junk_definitions_is_read(junk):
    project, _ = read(via2_project(None, _via_attributes=junk, _via_settings=junk))
    assert len(project.pictures) == 3


def test_project_that_via_took_from_coco_has_numbers_for_ids():
    metadata = {n: via2(filename=f"{n}.png", size=-1)["a.png5"] for n in "123"}
    project, problems = read({"_via_img_metadata": metadata, "_via_image_id_list": [3, 1, 2]})
    assert [p.name for p in project.pictures] == ["3.png", "1.png", "2.png"]
    assert problems == []


def test_root_with_a_repeated_name_is_refused():
    text = json.dumps(via2_project(None))
    with pytest.raises(InputError, match="is repeated in its root"):
        read(text[:-1] + ',"_via_img_metadata": {}}')


def rows(*lines):
    return "\n".join([HEADER, *lines])


def row(name="a.png", count=1, number=0, shape=None, said="{}", size="5"):
    cell = json.dumps(shape or GOOD).replace('"', '""')
    return f'{name},{size},"{{}}",{count},{number},"{cell}","{said}"'


def test_csv_line_ends_and_blank_lines():
    for end in ("\n", "\r\n", "\r", "\n\n"):
        project, problems = read(rows(row(count=2), row(count=2, number=1)).replace("\n", end))
        assert [r.number for r in project.pictures[0].regions] == [0, 1]
        assert problems == []


def test_csv_name_with_commas_as_via_writes_it():
    project, problems = read(rows(row("a, b,c.png"), row('x"y.png')))
    assert [p.name for p in project.pictures] == ["a, b,c.png", 'x"y.png']
    assert problems == []


def test_csv_quotes_as_via_writes_them():
    said = '{""c"":""a \\""white\\"" swan, good""}'
    project, _ = read(rows(row(said=said)))
    assert project.pictures[0].regions[0].attributes == {"c": 'a "white" swan, good'}


def test_csv_bad_cells_are_lost_by_line():
    project, problems = read(
        rows(
            row(count=3),
            row(count=3, shape={"name": "star"}),
            'a.png,5,"{}",3,2,"{x","{}"',
            "a.png,5",
            ",5,{},0,0,{},{}",
            row(said="{x"),
        )
    )
    assert [r.number for r in project.pictures[0].regions] == [0, 3]
    found = [(p.where, p.severity) for p in problems]
    assert found == [
        ("a.png region 2", "lost"), ("a.png region 3", "lost"), ("f.json", "lost"),
        ("f.json", "lost"), ("a.png region 4", "lost"),
    ]  # fmt: skip
    assert "line 4" in problems[1].what
    assert "line 5 has 2 fields" in problems[2].what


def test_csv_that_was_cut_is_noticed():
    _, problems = read(rows(row(count=3), row(count=3, number=1)))
    assert [(p.where, p.severity) for p in problems] == [("a.png", "lost")]
    assert "region_count declares 3 regions, the file has 2" in problems[0].what


def test_csv_long_cell():
    xs = list(range(60_000))
    project, problems = read(rows(row(shape=ring(xs, xs[::-1]))))
    assert len(project.pictures[0].regions[0].shape.points) == 60_000
    assert problems == []


def via3(*metadata, **parts):
    return {
        "project": {"pname": "p", "vid_list": ["2", "1"]},
        "attribute": {
            "1": {"aname": "class", "anchor_id": "FILE1_Z0_XY1", "type": 4, "options": {"a": "A"}},
            "2": {"aname": "ok", "anchor_id": "FILE1_Z0_XY1", "type": 2,
                  "options": {"x": "", "y": "", "p,q": ""}, "default_option_id": "x,y"},
            "3": {"aname": "place", "anchor_id": "FILE1_Z0_XY0", "type": 1},
        },
        "file": {"1": {"fid": 1, "fname": "a.png", "src": "a.png"}, "2": {"src": "/b.png"}},
        "view": {"1": {"fid_list": [1]}, "2": {"fid_list": ["2"]}},
        "metadata": {f"m{n}": one for n, one in enumerate(metadata)},
        **parts,
    }  # fmt: skip


def xy(*numbers, **fields):
    return {"vid": "1", "z": [], "xy": list(numbers), "av": {}, **fields}


@pytest.mark.parametrize(
    ("numbers", "shape", "weights"),
    [
        ((1, 5, 6), Point(5, 6), []),
        ((2, 5, 6, 7, 8), Rect(5, 6, 7, 8), []),
        ((3, 5, 6, 7), Circle(5, 6, 7), []),
        ((4, 5, 6, 7, 8), Ellipse(5, 6, 7, 8), []),
        ((5, 1, 2, 3, 4), Polyline(((1, 2), (3, 4))), []),
        ((6, 1, 2, 3, 4, 5, 6), Polyline(((1, 2), (3, 4), (5, 6))), []),
        ((7, 0, 0, 9, 0, 0, 9, 0, 0), Polygon(TRIANGLE), []),
        # Left 0, top 1, right 10, bottom 5, in any order.
        ((8, 10, 2, 0, 3, 4, 1, 6, 5), Rect(0, 1, 10, 4), ["note"]),
        # (6, 2), (3, 5) and (3, -1) are 3 away from (3, 2).
        ((9, 6, 2, 3, 5, 3, -1), Circle(3, 2, 3), ["note"]),
        (("2", "5", 6, 7, 8), Rect(5, 6, 7, 8), ["note"]),
    ],
)
def test_via3_shapes(numbers, shape, weights):
    project, problems = read(via3(xy(*numbers)))
    assert project.pictures[1].regions == (Region(shape, {}),)
    assert [p.severity for p in problems] == weights


@pytest.mark.parametrize(
    "numbers",
    [
        (0, 1), (10, 1, 2), (True, 1, 2), (None,), ("x", 1), (2, 1, 2, 3), (3, 1, 2, -3),
        (7, 0, 0, 9, 0, 9), (7, 0, 0, 9, 0), (6, 1), (9, 0, 0, 1, 1, 2, 2), (8, 1, 1, 2, 2),
        (2, 1, 2, [3], 4), (1, 1e9, 1), (4, 5, 6, 7, 8, 0.5),
    ],
)  # fmt: skip
def test_via3_bad_shapes_are_lost(numbers):
    project, problems = read(via3(xy(*numbers), xy(1, 5, 6)))
    assert project.pictures[1].regions == (Region(Point(5, 6), {}, 1),)
    assert [(p.where, p.severity) for p in problems] == [("a.png region 1", "lost")]


def test_via3_attributes_and_order():
    project, problems = read(
        via3(
            xy(1, 5, 6, av={"1": "a", "2": "x,y"}),
            xy(1, 5, 7, av={"2": "p,q"}),
            xy(av={"3": " north "}),
            xy(1, 5, 8, av={"9": "q"}, vid=2),
        )
    )
    second, first = project.pictures
    assert (second.name, first.name) == ("/b.png", "a.png")
    assert [r.attributes for r in first.regions] == [
        {"class": "a", "ok": ("x", "y")}, {"ok": ("p,q",)},
    ]  # fmt: skip
    assert first.attributes == {"place": " north "}
    assert second.regions[0].attributes == {"9": "q"}
    assert [p.severity for p in problems] == ["note"]
    assert project.regions[1].default == ("x", "y")
    assert [a.name for a in project.files] == ["place"]


def test_via3_what_is_not_on_one_picture_is_lost():
    view = {"1": {"fid_list": [1]}, "2": {"fid_list": [1, 2]}, "3": {"fid_list": [8]}, "4": 4}
    metadata = [xy(1, 5, 6, z=[4.5]), xy(1, 5, 6, vid=2), xy(1, 5, 6, vid=[]), xy(vid="7"), 7]
    project, problems = read(via3(*metadata, view=view))
    assert [(p.name, p.regions) for p in project.pictures] == [("a.png", ())]
    assert [p.severity for p in problems].count("lost") == 4
    assert [p.severity for p in problems].count("changed") == 3


def test_via3_files_of_one_name_and_other_paths_stay_apart():
    file = {n: {"fname": "a.png", "src": f"{n}/a.png"} for n in "12"}
    project, _ = read(via3(xy(1, 5, 6), xy(1, 7, 8, vid="2"), file=file))
    assert [[r.shape for r in p.regions] for p in project.pictures] == [
        [Point(7, 8)],
        [Point(5, 6)],
    ]


V3_HEADER = (
    "# CSV_HEADER = metadata_id,file_list,flags,temporal_coordinates,spatial_coordinates,metadata"
)


def test_via3_csv_without_definitions_and_with_bad_rows():
    lines = [
        V3_HEADER, '"m","[""a.png""]",0,"[]","[1,5,6]","{""1"":""x""}"',
        '"m","[""a.png""]",0,"[]","[1,5","{}"', '"m","[]",0,"[]","[1,5,6]","{}"', '"m","[]"',
    ]  # fmt: skip
    project, problems = read("\n".join(lines))
    assert project.pictures[0].regions == (Region(Point(5, 6), {"1": "x"}),)
    assert [p.severity for p in problems] == ["note", "lost", "lost", "lost"]
    assert [p.what.split(":")[0].split(" has")[0].split(" should")[0] for p in problems[1:]] == [
        "line 3", "line 4", "line 5",
    ]  # fmt: skip


def coco(*annotations, **parts):
    return {
        "images": [{"id": 1, "file_name": "a.png", "width": 30, "height": 20}],
        "categories": [
            {"id": 1, "name": "Crop", "supercategory": "label"},
            {"id": 2, "name": "Wet", "supercategory": ""},
        ],
        "annotations": list(annotations),
        **parts,
    }


def annotation(*rings, **fields):
    return {"image_id": 1, "category_id": 1, "segmentation": list(rings), **fields}


RING = [0, 0, 9, 0, 0, 9]


def test_coco_rings_and_categories():
    project, problems = read(
        coco(
            annotation(RING, id=1),
            annotation(RING, [1, 2, 4, 2, 4, 6, 1, 6], category_id="2"),
            annotation([1, 2, 1, 6, 4, 6, 4, 2], category_id=9),
        )
    )
    (picture,) = project.pictures
    assert [(r.number, r.shape, dict(r.attributes)) for r in picture.regions] == [
        (0, Polygon(TRIANGLE), {"label": "Crop"}),
        (1, Polygon(TRIANGLE), {"class": "Wet"}),
        (2, Rect(1, 2, 3, 4), {"class": "Wet"}),
        (3, Polygon(((1, 2), (1, 6), (4, 6), (4, 2))), {}),
    ]
    assert [(p.where, p.severity) for p in problems] == [
        ("a.png region 2", "note"), ("a.png region 4", "changed"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (annotation(segmentation={"counts": [1], "size": [2, 2]}), "run-length mask (RLE)"),
        (annotation(segmentation=None), "no segmentation"),
        (annotation(segmentation=7), "list of rings, got 7"),
        (annotation([0, 0, 9, 0, 9]), "in pairs"),
        (annotation([0, 0, 9, 0]), "three points"),
        (annotation(7), "should be a list"),
        (annotation([], keypoints=[1, 2, 2, 3, 4, 2]), "no segmentation"),
    ],
)
def test_coco_what_is_lost(said, words):
    project, problems = read(coco(said, annotation(RING)))
    assert [r.number for r in project.pictures[0].regions] == [1]
    assert [(p.where, p.severity) for p in problems] == [("a.png region 1", "lost")]
    assert words in problems[0].what


def test_coco_point_as_via_writes_it():
    project, problems = read(coco(annotation([], bbox=[], area=[], keypoints=[4, 5, 2])))
    assert project.pictures[0].regions == (Region(Point(4, 5), {"label": "Crop"}),)
    assert problems == []


def test_coco_region_pushed_twice_is_taken_once():
    project, problems = read(
        coco(
            annotation(RING, id=7),
            annotation(RING, id=7, category_id=2),
            annotation(RING, id=8),
            annotation([1, *RING[1:]], id=7),
        )
    )
    regions = project.pictures[0].regions
    assert [r.attributes for r in regions] == [
        {"label": "Crop", "class": "Wet"}, {"label": "Crop"}, {"label": "Crop"},
    ]  # fmt: skip
    assert [r.number for r in regions] == [0, 1, 2]
    assert [(p.where, p.severity) for p in problems] == [("a.png region 1", "note")]


def test_coco_junk_images_and_annotations():
    images = [7, {"id": 1}, {"id": [], "file_name": "x"}, {"id": 1, "file_name": "a.png"}]
    project, problems = read(coco(7, annotation(RING, image_id=9), annotation(RING), images=images))
    assert [(p.name, p.shape, len(p.regions)) for p in project.pictures] == [("a.png", None, 1)]
    assert [p.severity for p in problems] == ["lost"] * 5


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        # As VIA 2 writes a radio or dropdown that nobody answered.
        ('{"class":"maize","sure":undefined}', {"class": "maize"}),
        ('{"sure":undefined,"class":"maize"}', {"class": "maize"}),
        ('{"class": undefined , "sure" :undefined }', {}),
        ('{"class":"undefined"}', {"class": "undefined"}),
        (
            '{"class":"so \\" undefined, or not","sure":undefined}',
            {"class": 'so " undefined, or not'},
        ),
    ],
)
def test_an_undefined_value_of_via_s_csv_is_absent(cell, said):
    quoted = cell.replace('"', '""')
    row = 'a.png,5,{},1,0,"{""name"":""point"",""cx"":1,""cy"":2}","' + quoted + '"'
    project, problems = read(f"{HEADER}\n{row}\n")
    assert problems == []
    assert project.pictures[0].regions[0].attributes == said
