import numpy as np
import pytest
from agri_train.baselines.features import band_statistics, filter_responses, random_filters
from scipy.signal import correlate2d


def test_statistics_by_hand():
    batch = np.float32([[[[1, 2], [3, 6]], [[0, 0], [0, 4]]]])
    # Means 3 and 1; deviations sqrt((4 + 1 + 0 + 9) / 4) and sqrt((1 + 1 + 1 + 9) / 4).
    expected = [3, 1, np.sqrt(3.5), np.sqrt(3), 1, 0, 6, 4]
    assert band_statistics(batch)[0] == pytest.approx(expected)


def test_responses_equal_scipy():
    rng = np.random.default_rng(0)
    batch, filters = rng.normal(size=(1, 2, 8, 9)).astype(np.float32), random_filters(2, rng, 3)
    found = filter_responses(batch, filters)[0]
    for number in range(3):
        both = [correlate2d(batch[0, c], filters[number, c], mode="valid") for c in range(2)]
        total = both[0] + both[1]
        assert found[number] == pytest.approx(np.maximum(total, 0).mean(), abs=1e-5)
        assert found[3 + number] == pytest.approx(np.maximum(-total, 0).mean(), abs=1e-5)
    assert found[6:] == pytest.approx(batch[0].mean(axis=(1, 2)), abs=1e-6)


def test_filters_see_no_brightness_and_have_length_1():
    filters = random_filters(3, np.random.default_rng(0), 7)
    assert filters.sum(axis=(2, 3)) == pytest.approx(0, abs=1e-5)
    assert np.square(filters).sum(axis=(1, 2, 3)) == pytest.approx(1, rel=1e-5)
