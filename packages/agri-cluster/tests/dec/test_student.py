import numpy as np
import pytest
from agri_cluster.backend.framework import keras, ops
from agri_cluster.data.distances import log_assignment, squared_distances
from agri_cluster.dec.student import StudentAssignment
from agri_core.files.errors import InputError


def layer_of(centres, alpha):
    layer = StudentAssignment(len(centres), alpha)
    layer.build((None, centres.shape[1]))
    layer.centres.assign(centres.astype(np.float32))
    return layer


def test_two_centres_by_hand():
    # alpha = 1: q ~ 1 / (1 + d²). z = 0 has d² = 1 and 9, so q = 1/2 and 1/10 before normalising.
    q = np.exp(log_assignment(np.array([[0.0]]), np.array([[1.0], [3.0]]), 1.0))
    np.testing.assert_allclose(q, [[0.5 / 0.6, 0.1 / 0.6]])


def test_alpha_is_the_power():
    # alpha = 3: (1 + d²/3)^-2; d² = 3 and 9 give 1/4 and 1/16, so 4/5 and 1/5.
    z, centres = np.array([[0.0]]), np.array([[np.sqrt(3.0)], [3.0]])
    np.testing.assert_allclose(np.exp(log_assignment(z, centres, 3.0)), [[0.8, 0.2]])


def test_squared_distances_are_those_of_the_differences():
    rng = np.random.default_rng(0)
    z, centres = rng.normal(size=(7, 5)), rng.normal(size=(3, 5))
    plain = np.square(z[:, None] - centres).sum(axis=2)
    np.testing.assert_allclose(squared_distances(z, centres), plain)


@pytest.mark.parametrize("spread", [1.0, 3.0, 1000.0])
def test_no_underflow_at_100_dimensions(spread):
    rng = np.random.default_rng(1)
    z = rng.normal(scale=spread, size=(64, 100)).astype(np.float32)
    centres = rng.normal(scale=spread, size=(100, 100)).astype(np.float32)
    log_q = ops.convert_to_numpy(layer_of(centres, 99.0)(z))
    assert np.isfinite(log_q).all()
    np.testing.assert_allclose(np.exp(log_q).sum(axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(np.exp(log_q), np.exp(log_assignment(z, centres, 99.0)), atol=1e-5)


def test_linear_space_would_have_been_nothing_over_nothing():
    z, centres = np.float32([[0.0] * 100]), np.float32(np.ones((2, 100)) * [[8.0], [9.0]])
    square = np.float32(squared_distances(z, centres))
    power = np.power(np.float32(1) + square / np.float32(99), np.float32(-50))
    assert power.sum() == 0
    assert np.isfinite(log_assignment(z, centres, 99.0)).all()


def test_gradients_are_finite_far_from_every_centre():
    centres = np.random.default_rng(2).normal(size=(4, 100)) * 1000
    inputs = keras.Input((100,))
    head = StudentAssignment(4, 99.0)
    model = keras.Model(inputs, head(inputs))
    head.centres.assign(centres.astype(np.float32))
    model.compile(keras.optimizers.SGD(0.01), loss=lambda p, q: -ops.mean(ops.sum(p * q, axis=1)))
    model.train_on_batch(np.float32(centres[:2] + 500), np.float32([[1, 0, 0, 0], [0, 1, 0, 0]]))
    assert np.isfinite(ops.convert_to_numpy(head.centres)).all()


def test_it_stays_in_float32_under_mixed_precision():
    head = StudentAssignment(3, 2.0)
    assert head.compute_dtype == "float32"


def test_alpha_survives_saving(tmp_path):
    head = layer_of(np.eye(3), 7.0)
    again = StudentAssignment.from_config(head.get_config())
    assert again.alpha == 7.0
    inputs = keras.Input((3,))
    model = keras.Model(inputs, head(inputs))
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    z = np.float32([[0.2, 0.3, 0.9]])
    np.testing.assert_array_equal(loaded.predict_on_batch(z), model.predict_on_batch(z))
    assert loaded.layers[-1].alpha == 7.0


@pytest.mark.parametrize("alpha", [0.0, -1.0, float("nan"), float("inf")])
def test_alpha_is_above_zero(alpha):
    with pytest.raises(InputError, match="`alpha` is a number above 0"):
        StudentAssignment(2, alpha)
