"""Intervals of scores, against hand arithmetic, statsmodels' published values and the bootstrap."""

import math

import numpy as np
import pytest
from agri_core import confusion
from agri_core.evaluation.interval import ENOUGH, accuracy_interval, metric_interval, wilson


def places_of(right, wrong):
    """Return counts `(P, 2, 2)`: `right[p]` and `wrong[p]` pixels of class 0 in place p."""
    out = np.zeros((len(right), 2, 2), np.int64)
    out[:, 0, 0], out[:, 0, 1] = right, wrong
    return out


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [
        (24, 24, 0.8620, 1.0),  # 24 / (24 + 1.96^2)
        (0, 24, 0.0, 0.1380),
        (1, 1, 0.2065, 1.0),
        (12, 24, 0.3143, 0.6857),
        (15, 50, 0.1910, 0.4375),
        (98, 100, 0.9300, 0.9945),
    ],
)
def test_wilson_by_hand(right, count, low, high):
    found = wilson(right / count, count)
    assert found == pytest.approx((low, high), abs=5e-5)


def test_all_right_and_all_wrong_are_not_certain():
    assert accuracy_interval(places_of([1] * 24, [0] * 24)) == pytest.approx((0.8620, 1), abs=5e-5)
    assert accuracy_interval(places_of([0] * 24, [1] * 24)) == pytest.approx((0, 0.1380), abs=5e-5)


def test_a_bootstrap_that_touches_one_is_replaced():
    # 23 of 24: over a third of the resamples leave the wrong one out.
    places = places_of([1] * 23 + [0], [0] * 23 + [1])
    assert confusion.bootstrap(places, confusion.accuracy)[1] == 1
    assert accuracy_interval(places) == pytest.approx((0.7976, 0.9926), abs=5e-5)


def test_a_bootstrap_that_touches_nothing_right_is_replaced():
    # 1 of 30: over a third of the resamples leave the right one out.
    places = places_of([1] + [0] * 29, [0] + [1] * 29)
    assert confusion.bootstrap(places, confusion.accuracy)[0] == 0
    assert accuracy_interval(places) == pytest.approx((0.0059, 0.1667), abs=5e-5)


def test_two_places_have_an_interval():
    # 2 / (2 + 1.96^2)
    assert accuracy_interval(places_of([1, 1], [0, 0])) == pytest.approx((0.3424, 1), abs=5e-5)


def test_places_that_are_all_alike_tell_nothing_of_other_places():
    # Every place 8 of 10: the bootstrap is 0.8..0.8, Wilson of 0.8 with 20 draws is not.
    places = places_of([8] * 20, [2] * 20)
    assert accuracy_interval(places) == pytest.approx((0.5840, 0.9193), abs=5e-5)


def test_patches_of_one_place_are_one_draw():
    # 5 places of 100 patches, all right: 5 / (5 + 1.96^2), not 500 / (500 + 1.96^2).
    assert accuracy_interval(places_of([100] * 5, [0] * 5))[0] == pytest.approx(0.5655, abs=5e-5)


@pytest.mark.parametrize(("count", "bootstrapped"), [(ENOUGH - 1, False), (ENOUGH, True)])
def test_few_places_have_the_wilson_interval(count, bootstrapped):
    places = places_of(range(10, 10 + count), [5] * count)
    same = accuracy_interval(places) == confusion.bootstrap(places, confusion.accuracy)
    assert same is bootstrapped


def test_a_place_without_a_label_is_no_draw():
    bare = places_of([1] * 24 + [0] * 100, [0] * 124)
    assert accuracy_interval(bare)[0] == pytest.approx(0.8620, abs=5e-5)
    assert all(map(math.isnan, accuracy_interval(places_of([1, 0], [0, 0]))))


def test_the_seed_is_that_of_the_bootstrap():
    places = places_of(range(10, 40), [5] * 30)
    found = [accuracy_interval(places, seed) for seed in (0, 1)]
    assert found == [confusion.bootstrap(places, confusion.accuracy, seed=s) for s in (0, 1)]
    assert found[0] != found[1]
    assert accuracy_interval(places) == found[0]
    assert metric_interval(places, confusion.mean_iou) == metric_interval(
        places, confusion.mean_iou, 0
    )
    ious = [metric_interval(places, confusion.mean_iou, seed) for seed in (0, 1)]
    assert ious == [confusion.bootstrap(places, confusion.mean_iou, seed=s) for s in (0, 1)]


@pytest.mark.parametrize("count", [0, 1, 2, 30])
def test_another_metric_without_any_spread_has_no_interval(count):
    # Perfect in every place, or a single place: nothing shows how the metric varies.
    perfect = np.tile(np.eye(2, dtype=np.int64), (count, 1, 1))
    assert all(map(math.isnan, metric_interval(perfect, confusion.mean_iou)))
