import numpy as np
import pytest
from agri_cluster.guard import Guard, collapsed, dead_clusters, new_centres, shares
from agri_data.errors import InputError

EVEN = np.array([0.25, 0.25, 0.25, 0.25])


def test_shares_count_empty_clusters_too():
    np.testing.assert_array_equal(shares(np.array([0, 0, 2, 2]), 4), [0.5, 0, 0.5, 0])


def test_dead_is_small_and_smaller_than_at_the_start():
    # dead below 0.1 / 4 = 0.025
    now = np.array([0.5, 0.46, 0.02, 0.02])
    assert dead_clusters(now, EVEN, Guard()).tolist() == [2, 3]
    assert dead_clusters(now, np.array([0.5, 0.44, 0.03, 0.05]), Guard()).tolist() == [3]
    assert dead_clusters(np.array([0.5, 0.5, 0, 0]), now, Guard()).tolist() == [2, 3]


def test_collapse_is_few_used_or_one_giant():
    assert collapsed(EVEN, EVEN, Guard()) == ""
    assert "1 of 4" in collapsed(np.array([1.0, 0, 0, 0]), EVEN, Guard())
    # limit max(0.5, (1 + 0.25) / 2) = 0.625
    assert collapsed(np.array([0.62, 0.2, 0.1, 0.08]), EVEN, Guard()) == ""
    assert "holds 63 %" in collapsed(np.array([0.63, 0.2, 0.1, 0.07]), EVEN, Guard()).replace(
        "%", " %"
    )


def test_an_uneven_start_is_no_collapse():
    start = np.array([0.9, 0.1])
    assert collapsed(np.array([0.94, 0.06]), start, Guard()) == ""
    assert collapsed(np.array([0.96, 0.04]), start, Guard()) != ""


def test_new_centres_come_from_the_rim():
    members = np.float32([[0, 0], [0, 0], [0, 0], [10, 0]])
    rng = np.random.default_rng(0)
    centres, rows = new_centres(1, members, np.float32([0, 0]), rng)
    # The only tile away from the centre, moved a hundredth of the way back: 10 - 0.1.
    assert rows.tolist() == [3]
    np.testing.assert_allclose(centres, [[9.9, 0]])


def test_new_centres_of_equal_members():
    centres, _ = new_centres(
        2, np.ones((5, 3), np.float32), np.ones(3, np.float32), np.random.default_rng(0)
    )
    assert np.isfinite(centres).all()


@pytest.mark.parametrize("wrong", [{"dead": -0.1}, {"giant": 1.1}, {"used": 2}, {"reseeds": -1}])
def test_settings_are_checked(wrong):
    with pytest.raises(InputError):
        Guard(**wrong)
