"""What is written is read again: equal, but for what the form is known not to hold."""

import itertools
import math
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import shapely
from agri_annotate.choices import Form
from agri_annotate.formats.read import read_project, read_text_project
from agri_annotate.formats.write import render, write_project
from agri_annotate.formats.writers.outline import ring, untilted
from agri_annotate.model.project import Attribute, Picture, Problem, Project, Region, Value
from agri_annotate.model.shape import Circle, Ellipse, Point, Polygon, Polyline, Rect, Shape
from hypothesis import given, settings
from hypothesis import strategies as st

EXPORTS = Path(__file__).parents[1] / "exports"
FILES = sorted(path for path in EXPORTS.iterdir() if path.suffix in (".json", ".csv"))
FORMS: tuple[Form, ...] = get_args(Form)

coordinate = st.one_of(
    st.integers(-50, 5000).map(float), st.floats(-50, 5000).map(lambda x: round(x, 3))
)
length = st.one_of(st.integers(1, 900).map(float), st.floats(0.5, 900))
vertex = st.tuples(coordinate, coordinate)
shapes: st.SearchStrategy[Shape] = st.one_of(
    st.builds(Rect, coordinate, coordinate, length, length),
    st.builds(Circle, coordinate, coordinate, length),
    st.builds(Ellipse, coordinate, coordinate, length, length, st.floats(-7, 7)),
    st.lists(vertex, min_size=3, max_size=9, unique=True).map(lambda p: Polygon(tuple(p))),
    st.lists(vertex, min_size=2, max_size=9, unique=True).map(lambda p: Polyline(tuple(p))),
    st.builds(Point, coordinate, coordinate),
)
texts = st.text(max_size=12)
words = st.text(min_size=1, max_size=8).filter(lambda text: "," not in text)
options = st.dictionaries(words, texts, min_size=1, max_size=4)


@st.composite
def projects(draw: st.DrawFn) -> Project:
    """Projects whose every value is defined, with names that are trouble."""
    chosen = draw(options)
    ticked = draw(options)
    regions = (
        Attribute("label", draw(st.sampled_from(["dropdown", "radio"])), chosen, (), draw(texts)),
        Attribute("flags", "checkbox", ticked),
        Attribute("note", "text"),
    )
    values: st.SearchStrategy[dict[str, Value]] = st.fixed_dictionaries(
        {},
        optional={
            "label": st.sampled_from(sorted(chosen)),
            "flags": st.lists(st.sampled_from(sorted(ticked)), unique=True).map(tuple),
            "note": texts,
        },
    )
    names = draw(st.lists(st.text(min_size=1, max_size=9), max_size=4, unique=True))
    pictures = []
    for name in names:
        drawn = draw(st.lists(st.tuples(shapes, values), max_size=4))
        numbered = tuple(Region(s, v, number) for number, (s, v) in enumerate(drawn))
        size = draw(st.none() | st.integers(0, 10**9))
        by: dict[str, Value] = {"by": draw(texts)}
        pictures.append(Picture(name, size, numbered, by, draw(st.none() | st.just((30, 40)))))
    files = (Attribute("by", "text"),)
    return Project("via2-project", tuple(pictures), regions, files, draw(texts))


def _again(project: Project, form: Form) -> tuple[Project, list[Problem], list[Problem]]:
    text, written = render(project, form, "out")
    result, read = read_text_project(text, "out")
    assert result.form == form or not project.pictures
    return result, written, [problem for problem in read if problem.severity != "note"]


def _plain(picture: Picture) -> Picture:
    return replace(picture, shape=None)


def _texts(values: dict[str, Value]) -> dict[str, Value]:
    return {k: v if isinstance(v, str) else ",".join(v) for k, v in values.items()}


def _untilted(picture: Picture) -> Picture:
    regions = tuple(replace(r, shape=untilted(r.shape)) for r in picture.regions)
    return replace(picture, regions=regions, shape=None)


@settings(max_examples=60, deadline=None)
@given(projects())
def test_via2_projects_hold_everything(project: Project) -> None:
    result, written, read = _again(project, "via2-project")
    assert result.pictures == tuple(map(_plain, project.pictures))
    assert (result.regions, result.files) == (project.regions, project.files)
    assert result.name == project.name
    assert {problem.severity for problem in written} <= {"note"}
    assert read == []


@settings(max_examples=60, deadline=None)
@given(projects(), st.sampled_from(["via2-json", "via2-csv"]))
def test_via2_annotations_hold_everything_but_definitions(project: Project, form: Form) -> None:
    result, written, read = _again(project, form)
    assert result.pictures == tuple(map(_plain, project.pictures))
    quoted = [p for p in written if "from CSV" in p.what]
    assert [p.severity for p in written if p.severity != "note" and p not in quoted] == ["changed"]
    assert form == "via2-csv" or not quoted
    assert read == []


@settings(max_examples=60, deadline=None)
@given(projects(), st.sampled_from(["via1-json", "via1-csv"]))
def test_via1_holds_all_but_theta_and_ticks(project: Project, form: Form) -> None:
    result, written, read = _again(project, form)
    for ours, theirs in zip(result.pictures, project.pictures, strict=True):
        expected = _untilted(theirs)
        assert (ours.name, ours.size) == (theirs.name, theirs.size)
        assert [r.shape for r in ours.regions] == [r.shape for r in expected.regions]
        assert [r.attributes for r in ours.regions] == [
            _texts(dict(r.attributes)) for r in expected.regions
        ]
    assert read == []
    assert not any(problem.severity == "lost" for problem in written)


@settings(max_examples=60, deadline=None)
@given(projects(), st.sampled_from(["via3-json", "via3-csv"]))
def test_via3_holds_all_but_theta_and_sizes(project: Project, form: Form) -> None:
    result, written, read = _again(project, form)
    expected = [replace(_untilted(picture), size=None) for picture in project.pictures]
    assert [p.name for p in result.pictures] == [p.name for p in expected]
    for ours, theirs in zip(result.pictures, expected, strict=True):
        assert [r.shape for r in ours.regions] == [r.shape for r in theirs.regions]
        assert [dict(r.attributes) for r in ours.regions] == [
            dict(r.attributes) for r in theirs.regions
        ]
        assert ours.attributes == theirs.attributes
    assert result.regions == project.regions
    assert result.files == project.files
    assert read == []
    assert not any(problem.severity == "lost" for problem in written)


@settings(max_examples=60, deadline=None)
@given(projects())
def test_coco_holds_areas_points_and_one_class(project: Project) -> None:
    result, written, read = _again(project, "coco")
    missing = [p for p in written if p.severity == "lost" and "polyline" in p.what]
    drawn = [region.shape for picture in project.pictures for region in picture.regions]
    assert len(missing) == sum(isinstance(shape, Polyline) for shape in drawn)
    assert read == []
    for ours, theirs in zip(result.pictures, project.pictures, strict=True):
        kept = [r for r in theirs.regions if not isinstance(r.shape, Polyline)]
        for mine, region in zip(ours.regions, kept, strict=True):
            _same_area(mine.shape, region.shape)


def test_the_class_goes_through_coco_by_its_text() -> None:
    label = Attribute("label", "dropdown", {"soil": "Bare soil", "crop": ""})
    regions = tuple(
        Region(Rect(1, 2, 3, 4), values, number)
        for number, values in enumerate(({"label": "crop"}, {"label": "soil"}, {}))
    )
    project = Project("coco", (Picture("a.png", None, regions, {}, (8, 8)),), (label,))
    result, _, _ = _again(project, "coco")
    said = [region.attributes for region in result.pictures[0].regions]
    assert said == [{"label": "crop"}, {"label": "Bare soil"}, {"label": "unlabelled"}]
    assert result.pictures[0].shape == (8, 8)


def _same_area(ours: Shape, theirs: Shape) -> None:
    if isinstance(theirs, Point) or isinstance(ours, Point):
        assert ours == theirs
        return
    assert not isinstance(ours, Polyline)
    assert not isinstance(theirs, Polyline)
    a, b = shapely.Polygon(ring(ours)), shapely.Polygon(ring(theirs))
    assert a.equals_exact(b, 1e-6)


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
@pytest.mark.parametrize("form", FORMS)
def test_real_exports_convert_with_equal_geometry(file: Path, form: Form, tmp_path: Path) -> None:
    """Each into each: only a polyline into COCO is missing, only curves become rings."""
    source, _ = read_project(file)
    problems = write_project(source, form, tmp_path / "out")
    result, read = read_project(tmp_path / "out")
    assert [p for p in read if p.severity != "note"] == []
    for ours, theirs in itertools.zip_longest(result.pictures, source.pictures):
        assert ours.name == theirs.name
        kept = [r.shape for r in theirs.regions]
        if form == "coco":
            kept = [shape for shape in kept if not isinstance(shape, Polyline)]
            for mine, shape in zip((r.shape for r in ours.regions), kept, strict=True):
                _same_area(mine, shape)
        elif form.startswith("via2"):
            assert [r.shape for r in ours.regions] == kept
        else:
            assert [r.shape for r in ours.regions] == [untilted(shape) for shape in kept]
    missing = [p for p in problems if p.severity == "lost" and "polyline" in p.what]
    drawn = [r.shape for picture in source.pictures for r in picture.regions]
    assert len(missing) == (sum(isinstance(s, Polyline) for s in drawn) if form == "coco" else 0)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("via-1.0.6_annotations.json", "via1-json"),
        ("via-1.0.6_annotations.csv", "via1-csv"),
        ("via-2.0.11_annotations.json", "via2-json"),
        ("via-2.0.11_annotations.csv", "via2-csv"),
        ("via-2.0.11_project.json", "via2-project"),
    ],
)
def test_real_exports_are_written_again_byte_for_byte(
    name: str, form: Form, tmp_path: Path
) -> None:
    source, _ = read_project(EXPORTS / name)
    assert write_project(source, form, tmp_path / "out") == []
    assert (tmp_path / "out").read_bytes() == (EXPORTS / name).read_bytes()


def test_a_turned_ellipse_keeps_its_area_as_a_ring() -> None:
    """The ring of 72 corners on an ellipse has 72 / (2 pi) sin(2 pi / 72) = 0.99873 of it."""
    shape = Ellipse(400, 80, 70, 40, 0.524)
    share = shapely.Polygon(ring(shape)).area / (math.pi * shape.rx * shape.ry)
    assert share == pytest.approx(0.99873, abs=1e-5)
