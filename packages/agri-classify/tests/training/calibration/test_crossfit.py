import numpy as np
import pytest
from agri_classify.training.calibration.crossfit import crossfit
from agri_core.evaluation.calibration import reliability, without_temperature


def patches(right):
    """Answer class 0 with 0.9 everywhere; the truth is class 0 where `right`."""
    truth = np.where(right, 0, 1).astype(np.int64)
    return np.tile([0.9, 0.1], (len(truth), 1)), truth


def test_places_that_are_alike_calibrate_each_other():
    # In each of 4 places 4 of 5 are right, so a temperature of ln 9 / ln 4 makes 0.9 the true 0.8.
    probabilities, truth = patches(np.tile([True, True, True, True, False], 4))
    found = crossfit(probabilities, truth, np.arange(4).repeat(5), 0.5)
    assert found["folds"] == 4
    assert found["ece"] == pytest.approx(0, abs=1e-4)
    # Half of the truth has 0.8, and so has every first answer: the sets hold it alone.
    assert (found["coverage"], found["size"]) == (0.8, 1.0)
    assert reliability(probabilities, truth).error == pytest.approx(0.1)


def test_a_place_does_not_calibrate_itself():
    # One place all right, the other all wrong: each is judged with the other's temperature.
    probabilities, truth = patches(np.array([True] * 6 + [False] * 6))
    found = crossfit(probabilities, truth, np.array([3] * 6 + [8] * 6), 0.5)
    # Wrong answers want the largest temperature, 20; right ones the least, 0.05.
    shy, bold = 1 / (1 + 9 ** (-1 / 20)), 1.0
    assert found["ece"] == pytest.approx(((1 - shy) + (bold - 0)) / 2, abs=1e-3)
    # The shy threshold, 0.47, is met by both classes; the bold one, 1, by the first alone.
    assert (found["coverage"], found["size"]) == (0.5, 1.5)


def test_one_place_cannot_be_divided():
    probabilities, truth = patches(np.array([True, False]))
    assert crossfit(probabilities, truth, np.zeros(2, np.int64)) is None


def test_folds_are_of_whole_places_and_of_the_seed():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(3), 60)
    truth = np.array([rng.choice(3, p=row) for row in probabilities])
    places = rng.integers(0, 9, 60)
    one = crossfit(probabilities, truth, places, 0.8, seed=1)
    assert one == crossfit(probabilities, truth, places, 0.8, seed=1)
    assert one != crossfit(probabilities, truth, places, 0.8, seed=2)
    by_default = crossfit(probabilities, truth, places, 0.8)
    assert by_default == crossfit(probabilities, truth, places, 0.8, folds=5, seed=0)
    # An earlier temperature changes nothing: it is fitted again.
    warmer = without_temperature(probabilities, 0.5)
    assert crossfit(warmer, truth, places, 0.8, seed=1) == pytest.approx(one, abs=1e-6)
