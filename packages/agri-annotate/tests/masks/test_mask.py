"""Regions to one mask: classes, overlap, priority."""

import numpy as np
import pytest
from agri_annotate.masks import runs as module
from agri_annotate.masks.coverage import spans
from agri_annotate.masks.mask import Rules, draw
from agri_annotate.masks.naming import Naming
from agri_annotate.masks.runs import Layer, blank, paint
from agri_annotate.model.project import Picture, Region
from agri_annotate.model.shape import Circle, Polygon, Polyline, Rect
from agri_core.files.errors import InputError
from agri_core.legend import Legend
from hypothesis import given
from hypothesis import strategies as st

LEGEND = Legend.of(["background", "crop", "water", "soil"])
NAMING = Naming(LEGEND, "label", unlabelled="ignore")


def picture(*regions: tuple[object, str]) -> Picture:
    drawn = (Region(s, {"label": t} if t else {}, n) for n, (s, t) in enumerate(regions))
    return Picture("a.png", regions=tuple(drawn))


FIELD, POND = Rect(0, 0, 10, 10), Rect(5, 0, 3, 10)


@pytest.mark.parametrize(
    ("rules", "order", "crop", "water", "lost"),
    [
        (Rules("last"), "cw", 70, 30, {1: 30}),
        (Rules("last"), "wc", 100, 0, {2: 30}),
        (Rules("first"), "cw", 100, 0, {2: 30}),
        (Rules("first"), "wc", 70, 30, {1: 30}),
        (Rules("largest"), "cw", 100, 0, {2: 30}),
        (Rules("last", priority=(2,)), "wc", 70, 30, {1: 30}),
        (Rules("first", priority=(2, 1)), "wc", 100, 0, {2: 30}),
    ],
)
def test_who_keeps_a_pixel(rules: Rules, order: str, crop: int, water: int, lost: dict) -> None:
    parts = {"c": (FIELD, "crop"), "w": (POND, "water")}
    drawn = draw(picture(*(parts[o] for o in order)), 12, 20, NAMING, rules)
    assert drawn.pixels.get(1, 0) == crop and drawn.pixels.get(2, 0) == water
    assert dict(drawn.overwritten) == lost
    assert sum(drawn.pixels.values()) == 12 * 20


def test_a_hole_is_a_region_of_background_above() -> None:
    drawn = draw(
        picture((POND, "background"), (FIELD, "crop")), 10, 10, NAMING, Rules("last", (0,))
    )
    assert drawn.pixels == {0: 30, 1: 70}
    assert drawn.mask is not None and drawn.mask[0, 4:9].tolist() == [1, 0, 0, 0, 1]


def test_overlap_of_one_class_overwrites_nothing() -> None:
    drawn = draw(picture((FIELD, "crop"), (POND, "crop")), 10, 10, NAMING, Rules("error"))
    assert drawn.pixels == {1: 100} and not drawn.overwritten


def test_error_names_the_region_and_the_pixels() -> None:
    drawn = draw(picture((FIELD, "crop"), (POND, "water")), 10, 10, NAMING, Rules("error"))
    (problem,) = drawn.problems
    assert drawn.mask is None and set(drawn.fates.values()) == {"lost"}
    assert problem.where == "a.png region 2" and "30 pixels of 'crop'" in problem.what


def test_unlabelled_regions_become_ignore() -> None:
    drawn = draw(picture((FIELD, "crop"), (POND, "")), 10, 10, NAMING, Rules())
    assert drawn.pixels == {1: 70, 255: 30} and drawn.overwritten == {1: 30}


def test_what_cannot_be_drawn_is_named_and_the_rest_is_drawn() -> None:
    regions = [
        (Polyline(((0, 0), (5, 5))), "crop"),
        (Rect(50, 50, 5, 5), "crop"),
        (Rect(2.6, 2, 0.3, 9), "crop"),
        (FIELD, "corn"),
        (Rect(5, 5, 10, 10), "soil"),
        (Polygon(((1, 1), (4, 4), (4, 1), (1, 4))), "water"),
    ]
    drawn = draw(picture(*regions), 10, 10, NAMING, Rules())
    said = [(p.where[-1], p.severity) for p in drawn.problems]
    assert said == [
        ("1", "lost"), ("2", "lost"), ("3", "lost"), ("4", "lost"), ("5", "changed"), ("6", "note"),
    ]  # fmt: skip
    texts = " ".join(p.what for p in drawn.problems)
    assert "--line" in texts and "wholly outside" in texts and "no pixel centre" in texts
    assert "'corn'" in texts and "75.00%" in texts and "even-odd" in texts
    assert list(drawn.fates.values()) == ["lost"] * 4 + ["clipped", "drawn"]


def test_rules_are_checked() -> None:
    with pytest.raises(InputError, match="line"):
        Rules(line=0)
    with pytest.raises(InputError, match="radius"):
        Rules(radius=float("nan"))


shapes = st.one_of(
    st.builds(Rect, *[st.integers(-5, 25)] * 2, *[st.integers(1, 20)] * 2),
    st.builds(Circle, *[st.floats(-5, 25)] * 2, st.floats(0.1, 12)),
)


@given(st.lists(st.tuples(shapes, st.integers(0, 3)), max_size=12), st.sampled_from([1, 40, 10**6]))
def test_runs_are_what_painting_pixels_gives(drawn: list, many: int) -> None:
    expected = np.full((20, 30), -1)
    lost = 0
    layers = []
    for owner, (shape, value) in enumerate(drawn):
        layers.append(Layer(spans(shape, 20, 30), value, owner))
        inside = np.zeros((20, 31), bool).ravel()
        for begin, end in zip(layers[-1].spans.begin, layers[-1].spans.end, strict=True):
            inside[begin:end] = True
        inside = inside.reshape(20, 31)[:, 1:]
        lost += int((inside & (expected != -1) & (expected != value)).sum())
        expected[inside] = value
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MANY", many)
        made, overwritten = paint(blank(20, 30), layers)
    assert (made.array() == np.maximum(expected, 0)).all()
    assert overwritten.total() == lost
    assert sum(made.pixels().values()) == 600
