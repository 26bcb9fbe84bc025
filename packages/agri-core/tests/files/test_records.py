"""Records are strict, and what is wrong with one is told in plain words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import pytest
from agri_core.files.errors import InputError, StoreError
from agri_core.files.records import Record, load_json, parse_json, parse_record, schema_text
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float = 0.0

    def __post_init__(self) -> None:
        if self.x > 100:
            raise InputError(f"x is at most 100, got {self.x:g}")


class Circle(Record):
    kind: Literal["circle"]
    radius: Annotated[float, Field(gt=0)]


class Line(Record):
    kind: Literal["line"]
    names: list[str] = Field(default=[])
    line: str = ""


class Drawing(Record):
    name: str
    count: int = 1
    shape: Annotated[Circle | Line, Field(discriminator="kind")] | None = None
    points: tuple[Point, ...] = ()
    size: float | str = "fit"
    codes: dict[int, str] = Field(default={})


GOOD = {"name": "a"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (3, "f: expected a mapping, got 3"),
        (None, "^f: it is empty; a mapping is expected$"),
        ({"name": None}, "^f: 'name' is empty; text is expected$"),
        (GOOD | {"size": None}, "^f: 'size' is empty; a number or text is expected$"),
        (GOOD | {"shape": {"kind": None}}, "^f: 'shape.kind' is empty; it is one of circle, line$"),
        (
            GOOD | {"shape": {"kind": ["line"]}},
            r"^f: 'shape.kind' is one of circle, line, got \['line'\]$",
        ),
        (
            {"name": date(2024, 5, 1)},
            r"^f: 'name' must be text, got 2024-05-01 \(put it in quotes\)$",
        ),
        (
            GOOD | {"codes": {1.5: "b"}},
            "^f: 'codes': a key must be a whole number, got 1.5$",
        ),
        (
            GOOD | {None: 1},
            "^f: unknown key null; the keys here are codes, count, name, points, shape, size$",
        ),
        ({}, "f: the key 'name' is missing"),
        ({"nam": "a"}, "f: the key 'name' is missing; unknown key 'nam', did you mean 'name'"),
        (GOOD | {1: 2}, "unknown key 1; the keys here are"),
        (GOOD | {"zzz": 1, "cuont": 2}, "unknown key 'zzz'; unknown key 'cuont', did you mean"),
        (GOOD | {"zzz": 1}, "the keys here are codes, count, name, points, shape, size"),
        ({"name": 7}, r"'name' must be text, got 7 \(put it in quotes\)"),
        (GOOD | {"count": True}, "'count' must be a whole number, got true"),
        (GOOD | {"count": "1"}, "'count' must be a whole number, got '1'"),
        (GOOD | {"count": 1.0}, "'count' must be a whole number, got 1.0"),
        (GOOD | {"size": True}, "'size' must be a number or text, got true$"),
        (GOOD | {"size": float("nan")}, "'size' must be a finite number or text, got nan"),
        (GOOD | {"size": 16**6000}, "'size' must be a number or text, got a number too long"),
        (GOOD | {"codes": {"a": "b"}}, "'codes': a key must be a whole number, got 'a'"),
        (GOOD | {"codes": {5: None}}, "'codes.5' is empty; text is expected"),
        (GOOD | {"shape": {"radius": 1}}, "'shape': the key 'kind' is missing"),
        (GOOD | {"shape": {"kind": "lin"}}, "'shape.kind' is one of circle, line, got 'lin', did"),
        (
            GOOD | {"shape": {"kind": "circle", "radius": 0}},
            "'shape.radius' must be above 0, got",
        ),
        (
            GOOD | {"shape": {"kind": "circle", "radus": 1}},
            "'shape': the key 'radius' is missing; 'shape': unknown key 'radus', did you mean "
            "'radius'.*; the keys here are kind, radius",
        ),
        # The key "line" has the name of the alternative it lies in.
        (GOOD | {"shape": {"kind": "line", "line": 5}}, "'shape.line' must be text, got 5"),
        (GOOD | {"shape": {"kind": "line", "names": ["a", 2]}}, "'shape.names entry 2' must be"),
    ],
)
def test_what_is_wrong_is_named(content: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        parse_record(Drawing, content, "f")
    assert "pydantic" not in str(caught.value) and "\n" not in str(caught.value)


def test_a_few_faults_are_listed_and_the_rest_is_counted() -> None:
    wrong = {"kind": "line", "names": list(range(8))}
    with pytest.raises(InputError, match=r"entry 5' must be text, got 4 .*; and 3 more$"):
        parse_record(Drawing, GOOD | {"shape": wrong}, "f")


def test_json_makes_records_and_dataclasses_and_names_their_faults() -> None:
    made = parse_json(Drawing, '{"name": "a", "points": [{"x": 1}, {"x": 2, "y": 3}]}', "f")
    assert made.points == (Point(1.0), Point(2.0, 3.0))
    assert hash(made.points) == hash((Point(1.0), Point(2.0, 3.0)))
    for point, message in (
        ({"x": True}, "'points entry 1.x' must be a number, got true"),
        ({"x": 1, "z": 2}, "'points entry 1': unknown key 'z'; the keys here are x, y"),
        ({"x": 101}, "'points entry 1': x is at most 100, got 101"),
    ):
        with pytest.raises(InputError, match=message):
            parse_json(Drawing, json.dumps({"name": "a", "points": [point]}), "f")


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "[" * 300 + "]" * 300, "\x00"])
def test_text_that_is_no_json_is_refused_with_the_error_asked_for(text: str) -> None:
    with pytest.raises(StoreError, match=r"^f.* valid JSON"):
        parse_json(Drawing, text, "f", StoreError)


HALF = "'name' holds \\ud800, which is half of a character; write the whole character"


def test_half_a_character_is_refused_in_every_record() -> None:
    for parse, content in ((parse_record, {"name": "\ud800"}), (parse_json, '{"name": "\\ud800"}')):
        with pytest.raises(StoreError) as caught:
            parse(Drawing, content, "f", StoreError)
        assert str(caught.value) == f"f: {HALF}"


def test_a_record_does_not_change() -> None:
    made = parse_record(Drawing, GOOD, "f")
    with pytest.raises(ValueError, match="frozen"):
        made.count = 2


def test_the_schema_describes_the_keys() -> None:
    content = json.loads(schema_text(Drawing, "A drawing"))
    assert content["title"] == "A drawing"
    assert content["required"] == ["name"]
    assert content["properties"]["count"] == {"default": 1, "type": "integer"}
    assert load_json("[1]", "f") == [1]


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
KEYS = st.sampled_from([*Drawing.model_fields, "circle", "line"])


@given(ODD | st.dictionaries(KEYS, ODD, max_size=4))
def test_odd_content_makes_a_record_or_an_input_error(content: Any) -> None:
    try:
        assert parse_record(Drawing, content, "f").name is not None
    except InputError as error:
        assert str(error).startswith("f: ")
