"""Whatever a file holds, it is read or refused; nothing else ever happens."""

import json
from pathlib import Path

import pytest
from agri_annotate.formats.read import read_project, read_text_project
from agri_annotate.model.project import Project
from agri_core.files.errors import InputError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EXPORTS = sorted((Path(__file__).parents[1] / "exports").glob("via*"))
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in EXPORTS}

WORDS = st.sampled_from(
    sorted(
        {
            "filename", "size", "regions", "file_attributes", "shape_attributes", "name", "rect",
            "region_attributes", "x", "y", "width", "height", "cx", "cy", "r", "rx", "ry", "theta",
            "polygon", "all_points_x", "all_points_y", "_via_img_metadata", "_via_attributes",
            "_via_image_id_list", "region", "file", "type", "options", "default_options", "images",
            "annotations", "categories", "segmentation", "id", "image_id", "category_id", "vid",
            "file_name", "keypoints", "project", "metadata", "view", "attribute", "vid_list",
            "fid_list", "fname", "src", "aname", "anchor_id", "FILE1_Z0_XY1", "xy", "z", "av", "1",
        }
    )
)  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), WORDS,
    st.sampled_from([10**400, -(10**30), 1e308, "1e5", "\ud800", "\x00"]),
)  # fmt: skip
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(WORDS | st.text(max_size=3), inner),
    max_leaves=25,
)


def check(text: str) -> None:
    try:
        project, problems = read_text_project(text, "f")
    except InputError as error:
        assert "\n" not in str(error)
        return
    assert isinstance(project, Project)
    for problem in problems:
        assert "\n" not in str(problem)
        assert len(str(problem)) < 600
    for picture in project.pictures:
        assert picture.name
        picture.name.encode("utf-8")
        numbers = [region.number for region in picture.regions]
        assert numbers == sorted(set(numbers))
    repr(project).encode("utf-8")


def paths(value, here=()):
    """Every place in a JSON value."""
    yield here
    if isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, inner in list(items)[:12]:
            yield from paths(inner, (*here, name))


def replaced(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@given(JSON)
def test_any_json(value):
    check(json.dumps(value))


ROOTS = [
    lambda v: {"a": {"filename": "a.png", "size": v[0], "regions": v[1], "file_attributes": v[2]}},
    lambda v: {"_via_img_metadata": {"a": v[0]}, "_via_attributes": v[1],
               "_via_image_id_list": v[2]},
    lambda v: {"images": [v[0], {"id": 1, "file_name": "a"}], "categories": v[1],
               "annotations": [v[2], {"image_id": 1, "segmentation": v[0], "category_id": v[1]}]},
    lambda v: {"project": {"vid_list": v[0]}, "attribute": v[1], "file": {"1": {"fname": "a"}},
               "view": {"1": {"fid_list": ["1"]}, "2": v[2]},
               "metadata": {"m": {"vid": "1", "xy": v[0], "z": [], "av": v[1]}, "n": v[2]}},
]  # fmt: skip


@given(st.sampled_from(ROOTS), st.tuples(JSON, JSON, JSON))
def test_any_json_in_a_known_root(root, values):
    check(json.dumps(root(values)))


@pytest.mark.parametrize("name", [n for n in TEXTS if n.endswith("json")])
@settings(max_examples=60)
@given(st.data())
def test_exports_with_something_replaced(name, data):
    value = json.loads(TEXTS[name])
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(paths(value))))
        value = replaced(value, path, data.draw(JSON))
    check(json.dumps(value))


@pytest.mark.parametrize("name", TEXTS)
@settings(max_examples=60)
@given(st.data())
def test_exports_cut_spliced_and_scribbled_on(name, data):
    text = TEXTS[name]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 200)))
    check(text[:start])
    check(text[:start] + data.draw(st.text(max_size=4)) + text[end:])


HEADERS = st.sampled_from(
    [
        TEXTS["via-1.0.6_annotations.csv"].partition("\n")[0],
        TEXTS["via-2.0.11_annotations.csv"].partition("\n")[0],
        "filename,region_attributes,region_shape_attributes",
        TEXTS["via-3.0.10_export.csv"].partition('\n"')[0],
        "# ATTRIBUTE = {", "# CSV_HEADER = file_list,spatial_coordinates,metadata", "",
    ]
)  # fmt: skip
CELLS = st.one_of(
    st.text(alphabet='ab"{}[],:\\\n\r\t0.-', max_size=12),
    JSON.map(lambda v: '"' + json.dumps(v).replace('"', '""') + '"'),
    st.sampled_from(["a.png", "{}", '"{}"', '"[""a.png""]"', '"[2,1,2,3,4]"', "5"]),
)


@given(HEADERS, st.lists(st.lists(CELLS, max_size=8), max_size=5))
def test_any_csv(header, rows):
    check("\n".join([header, *(",".join(row) for row in rows)]))


@given(st.text())
def test_any_text(text):
    check(text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary())
def test_any_bytes(tmp_path, content):
    path = tmp_path / "f"
    path.write_bytes(content)
    try:
        read_project(path)
    except InputError as error:
        assert "\n" not in str(error).replace(str(path), "")
