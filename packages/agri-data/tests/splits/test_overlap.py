"""Pairs of chips that share ground, against a comparison of each with each."""

from __future__ import annotations

import numpy as np
import pytest
from agri_data.splits.overlap import crossing
from agri_data.splits.places import Boxes


def boxes(*corners: tuple[float, float], side: float = 10.0, frames: list[int] | None = None):
    low = np.array(corners, float)
    frame = np.array(frames or [0] * len(low), np.int64)
    tolerance = np.full(len(low), 1e-6 * side)
    return Boxes(frame, np.hstack([low, low + side]), tolerance, np.ones(len(low), bool))


def each_with_each(found: Boxes, splits: np.ndarray, gap: float) -> list[list[int]]:
    pairs = []
    for i, (ax0, ay0, ax1, ay1) in enumerate(found.edges):
        for j in range(i + 1, len(found.edges)):
            bx0, by0, bx1, by1 = found.edges[j]
            depth = min(min(ax1, bx1) - max(ax0, bx0), min(ay1, by1) - max(ay0, by0))
            apart = splits[i] != splits[j] and splits[i] >= 0 and splits[j] >= 0
            if apart and found.frame[i] == found.frame[j] and depth > found.tolerance[i] - gap:
                pairs.append([i, j])
    return pairs


def test_chips_that_touch_share_nothing_and_those_a_pixel_further_in_do() -> None:
    splits = np.array([0, 1, 1])
    found = crossing(boxes((0, 0), (10, 0), (9, 9)), splits)
    assert found.tolist() == [[0, 2]]
    # A gap is measured along the axes: 14 to the right and 14 up is 4 away in each, not 5.7.
    assert crossing(boxes((0, 0), (14, 14)), np.array([0, 1]), 4.5).tolist() == [[0, 1]]
    assert crossing(boxes((0, 0), (14, 14)), np.array([0, 1]), 3.5).tolist() == []


def test_frames_never_meet_and_dropped_chips_take_no_part() -> None:
    same = boxes((0, 0), (0, 0), frames=[0, 1])
    assert crossing(same, np.array([0, 1]), 1e6).tolist() == []
    assert crossing(boxes((0, 0), (1, 1)), np.array([0, -1])).tolist() == []
    assert crossing(boxes((0, 0)), np.array([-1])).shape == (0, 2)


@pytest.mark.parametrize("seed", range(8))
def test_random_squares_as_each_with_each(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count, gap = 120, float(rng.choice([0, 0, 7.5, 30]))
    low = np.round(rng.uniform(0, 120, (count, 2)) / 5) * 5
    edges = np.hstack([low, low + rng.choice([10, 12.5], (count, 1))])
    frame = rng.integers(0, 3, count)
    squares = Boxes(frame, edges, np.full(count, 1e-6), np.ones(count, bool))
    splits = rng.integers(-1, 3, count)
    expected = each_with_each(squares, splits, gap)
    assert crossing(squares, splits, gap).tolist() == expected
    assert len(expected) > 9
