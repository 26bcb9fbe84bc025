"""Tiles cover exactly, weights add up to one, blending hands out every row once."""

from itertools import pairwise

import numpy as np
import pytest
from agri_core.files.errors import InputError
from agri_map.inference.blend import StripBlender
from agri_map.inference.tiles import Axis
from agri_map.scene.reflection import reflect
from hypothesis import given, settings
from hypothesis import strategies as st


@st.composite
def axes(draw, top=300):
    tile, whole = draw(st.integers(4, 64)), draw(st.booleans())
    overlap = draw(st.integers(0, tile - 1 if whole else tile // 2))
    return Axis(draw(st.integers(1, top)), tile, overlap, whole)


def test_literal():
    # margin = min(16, 8 // 4) = 2: tiles run from -2 to 22, 8 apart, the last one shifted back.
    axis = Axis(length=20, tile=16, overlap=8)
    assert axis.margin == 2
    assert axis.starts() == [-2, 6]
    assert Axis(length=23, tile=16, overlap=8).starts() == [-2, 6, 9]
    assert Axis(length=5, tile=16, overlap=8).starts() == [-2]
    assert Axis(length=32, tile=16, overlap=0).starts() == [0, 16]


def test_whole_tiles():
    # No margin: they start at the rim; a scene of one tile or less has one.
    assert Axis(20, 16, 8, whole=True).starts() == [0, 4]
    assert Axis(32, 16, 12, whole=True).starts() == [0, 4, 8, 12, 16]
    assert Axis(16, 16, 8, whole=True).starts() == Axis(3, 16, 8, whole=True).starts() == [0]
    # Ramps of 2: (1 - cos(pi / 4)) / 2 = 0.146 and its complement; nothing beside at the rim.
    low, high = 0.146447, 0.853553
    expected = [[1, 1, high, low], [low, high, 1, 1]]
    assert Axis(6, 4, 2, whole=True).weights() == pytest.approx(np.array(expected), abs=1e-6)


def test_whole_tiles_without_overlap_are_blocks():
    assert (Axis(12, 4, 0, whole=True).weights() == 1).all()


@given(axes())
def test_cover(axis):
    starts = axis.starts()
    assert starts == sorted(set(starts))
    assert starts[0] <= 0 and starts[-1] + axis.tile >= axis.length
    assert all(b - a <= axis.tile - axis.overlap for a, b in pairwise(starts))
    if len(starts) > 1:  # nothing runs further out than the margin
        assert starts[-1] + axis.tile == axis.length + axis.margin


@given(axes())
def test_weights_are_a_partition_of_unity(axis):
    total = np.zeros(axis.length)
    for start, weights in zip(axis.starts(), axis.weights(), strict=True):
        assert weights.min() >= 0
        inside = [i for i in range(axis.tile) if 0 <= start + i < axis.length]
        total[np.add(inside, start)] += weights[inside]
    assert np.abs(total - 1).max() < 1e-6


def test_rim_of_a_tile_does_not_count():
    axis = Axis(length=400, tile=128, overlap=64)
    assert (axis.weights()[1, :16] == 0).all() and (axis.weights()[1, -16:] == 0).all()


@given(st.integers(1, 40), st.integers(-100, 100), st.integers(1, 60))
def test_reflect_is_numpys(length, start, size):
    padded = np.pad(np.arange(length), 200, mode="reflect" if length > 1 else "edge")
    expected = padded[200 + start : 200 + start + size]
    if len(expected) == size:
        assert np.array_equal(reflect(start, start + size, length), expected)


@settings(deadline=None, max_examples=60)
@given(axes(top=90), axes(top=90))
def test_blending_known_tiles_gives_the_scene_back(rows, cols):
    scene = np.random.default_rng(0).random((2, rows.length, cols.length)).astype(np.float32)
    blender = StripBlender(rows, cols, 2)
    out, next_row = np.full_like(scene, np.nan), 0
    for row in rows.starts():
        down = reflect(row, row + rows.tile, rows.length)
        blender.begin_row()
        for number, col in enumerate(cols.starts()):
            across = reflect(col, col + cols.tile, cols.length)
            blender.add(number, scene[:, down][:, :, across])
        top, done = blender.finish_row()
        assert top == next_row
        next_row = top + done.shape[1]
        out[:, top:next_row] = done
    assert next_row == rows.length
    # A pixel is a sum of float32 terms, one a tile over it; each addition rounds once.
    terms = np.prod([-(-axis.tile // (axis.tile - axis.overlap)) for axis in (rows, cols)])
    assert np.abs(out - scene).max() < max(1e-6, terms * np.finfo(np.float32).eps)


@pytest.mark.parametrize(
    ("length", "tile", "overlap"),
    [(0, 8, 0), (9, 8, 5), (9, 8, -1), (9, 0, 0)],
)
def test_refuses(length, tile, overlap):
    with pytest.raises(InputError):
        Axis(length, tile, overlap)


def test_whole_tiles_overlap_by_less_than_themselves():
    assert Axis(9, 8, 7, whole=True).starts() == [0, 1]
    with pytest.raises(InputError, match="0 to 7 for a tile of 8, got 8"):
        Axis(9, 8, 8, whole=True)
