"""Cutting covers every pixel, stays inside, and shifts the last window inward."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from agri_core.files.errors import InputError
from agri_data.sources.windows import Cut, check_fits, starts, windows
from hypothesis import given
from hypothesis import strategies as st


def test_literal_cuts():
    assert starts(10, Cut(4)) == [0, 4, 6]
    assert starts(8, Cut(4)) == [0, 4]
    assert starts(10, Cut(4, overlap=2)) == [0, 2, 4, 6]
    assert starts(4, Cut(4, overlap=3)) == [0]
    assert list(windows((4, 6), Cut(4))) == [(0, 0), (0, 2)]


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 20), st.integers(0, 19))
def test_windows_cover_everything_and_stay_inside(height: int, width: int, size: int, overlap: int):
    size, overlap = min(size, height, width), overlap % min(size, height, width)
    seen = np.zeros((height, width), int)
    for row, col in windows((height, width), Cut(size, overlap)):
        assert 0 <= row <= height - size
        assert 0 <= col <= width - size
        seen[row : row + size, col : col + size] += 1
    assert seen.min() >= 1
    if overlap == 0 and height % size == 0 and width % size == 0:
        assert seen.max() == 1


@given(st.integers(1, 200), st.integers(1, 40), st.integers(0, 39))
def test_neighbours_share_at_least_the_overlap(length: int, size: int, overlap: int):
    size, overlap = min(size, length), overlap % min(size, length)
    found = starts(length, Cut(size, overlap))
    assert found == sorted(set(found))
    assert all(b - a <= size - overlap for a, b in itertools.pairwise(found))


@pytest.mark.parametrize(("size", "overlap"), [(0, 0), (-1, 0), (4, 4), (4, -1)])
def test_a_wrong_cut_is_refused(size: int, overlap: int):
    with pytest.raises(InputError, match="must be"):
        Cut(size, overlap)


def test_a_small_image_is_refused_with_the_way_out():
    with pytest.raises(InputError, match=r"x.tif is 30x64 pixels.*'--size' of at most 30"):
        check_fits((30, 64), Cut(64), "x.tif")
