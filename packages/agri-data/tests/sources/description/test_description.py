"""Descriptions are strict: a wrong key or value is named, and nothing else ever happens."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from agri_core.files.errors import AgriError, InputError, MissingError
from agri_core.files.yamlfile import MAX_BYTES, parse_yaml
from agri_data.sources.description.description import (
    EurosatDescription,
    PairsDescription,
    ScenesDescription,
)
from agri_data.sources.description.parse import parse_description, read_description
from hypothesis import given, settings
from hypothesis import strategies as st

HERE = Path("set.yaml")
LEGEND = [
    {"id": 0, "name": "other", "colour": "#c8c8c8"},
    {"id": 1, "name": "arable", "colour": "#e8c547"},
]
PAIRS: dict[str, Any] = {
    "name": "fields",
    "kind": "pairs",
    "unit": "dn",
    "bands": ["B02", "B03"],
    "images": "images/*.tif",
    "masks": "masks/*.png",
    "legend": LEGEND,
    "label": {"kind": "raster"},
}
SCENES: dict[str, Any] = {
    "name": "north",
    "kind": "scenes",
    "unit": "dn",
    "legend": LEGEND,
    "scenes": [{"image": "a.tif", "label": "a-truth.tif", "group": "a"}],
    "label": {"kind": "raster", "codes": {10: "arable", 20: "other", 0: "ignore"}},
}


def without(content: dict[str, Any], key: str) -> dict[str, Any]:
    return {k: v for k, v in content.items() if k != key}


def test_pairs_are_read():
    made = parse_description(PAIRS, HERE)
    assert isinstance(made, PairsDescription)
    assert made.imagery.bands == ("B02", "B03")
    assert made.label.codes == {0: 0, 1: 1}
    assert not made.label.explicit
    assert made.root == Path()


def test_scenes_are_read():
    made = parse_description(SCENES, HERE)
    assert isinstance(made, ScenesDescription)
    assert made.label.codes == {10: 1, 20: 0}
    assert made.label.ignore == {0}
    assert made.scenes[0].name == "a"
    assert made.scenes[0].files == {"": "a.tif"}


def test_scenes_may_say_their_kind_of_label_themselves():
    scenes = [{"image": "a.tif", "label": {"raster": "t.tif"}}]
    made = parse_description(without(SCENES, "label") | {"scenes": scenes}, HERE)
    assert isinstance(made, ScenesDescription)
    assert made.label.kind == "raster"
    assert made.scenes[0].label == "t.tif"


def test_eurosat_is_read_and_root_wins_over_the_file(tmp_path: Path):
    path = tmp_path / "e.yaml"
    path.write_text("name: e\nkind: eurosat\nroot: here.zip\n")
    assert read_description(path) == EurosatDescription("e", tmp_path / "here.zip", "MIT")
    assert read_description(path, tmp_path / "other").root == tmp_path / "other"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (PAIRS | {"imagse": "x"}, "unknown key 'imagse', did you mean 'images'"),
        (PAIRS | {"label": {"kind": "raster", "coeds": {}}}, "did you mean 'codes'"),
        (PAIRS | {"kind": "pair"}, "did you mean 'pairs'"),
        (PAIRS | {"unit": "DN"}, "'unit' is one of dn, reflectance, uint8"),
        (without(PAIRS, "unit"), "the key 'unit' is missing"),
        (
            without(PAIRS, "unit") | {"unti": "dn"},
            "'unit' is missing; unknown key 'unti', did you mean 'unit'",
        ),
        (without(PAIRS, "images") | {"imagse": "x"}, "did you mean 'images'"),
        (without(PAIRS, "name"), "the key 'name' is missing"),
        (PAIRS | {"name": 7}, "'name' must be text, got 7 .put it in quotes"),
        (PAIRS | {"bands": "B02"}, "'bands' must be a list"),
        (PAIRS | {"bands": ["B02", "B02"]}, r"\.yaml: 'bands': .*unique"),
        (PAIRS | {"nodata": True}, "'nodata' must be a number"),
        (PAIRS | {"pixel": -10}, "'pixel' must be above 0, got -10"),
        (PAIRS | {"legend": [*LEGEND, LEGEND[0]]}, "class ids must be 0, 1, 2"),
        (PAIRS | {"legend": [LEGEND[0] | {"colour": "red"}]}, "colour of class 'other'"),
        (PAIRS | {"label": {"kind": "raster", "codes": {5: "wood"}}}, "no class is called 'wood'"),
        (PAIRS | {"label": {"kind": "raster", "codes": {"a": "arable"}}}, "whole number, got 'a'"),
        (PAIRS | {"label": {"kind": "raster", "ignore": [1]}}, "not both: 1"),
        (PAIRS | {"label": {"kind": "palette", "colours": {"#12": "arable"}}}, "'#1a9641', got"),
        (without(PAIRS, "label"), "the labels need a kind"),
        (without(PAIRS, "legend"), "labels need a 'legend'"),
        (without(PAIRS, "masks"), "need 'masks'"),
        (PAIRS | {"table": "t.csv"}, "either 'images' .with 'masks'. or 'table'"),
        (SCENES | {"scenes": []}, "either 'scenes' .a list. or 'images'"),
        (SCENES | {"scenes": [{"image": "a.tif"}]}, "need a 'label' in each scene.*: a"),
        (SCENES | {"scenes": [{"image": {}}]}, "'image' is a path"),
        (SCENES | {"scenes": SCENES["scenes"] * 2}, "scene names must be unique, a is not"),
        (SCENES | {"label": {"kind": "palette"}}, "raster, vector, band or none"),
        (SCENES | {"labelled": 2}, "'labelled' must be at most 1, got 2"),
        (SCENES | {"images": "../*.tif", "scenes": []}, "'images': '../.*leads out of the root"),
        (PAIRS | {"masks": "/data/*.png"}, "'masks': '.*leads out of the root"),
        (PAIRS | {"masks": "C:\\x\\*.png"}, "'masks': '.*leads out of the root"),
        (
            SCENES | {"scenes": [{"image": "/a.tif"}]},
            "'scenes entry 1.image': '.*leads out of the root",
        ),
        (
            SCENES | {"scenes": [{"image": {"B02": "x/../../a.tif"}}]},
            "'scenes entry 1.image.B02': .*leads out of the root",
        ),
        (
            SCENES | {"scenes": [{"image": "a.tif", "label": "../l.tif"}]},
            "'scenes entry 1.label': .*leads out",
        ),
        (
            SCENES | {"scenes": [{"image": "a.tif", "label": {"vector": "/l.gpkg"}}]},
            "'scenes entry 1.label.vector': '.*leads out of the root",
        ),
        (PAIRS | {"label": {"kind": "vector", "file": "../x.gpkg"}}, "'label.file': .*leads out"),
        (SCENES | {"align": "wrap"}, "did you mean 'warp'"),
        (PAIRS | {"name": None}, "^.*yaml: 'name' is empty; text is expected$"),
        (
            SCENES | {"scenes": [{"image": None}]},
            "'scenes entry 1.image' is empty; text or a mapping is expected$",
        ),
        (PAIRS | {"name": date(2024, 5, 1)}, r"must be text, got 2024-05-01 \(put it in quotes\)$"),
        (PAIRS | {"name": "\ud800"}, r"yaml: 'name' holds \\ud800, which is half of a character"),
        (SCENES | {"table": "t.csv"}, "unknown key 'table'; the keys here are align, bands"),
        (
            SCENES | {"masks": "m/*.tif"},
            "^.*yaml: unknown key 'masks' beside a list of 'scenes'; name the label file of each "
            "scene as its 'label'$",
        ),
        (
            SCENES | {"suffix": "_m"},
            "^.*yaml: 'suffix' goes with 'masks', which are not there$",
        ),
        (
            PAIRS | {"label": {"kind": "raster", "codes": {0: "arabel"}}},
            "^.*yaml: 'label.codes.0': no class is called 'arabel'.*did you mean 'arable'",
        ),
        (
            PAIRS | {"label": {"kind": "raster", "codes": {1.5: "arable"}}},
            "^.*yaml: 'label.codes': a key must be a whole number, got 1.5$",
        ),
        (
            SCENES | {"resolution": "fine"},
            "^.*yaml: 'resolution' is 'finest', a number .the size of a pixel.*; got 'fine', did "
            "you mean 'finest'.$",
        ),
        ([1], "expected a mapping"),
        (None, "^.*yaml: it is empty; a mapping is expected$"),
    ],
)
def test_a_wrong_description_is_named(content: Any, message: str):
    with pytest.raises(InputError, match=message):
        parse_description(content, HERE)


def test_the_known_keys_are_listed():
    with pytest.raises(InputError, match="the keys here are bands, group, images, kind"):
        parse_description(PAIRS | {"zzz": 1}, HERE)


def test_colours_default_to_the_legend():
    made = parse_description(PAIRS | {"label": {"kind": "palette"}}, HERE)
    assert isinstance(made, PairsDescription)
    assert made.label.codes == {"#c8c8c8": 0, "#e8c547": 1}


def test_a_missing_or_huge_or_binary_file_is_named(tmp_path: Path):
    path = tmp_path / "d.yaml"
    with pytest.raises(MissingError, match="there is no file"):
        read_description(path)
    path.write_bytes(b"a: " + b"x" * MAX_BYTES)
    with pytest.raises(InputError, match="under 1 MB"):
        read_description(path)
    path.write_bytes(b"name: \xff\xfe")
    with pytest.raises(InputError, match="not UTF-8"):
        read_description(path)


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        "a: 1\na: 2",
        "!!python/object:os.system x",
        "[" * 1500,
        "a: !!bool x",
        "a: !!int x",
        "%YAML 1.3\n--- a",
        "a: !!float -",
        "!!binary x: '",
    ],
)
def test_text_that_is_no_plain_yaml_is_an_input_error(text: str):
    with pytest.raises(InputError, match=r"^d\.yaml is not valid YAML: \w"):
        parse_yaml(text, "d.yaml")


def test_anchors_that_blow_up_or_bite_their_tail_are_refused():
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)
    )
    for text in (bomb, "legend: &l [*l]"):
        with pytest.raises(InputError, match="more than 200000 values"):
            parse_yaml(text, "d.yaml")


@given(st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_no_text_makes_anything_but_an_agri_error(text: str):
    with pytest.raises(AgriError):
        parse_description(parse_yaml(text, "d.yaml"), HERE)


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
KEYS = sorted(
    {"root", "licence", "legend", "label", "unit", "bands", "use", "nodata", "pixel", "trust"}
    | {"images", "masks", "table", "suffix", "unmatched", "group", "labelled", "scenes"}
    | {"resolution", "resampling", "align", "name", "kind"}
)


@given(st.sampled_from([PAIRS, SCENES]), st.dictionaries(st.sampled_from(KEYS), ODD, max_size=3))
@settings(max_examples=300, deadline=None)
def test_odd_values_make_a_description_or_an_agri_error(base: dict[str, Any], odd: dict[str, Any]):
    try:
        made = parse_description(base | odd, HERE)
    except AgriError:
        return
    assert made.name.strip()


LABEL_KEYS = ["kind", "codes", "ignore", "unknown", "band", "attribute", "file", "outside"]


@given(st.dictionaries(st.sampled_from([*LABEL_KEYS, "colours"]), ODD, max_size=4))
@settings(max_examples=200, deadline=None)
def test_odd_labels_make_a_description_or_an_agri_error(odd: dict[str, Any]):
    for kind in ("raster", "palette", "vector", "band"):
        try:
            parse_description(PAIRS | {"label": {"kind": kind} | odd}, HERE)
        except AgriError:
            continue


EXAMPLES = sorted((Path(__file__).parents[5] / "docs" / "own-data").glob("*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_of_the_documentation_are_valid(path: Path):
    assert read_description(path).name
