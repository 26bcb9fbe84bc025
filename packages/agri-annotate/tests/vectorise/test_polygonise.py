import numpy as np
import pytest
import shapely
from agri_annotate.masks.mask import Rules, draw
from agri_annotate.masks.naming import Naming
from agri_annotate.model.project import Picture, Region
from agri_annotate.model.shape import Polygon
from agri_annotate.vectorise.polygonise import polygonise
from agri_core.files.errors import InputError
from agri_core.legend import Legend
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio import features

NAMES = ("background", "one", "two", "three")
NAMING = Naming(Legend.of(NAMES), "class")


def redraw(drawing, shape):
    """The mask that `agri-annotate masks` makes of a drawing."""
    regions = tuple(
        Region(Polygon(outline.points), {"class": NAMES[outline.code]}, number)
        for number, outline in enumerate(drawing.outlines)
    )
    return draw(Picture("a", regions=regions), *shape, NAMING, Rules()).mask


def iou(first, second, code):
    both, either = ((first == code) & (second == code)), ((first == code) | (second == code))
    return both.sum() / either.sum() if either.any() else 1.0


def disc(shape, cx, cy, r):
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    return (x - cx) ** 2 + (y - cy) ** 2 <= r * r


@pytest.fixture
def bullseye():
    """Class 2 within background within class 1: 22 x 22, 14 x 14 and 6 x 6 pixels."""
    mask = np.zeros((30, 40), np.uint8)
    mask[4:26, 4:26] = 1
    mask[8:22, 8:22] = 0
    mask[12:18, 12:18] = 2
    return mask


def test_a_rectangle_is_its_four_corners():
    mask = np.zeros((30, 40), np.uint8)
    mask[5:15, 10:30] = 1
    (outline,) = polygonise(mask).outlines
    assert set(outline.points) == {(10, 5), (30, 5), (30, 15), (10, 15)}
    assert len(outline.points) == 4
    assert outline.pixels == 10 * 20
    assert outline.code == 1


def test_the_border_of_the_picture_is_not_cut():
    mask = np.ones((9, 12), np.uint8)
    (outline,) = polygonise(mask, tolerance=50, fidelity=0).outlines
    assert set(outline.points) == {(0, 0), (12, 0), (12, 9), (0, 9)}


def test_neighbours_share_their_border():
    mask = np.zeros((40, 60), np.uint8)
    slant = np.arange(60)[None] + np.arange(40)[:, None] // 2 < 40
    mask[:] = np.where(slant, 1, 2)
    drawing = polygonise(mask)
    first, second = (shapely.Polygon(outline.points) for outline in drawing.outlines)
    assert first.intersection(second).area == 0
    assert first.union(second).area == 40 * 60
    assert drawing.vertices < 12 < drawing.corners


def test_a_slanted_border_needs_few_vertices():
    """A staircase of 30 steps is one line: 60 corners become those of a triangle and its ends."""
    mask = (np.arange(30)[None] <= np.arange(30)[:, None]).astype(np.uint8)
    drawing = polygonise(mask)
    assert drawing.corners >= 60
    assert drawing.vertices <= 6
    assert iou(redraw(drawing, mask.shape), mask, 1) >= 0.98


def test_holes_are_drawn_after_what_is_around_them(bullseye):
    drawing = polygonise(bullseye, minimum=30)
    assert [outline.code for outline in drawing.outlines] == [1, 0, 2]
    # Pixels are without what lies inside: 22^2 - 14^2, 14^2 - 6^2, 6^2.
    assert [outline.pixels for outline in drawing.outlines] == [288, 160, 36]
    assert (redraw(drawing, bullseye.shape) == bullseye).all()


def test_without_holes_what_is_inside_is_filled(bullseye):
    drawing = polygonise(bullseye, minimum=30, background="none")
    assert [outline.code for outline in drawing.outlines] == [1, 2]
    assert (redraw(drawing, bullseye.shape) == 1).sum() == 22 * 22 - 36


def test_the_whole_background_is_drawn_first(bullseye):
    drawing = polygonise(bullseye, minimum=30, background="all")
    assert [outline.code for outline in drawing.outlines] == [0, 1, 0, 2]
    assert drawing.outlines[0].pixels == 30 * 40 - 22 * 22


def test_small_regions_go_to_their_neighbour():
    mask = np.zeros((20, 20), np.uint8)
    mask[:, :10] = 1
    mask[3:5, 3:5] = 2  # 4 pixels within class 1
    mask[10, 15] = 3  # 1 pixel of background
    drawing = polygonise(mask, minimum=5)
    assert [(outline.code, outline.pixels) for outline in drawing.outlines] == [(1, 200)]
    assert drawing.small == 5


def test_a_small_region_among_what_is_ignored_is_not_drawn():
    mask = np.full((20, 20), 255, np.uint8)
    mask[5:8, 5:8] = 1
    drawing = polygonise(mask, minimum=10)
    assert drawing.outlines == ()
    assert drawing.small == 9


def test_ignore_is_never_drawn_and_counted_where_it_is_covered():
    mask = np.full((20, 20), 255, np.uint8)
    mask[2:18, 2:18] = 1
    mask[8:12, 8:12] = 255
    drawing = polygonise(mask, minimum=1)
    assert [outline.code for outline in drawing.outlines] == [1]
    assert drawing.covered == 16


def test_regions_that_touch_at_a_corner_are_two():
    mask = np.zeros((20, 20), np.uint8)
    mask[:10, :10] = mask[10:, 10:] = 1
    assert [outline.pixels for outline in polygonise(mask).outlines] == [100, 100]


def test_confidence_is_the_mean_over_known_pixels(bullseye):
    confidence = np.where(bullseye == 1, 0.9, 0.5)
    confidence[12:15, 12:18] = np.nan  # half of class 2
    confidence[15:18, 12:15] = 0.7  # 9 of the other 18 pixels: mean (9 * 0.7 + 9 * 0.5) / 18
    drawing = polygonise(bullseye, minimum=30, confidence=confidence)
    assert [outline.confidence for outline in drawing.outlines] == pytest.approx([0.9, 0.5, 0.6])
    unknown = polygonise(bullseye, confidence=np.full(bullseye.shape, np.nan))
    assert {outline.confidence for outline in unknown.outlines} == {None}


def test_tolerance_zero_is_exact():
    mask = np.where(disc((50, 50), 20, 22, 17), 1, 0).astype(np.uint8)
    mask[disc((50, 50), 30, 30, 10)] = 2
    assert (redraw(polygonise(mask, tolerance=0, minimum=1), mask.shape) == mask).all()


def test_less_fidelity_is_fewer_vertices():
    mask = np.where(disc((50, 50), 25, 25, 20), 1, 0).astype(np.uint8)
    exact, fine, coarse = (polygonise(mask, tolerance=4, fidelity=f) for f in (1, 0.98, 0.8))
    assert exact.vertices > fine.vertices > coarse.vertices
    assert iou(redraw(coarse, mask.shape), mask, 1) >= 0.8


def test_nothing_to_draw():
    for code in (0, 255):
        drawing = polygonise(np.full((5, 7), code, np.uint8))
        assert drawing.outlines == ()
        assert drawing.vertices == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"tolerance": -1},
        {"tolerance": float("nan")},
        {"minimum": 0},
        {"fidelity": 1.5},
        {"confidence": np.zeros((2, 2))},
    ],
)
def test_wrong_numbers_are_refused(wrong):
    with pytest.raises(InputError):
        polygonise(np.zeros((5, 5), np.uint8), **wrong)
    with pytest.raises(InputError):
        polygonise(np.zeros((5, 5)))


blobs = st.lists(
    st.tuples(st.integers(1, 3), st.floats(-5, 85), st.floats(-5, 65), st.floats(5, 30)),
    min_size=1,
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(blobs, st.floats(0, 1))
def test_drawn_again_the_map_is_the_map(found, tolerance):
    mask = np.zeros((60, 80), np.uint8)
    for code, cx, cy, r in found:
        mask[disc(mask.shape, cx, cy, r)] = code
    sieved = features.sieve(mask, 20, connectivity=4)
    drawing = polygonise(mask, tolerance=tolerance, minimum=20)
    again = redraw(drawing, mask.shape)
    assert min(iou(again, sieved, code) for code in (1, 2, 3)) >= 0.98
    assert all(shapely.Polygon(outline.points).is_valid for outline in drawing.outlines)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**31), st.floats(0, 3))
def test_any_map_is_drawn(height, width, seed, tolerance):
    """Noise: regions of a pixel, diagonals, rings; unthinned, every pixel is right."""
    mask = np.random.default_rng(seed).choice([0, 1, 2, 255], (height, width)).astype(np.uint8)
    drawing = polygonise(mask, tolerance=tolerance, minimum=1)
    known = mask != 255
    again = redraw(drawing, mask.shape)
    for code in (1, 2):
        assert iou(again[known], mask[known], code) >= 0.9
    exact = redraw(polygonise(mask, tolerance=0, minimum=1), mask.shape)
    assert (exact[known] == mask[known]).all()
