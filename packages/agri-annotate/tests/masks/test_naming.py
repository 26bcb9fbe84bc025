"""Legends, and classes from what was said."""

from pathlib import Path

import pytest
from agri_annotate.masks.naming import Naming, choose, option_texts
from agri_annotate.model.legend import Legend, colour, derive
from agri_annotate.model.project import Attribute, Picture, Problem, Project, Region, Value
from agri_annotate.model.shape import Rect
from agri_core.files.errors import InputError, MissingError

OPTIONS = {"soil": "Bare soil", "crop": "Crop row"}
LEGEND = Legend.of(["background", "soil", "crop"])


def region(value: Value | None) -> Region:
    return Region(Rect(0, 0, 1, 1), {} if value is None else {"label": value})


def project(*values: Value, regions: tuple[Attribute, ...] = ()) -> Project:
    return Project("via2-json", (Picture("a", regions=tuple(map(region, values))),), regions)


@pytest.mark.parametrize(
    ("value", "stated", "expected"),
    [
        ("soil", {}, 1),
        (("crop",), {}, 2),
        ("Bare soil", {"texts": OPTIONS}, 1),
        ("Acker", {"aliases": {"Acker": "soil"}}, 1),
        (" SOIL ", {"fold": True}, 1),
        ("bare  Soil", {"fold": True, "texts": OPTIONS}, 1),
        ("", {"unlabelled": "ignore"}, 255),
        (None, {"unlabelled": "crop"}, 2),
        ((), {"unlabelled": "background"}, 0),
    ],
)
def test_class_of_a_region(value: Value | None, stated: dict, expected: int) -> None:
    assert Naming(LEGEND, "label", **stated).class_of(region(value)) == expected


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (" soil", "'soil'"),  # mended only where declared
        ("Soil", "--alias 'Soil=soil'"),
        ("zebra", "background, soil, crop"),
        ("", "--unlabelled"),
        (("soil", "crop"), "'soil', 'crop'"),
    ],
)
def test_no_class_is_guessed(value: Value, said: str) -> None:
    found = Naming(LEGEND, "label").class_of(region(value), "a region 1")
    assert isinstance(found, Problem) and found.weight == "lost" and said.strip("'") in found.what


def test_one_class_for_all() -> None:
    assert Naming(LEGEND, single="crop").class_of(region("whatever")) == 2


def test_wrong_options_are_refused() -> None:
    for stated in ({"aliases": {"a": "b"}}, {"unlabelled": "b"}):
        with pytest.raises(InputError, match="no class is called 'b'"):
            Naming(LEGEND, "label", **stated)
    with pytest.raises(InputError, match="but for case"):
        Naming(Legend.of(["a", "b", "B"]), "label", fold=True)


def test_legend_from_options_else_from_values() -> None:
    defined = (Attribute("label", "dropdown", {"water": "", **OPTIONS}),)
    made = derive(project("x", regions=defined), "label", None)
    assert made.names == ("background", "water", "soil", "crop")
    assert derive(project("b", "a", ("a",)), "label", None).names == ("background", "a", "b")
    assert derive(project("b", "Background"), "label", None).names == ("Background", "b")
    assert derive(project(), None, "arable").names == ("background", "arable")
    assert option_texts(project(regions=defined), "label")["soil"] == "Bare soil"


def test_the_attribute_is_stated_or_the_only_one() -> None:
    two = (Attribute("note"), Attribute("label", "dropdown", OPTIONS), Attribute("kind", "radio"))
    assert choose(project("a"), None) == "label"
    assert choose(project("a", regions=two[:2]), None) == "label"
    with pytest.raises(InputError, match="'label', 'kind'"):
        choose(project("a", regions=two), None)
    with pytest.raises(InputError, match="'labl'"):
        choose(project("a"), "labl")


def test_colours_differ_and_a_legend_comes_back(tmp_path: Path) -> None:
    assert len({colour(number) for number in range(254)} - {"#e6e6e6"}) == 254
    path = tmp_path / "classes.json"
    path.write_text(LEGEND.to_json(), encoding="utf-8")
    assert Legend.read(path) == LEGEND


@pytest.mark.parametrize(
    "text",
    [
        "", "{}", "[1]", '[{"id": 1, "name": "a"}]', '[{"id": true, "name": "a"}]', "[" * 99999,
        '[{"id": 0, "name": "a", "colour": "red"}]', '[{"id": 0, "name": " "}]',
        '[{"id": 0, "name": "a"}, {"id": 1, "name": "a"}]', '[{"id": 0, "name": "a", "x": 1}]',
    ],
)  # fmt: skip
def test_a_wrong_legend_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "classes.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"classes\.json"):
        Legend.read(path)
    with pytest.raises(MissingError):
        Legend.read(tmp_path / "none.json")
