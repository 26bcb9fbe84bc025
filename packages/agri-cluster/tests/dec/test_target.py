import numpy as np
from agri_cluster.dec.target import Frequencies, MovingFrequencies, divergence, sharpened, smoothed
from hypothesis import given
from hypothesis import strategies as st


def test_target_by_hand():
    # q rows (.8, .2), (.4, .6): f = (1.2, .8). Row 1: .64/1.2 = .5333, .04/.8 = .05 -> .9143, .0857
    q = np.array([[0.8, 0.2], [0.4, 0.6]])
    f = Frequencies(2)
    f.add(np.log(q))
    np.testing.assert_allclose(f.total, [1.2, 0.8])
    p = np.exp(sharpened(np.log(q), f.total))
    np.testing.assert_allclose(p[0], [0.64 / 1.2 / 0.583333333, 0.05 / 0.583333333])


@given(st.integers(0, 10_000), st.integers(1, 300))
def test_streaming_equals_the_full_matrix(seed, batch):
    rng = np.random.default_rng(seed)
    q = rng.dirichlet(np.ones(7), size=500)
    full = q**2 / q.sum(axis=0)
    full /= full.sum(axis=1, keepdims=True)
    f = Frequencies(7)
    for start in range(0, 500, batch):
        f.add(np.log(q[start : start + batch]))
    p = [sharpened(np.log(q[s : s + batch]), f.total) for s in range(0, 500, batch)]
    np.testing.assert_allclose(np.exp(np.concatenate(p)), full, atol=1e-9)


def test_moving_frequencies_by_hand():
    # A batch whose mean q is (0.6, 0.4): alone with m = 0, and 0.9 * 0.5 + 0.1 * 0.6 = 0.51.
    batch = np.log([[0.8, 0.2], [0.4, 0.6]])
    even = np.array([0.5, 0.5])
    np.testing.assert_allclose(MovingFrequencies(even, 0.0).add(batch), [0.6, 0.4])
    np.testing.assert_allclose(MovingFrequencies(even, 0.9).add(batch), [0.51, 0.49])


def test_a_dead_cluster_gives_no_nan():
    log_q = np.log([[1.0, 1e-300], [1.0, 1e-300]])
    assert np.isfinite(np.exp(sharpened(log_q, np.array([2.0, 0.0])))).all()


def test_smoothed_labels_sum_to_one():
    np.testing.assert_allclose(smoothed(np.array([1]), 4, 0.2), [[0.05, 0.85, 0.05, 0.05]])


def test_divergence_is_zero_between_equals_and_as_scipy_elsewhere():
    from scipy.stats import entropy

    p, q = np.array([[0.7, 0.3]]), np.array([[0.5, 0.5]])
    assert divergence(np.log(p), np.log(p))[0] == 0
    np.testing.assert_allclose(divergence(np.log(p), np.log(q)), entropy(p[0], q[0]))


def test_rows_of_very_different_sizes_neither_overflow_nor_vanish():
    # 2 log q is 0 and -2000 in one row, -4000 and -4000 in the other.
    log_q = np.array([[0.0, -1000.0], [-2000.0, -2000.0]])
    found = np.exp(sharpened(log_q, np.ones(2)))
    np.testing.assert_allclose(found, [[1.0, 0.0], [0.5, 0.5]], atol=1e-12)
    high = np.exp(sharpened(log_q + 3000.0, np.ones(2)))
    np.testing.assert_allclose(high, found, atol=1e-12)


def test_a_tenth_is_smoothed_by_default():
    np.testing.assert_allclose(smoothed(np.array([1]), 2), [[0.05, 0.95]])
