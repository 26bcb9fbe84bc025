import warnings

import numpy as np
import pytest
from agri_core.evaluation.calibration import likelihood, reliability, without_temperature
from agri_core.files.errors import InputError
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import log_loss

# Four patches: right at 0.9, right at 0.9, wrong at 0.9, right at 0.6.
P = np.array([[0.9, 0.1], [0.1, 0.9], [0.9, 0.1], [0.6, 0.4]])
TRUTH = np.array([0, 1, 1, 0])


def test_reliability_by_hand():
    found = reliability(P, TRUTH, bins=10)
    # 0.6 falls into bin 6 (0.6 to 0.7), 0.9 into bin 9.
    assert found.count.tolist() == [0, 0, 0, 0, 0, 0, 1, 0, 0, 3]
    assert found.confidence[6] == pytest.approx(0.6)
    assert found.accuracy[9] == pytest.approx(2 / 3)
    # (1 * |1 - 0.6| + 3 * |2/3 - 0.9|) / 4
    assert found.error == pytest.approx((0.4 + 3 * (0.9 - 2 / 3)) / 4)


def test_certainty_falls_into_the_last_bin():
    found = reliability(np.array([[1.0, 0.0]]), np.array([0]), bins=4)
    assert found.count.tolist() == [0, 0, 0, 1]
    assert found.error == 0


def test_likelihood_equals_scikit_learn():
    assert likelihood(P, TRUTH) == pytest.approx(log_loss(TRUTH, P))


def test_a_low_temperature_is_undone_where_it_left_next_to_nothing():
    # Logits 8 and -8 at T = 0.2: the smaller probability is e^-80.
    low = np.exp(-80.0)
    found = without_temperature(np.array([[1 - low, low]]), 0.2)
    assert found[0, 1] == pytest.approx(np.exp(-16) / (1 + np.exp(-16)), rel=1e-9)


# Whole numbers: hypothesis makes no floats where an engine has switched subnormal ones off.
@given(
    hnp.arrays(np.int64, (5, 4), elements=st.integers(-80, 80)),
    st.integers(2, 50),
)
def test_a_temperature_is_undone(tenths, tenth):
    logits, temperature = tenths / 10, tenth / 10

    def softmax(values):
        raised = np.exp(values - values.max(1, keepdims=True))
        return raised / raised.sum(1, keepdims=True)

    found = without_temperature(softmax(logits / temperature), temperature)
    assert found == pytest.approx(softmax(logits), abs=1e-6)


def test_bins_that_nothing_falls_into_are_told_apart():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = reliability(np.array([[0.3, 0.3, 0.4]]), np.array([2]), bins=10)
    # 0.4 to 0.5 is bin 4; nothing lies above it.
    assert found.count.tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0, 0]
    assert len(found.confidence) == len(found.accuracy) == 10
    assert np.isnan(found.confidence[[0, 9]]).all() and found.accuracy[4] == 1


def test_a_temperature_is_undone_row_by_row():
    # Row by row: e^-700 beside e^0 in one row, both near e^-350 in the next, far below the other.
    rows = np.array([[1.0, 1e-300], [0.5, 0.5]])
    found = without_temperature(rows, 4.0)
    # log 1e-300 = -690.8; times 4 it leaves nothing, and the even row stays even.
    assert found.tolist() == [[1, 0], [0.5, 0.5]] and found.dtype == np.float64


@pytest.mark.parametrize(("shape", "classes"), [((3,), 3), ((3, 2), 2), ((0, 2), 0)])
def test_shapes_are_told(shape, classes):
    with pytest.raises(InputError) as caught:
        reliability(np.zeros(shape), np.zeros(classes, np.int64))
    assert str(caught.value).startswith(
        "probabilities (N, K) and classes (N,) of one patch or more are expected, got "
    )


def test_nothing_to_score():
    with pytest.raises(InputError, match="one patch or more"):
        reliability(np.zeros((0, 2)), np.zeros(0, np.int64))
