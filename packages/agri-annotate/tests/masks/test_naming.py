"""Legends, and classes from what was said."""

import pytest
from agri_annotate.masks.naming import Naming, choose, option_texts
from agri_annotate.model.classes import derive, describe
from agri_annotate.model.project import Attribute, Picture, Problem, Project, Region, Value
from agri_annotate.model.shape import Rect
from agri_core.files.errors import InputError
from agri_core.legend import Legend

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
        ("soil\n", "--fold if it is that"),
        ("zebra", "background, soil, crop"),
        ("", "--unlabelled"),
        (("soil", "crop"), "'soil', 'crop'"),
    ],
)
def test_no_class_is_guessed(value: Value, said: str) -> None:
    found = Naming(LEGEND, "label").class_of(region(value), "a region 1")
    assert isinstance(found, Problem) and found.severity == "lost" and said.strip("'") in found.what


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


def test_a_project_carries_the_legend_of_its_maps() -> None:
    legend = Legend.of({"nothing": "#010203", "maize, late": "#040506", "2": "#070809"})
    options = {"2": "", "nothing": "", "maize, late": "", "soil": ""}  # as a browser orders them
    defined = (Attribute("label", "dropdown", options, description=describe(legend)),)
    made = derive(project("2", regions=defined), "label", None)
    assert made.classes[:3] == legend.classes
    assert made.names[3:] == ("soil",)
    plain = (Attribute("label", "dropdown", options, description="colours of my own"),)
    assert derive(project("2", regions=plain), "label", None).names[0] == "background"


def test_the_attribute_is_stated_or_the_only_one() -> None:
    two = (Attribute("note"), Attribute("label", "dropdown", OPTIONS), Attribute("kind", "radio"))
    assert choose(project("a"), None) == "label"
    assert choose(project("a", regions=two[:2]), None) == "label"
    with pytest.raises(InputError, match="'label', 'kind'"):
        choose(project("a", regions=two), None)
    with pytest.raises(InputError, match="'labl'"):
        choose(project("a"), "labl")
