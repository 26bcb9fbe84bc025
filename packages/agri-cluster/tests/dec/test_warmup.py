import numpy as np
import pytest
from agri_cluster.backend.framework import keras
from agri_cluster.dec.network import build_network
from agri_cluster.dec.warmup import Warmup, learn_labels
from agri_core.files.errors import InputError


def learned(agreements, **how):
    """Run a warm-up with a look every 10 steps that finds these agreements in turn."""
    steps, found = [], iter(agreements)
    history = learn_labels(Warmup(**how), 10, lambda: steps.append(1), lambda: next(found))
    return len(steps), [(row["step"], row["agreement"]) for row in history]


def test_it_ends_when_the_labels_are_learnt():
    steps, history = learned([0.2, 0.7, 0.99, 1.0], agreement=0.98)
    assert steps == 20
    assert history == [(0, 0.2), (10, 0.7), (20, 0.99)]


def test_it_ends_when_no_more_is_learnt():
    # The best is 0.6; three looks after it find no more.
    steps, history = learned([0.2, 0.6, 0.5, 0.6, 0.6, 0.9], patience=3)
    assert steps == 40
    assert history[-1] == (40, 0.6)


def test_it_ends_at_the_limit_with_a_look():
    steps, history = learned([0.2, 0.3, 0.4, 0.5], max_iter=25)
    assert steps == 25
    assert history == [(0, 0.2), (10, 0.3), (20, 0.4), (25, 0.5)]


def test_no_steps_leave_a_look():
    assert learned([0.4], max_iter=0) == (0, [(0, 0.4)])


@pytest.mark.parametrize(
    "wrong", [{"max_iter": -1}, {"learning_rate": 0.0}, {"agreement": 1.1}, {"patience": 0}]
)
def test_a_warmup_is_checked(wrong):
    with pytest.raises(InputError, match="a warm-up has"):
        Warmup(**wrong)


def test_its_optimizer_trains_the_same_weights_and_leaves_the_others_momentum_at_rest():
    encoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    network = build_network(encoder, None, np.float32([[0, 0], [1, 1]]), alpha=1.0, scale=1.0)
    other = network.with_optimizer(keras.optimizers.Adam(0.001))
    before, kernel = network.centres, np.array(encoder.get_weights()[0])
    other.step(np.float32([[1, 2], [3, 4]]), np.array([[0.9, 0.1], [0.1, 0.9]]))
    assert (network.centres != before).any()
    assert (encoder.get_weights()[0] != kernel).any()
    momentum = [np.array(v) for v in network.trainer.optimizer.variables if len(v.shape) == 2]
    assert momentum
    assert not any(values.any() for values in momentum)
