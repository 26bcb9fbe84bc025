import numpy as np
import pytest
from agri_classify.training.calibration.conformal import least_probability
from agri_core.files.errors import InputError
from hypothesis import given
from hypothesis import strategies as st


def test_the_threshold_by_hand():
    # Of nine patches, ceil(10 * 0.8) = 8 must be held: the eighth largest probability.
    own = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    probabilities = np.stack([own, 1 - own], axis=1)
    truth = np.zeros(9, np.int64)
    assert least_probability(probabilities, truth, 0.8) == pytest.approx(0.2)
    # ceil(10 * 0.9) = 9: the smallest of nine is just enough.
    assert least_probability(probabilities, truth, 0.9) == pytest.approx(0.1)
    # ceil(10 * 0.95) = 10 of nine cannot be promised.
    assert least_probability(probabilities, truth, 0.95) == 0.0
    for nominal in (1.0, 0.0, -0.1, float("nan")):
        with pytest.raises(InputError, match=f"between 0 and 1, got {nominal}"):
            least_probability(probabilities, truth, nominal)


@given(st.integers(0, 1000), st.integers(50, 97))
def test_sets_hold_at_least_what_was_asked_of_the_patches_they_were_chosen_on(seed, percent):
    rng, nominal = np.random.default_rng(seed), percent / 100
    probabilities = rng.dirichlet(np.ones(4), 60)
    truth = rng.integers(0, 4, 60)
    least = least_probability(probabilities, truth, nominal)
    assert (probabilities[np.arange(60), truth] >= least).mean() >= nominal


def test_the_promise_holds_on_patches_never_seen():
    rng = np.random.default_rng(0)

    def draw(count):
        probabilities = rng.dirichlet(np.ones(5), count)
        return probabilities, np.array([rng.choice(5, p=row) for row in probabilities])

    least = least_probability(*draw(2000), 0.9)
    probabilities, truth = draw(4000)
    held = (probabilities[np.arange(4000), truth] >= least).mean()
    assert held == pytest.approx(0.9, abs=0.02)
