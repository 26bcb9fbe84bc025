import numpy as np
import pytest
from agri_cluster.dec.alpha import fit_kernel, mean_confidence, wanted_confidence


def test_the_wanted_confidence_lies_half_way_from_knowing_nothing_to_certainty():
    # K^(-1/2): 1, 1/2, 1/10 and, between 1/2 and 1, 0.7071.
    assert [wanted_confidence(k) for k in (1, 4, 100)] == [1.0, 0.5, 0.1]
    assert wanted_confidence(2) == pytest.approx(0.7071, abs=1e-4)


def test_two_centres_by_hand():
    # A row at d² = 1 (so m = 1) and 1.69221; alpha = 3: q ~ (1 + 4 d²)^-2. The wanted 1/sqrt(2) is
    # a ratio of .41421 to 1, and indeed 5 / (1 + 4 * 1.69221) = .64360 = sqrt(.41421).
    centres = np.zeros((2, 6))
    centres[:, 0] = 1.0, np.sqrt(1.69221)
    alpha, scale = fit_kernel(np.zeros((1, 6)), centres)
    assert alpha == pytest.approx(3.0, abs=1e-3)
    # m / (2 sqrt(alpha)), so that d² / alpha is 4 at the distance m.
    assert scale == pytest.approx(1 / (2 * np.sqrt(3)), abs=1e-4)


@pytest.mark.parametrize(("width", "alpha"), [(100, 99.0), (3, 2.0), (2, 1.0), (1, 1.0)])
def test_where_nothing_tells_centres_apart_it_is_as_sharp_as_may_be(width, alpha):
    found, scale = fit_kernel(np.ones((5, width)), np.zeros((4, width)))
    assert found == alpha
    assert scale == pytest.approx(np.sqrt(width) / 2 / np.sqrt(alpha))


def test_clear_groups_need_no_sharpening():
    centres = np.eye(4) * 100
    assert fit_kernel(centres + 1, centres)[0] == 1.0


def test_rows_on_their_centres_tell_nothing_of_distances():
    assert fit_kernel(np.eye(4), np.eye(4)) == (1.0, 1.0)


def test_the_unit_of_the_embedding_does_not_matter():
    rng = np.random.default_rng(2)
    z, centres = rng.normal(size=(200, 30)), rng.normal(size=(8, 30))
    (alpha, scale), (same, larger) = fit_kernel(z, centres), fit_kernel(z * 1000, centres * 1000)
    assert same == pytest.approx(alpha)
    assert larger == pytest.approx(1000 * scale)


@pytest.mark.parametrize("clusters", [10, 30])
def test_a_wide_embedding_gets_the_confidence_that_is_wanted(clusters):
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(clusters, 100)) * 0.5
    z = centres[np.arange(600) % clusters] + rng.normal(size=(600, 100))
    alpha, scale = fit_kernel(z, centres)
    # Student's kernel as it is printed, in linear space.
    square = np.square(z[:, None] - centres).sum(axis=2) / scale**2
    kernel = (1 + square / alpha) ** (-(alpha + 1) / 2)
    q = kernel / kernel.sum(axis=1, keepdims=True)
    assert 1 < alpha < 99
    assert q.max(axis=1).mean() == pytest.approx(clusters**-0.5, abs=1e-4)
    assert np.median(square.min(axis=1)) == pytest.approx(4 * alpha)


def test_blocks_do_not_change_the_mean(monkeypatch):
    rng = np.random.default_rng(1)
    z, centres = rng.normal(size=(10, 3)), rng.normal(size=(4, 3))
    whole = mean_confidence(z, centres, 2.0)
    monkeypatch.setattr("agri_cluster.dec.alpha.BLOCK", 3)
    assert mean_confidence(z, centres, 2.0) == pytest.approx(whole, abs=1e-12)
