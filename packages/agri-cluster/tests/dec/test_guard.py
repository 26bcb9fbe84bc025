import numpy as np
import pytest
from agri_cluster.data.shares import perplexity, shares
from agri_cluster.dec.guard import (
    Guard,
    collapsed,
    dead_clusters,
    dying,
    new_centres,
)
from agri_core.files.errors import InputError

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


@pytest.mark.parametrize(
    "wrong", [{"dead": -0.1}, {"giant": 1.1}, {"used": 2}, {"lost": -1}, {"reseeds": -1}]
)
def test_settings_are_checked(wrong):
    with pytest.raises(InputError):
        Guard(**wrong)


def test_perplexity_by_hand():
    assert perplexity(EVEN) == pytest.approx(4)
    assert perplexity(np.array([1.0, 0, 0, 0])) == pytest.approx(1)
    # exp(-(1/2 ln 1/2 + 2 * 1/4 ln 1/4)) = 2^(1/2 + 1) = sqrt 8
    assert perplexity(np.array([0.5, 0.25, 0.25, 0])) == pytest.approx(np.sqrt(8))


def test_clusters_that_die_again():
    now = np.array([0.5, 0.3, 0.195, 0.005])  # 0.005 is below 0.1 / 4, and below half of 1/4
    assert dying(now, EVEN, Guard()) == "1 of 4 clusters are dead again after 3 reseedings"
    assert dying(now, EVEN, Guard(reseeds=0)) == "1 of 4 clusters are dead"
    assert dying(now, EVEN, Guard(lost=0.25)) == ""
    # What the start made small is not dead.
    assert dying(now, now, Guard()) == ""


@pytest.mark.parametrize("name", ["dead", "giant", "used", "lost"])
def test_a_share_may_be_all_or_nothing_and_no_more(name):
    assert getattr(Guard(**{name: 0}), name) == 0
    assert getattr(Guard(**{name: 1}), name) == 1
    with pytest.raises(InputError, match=f"guard {name} is a share from 0 to 1, got 1.5"):
        Guard(**{name: 1.5})


def test_negative_reseeds_are_named():
    with pytest.raises(InputError, match="guard reseeds is 0 or more, got -1"):
        Guard(reseeds=-1)


def test_limits_themselves_are_still_alive():
    # Limit of dead: 0.4 / 4 = 0.1. At 0.1 a cluster lives, at 0.09 it is dead.
    now = np.array([0.41, 0.4, 0.1, 0.09])
    found = dead_clusters(now, EVEN, Guard(dead=0.4))
    assert found.tolist() == [3] and found.dtype == np.int64
    # Half of its initial share, exactly, is not yet dead either.
    assert dead_clusters(now, np.array([0.41, 0.31, 0.1, 0.18]), Guard(dead=0.4)).tolist() == []
    # An empty cluster is dead whatever the limits are.
    assert dead_clusters(np.array([1.0, 0]), np.array([1.0, 0]), Guard(dead=0)).tolist() == [1]
    # Two of four in use are used x K, and 0.625 = (1 + 0.25) / 2 is the limit of a giant.
    assert collapsed(np.array([0.5, 0.5, 0, 0]), EVEN, Guard()) == ""
    assert collapsed(np.array([0.625, 0.125, 0.125, 0.125]), EVEN, Guard()) == ""


def test_new_centres_are_of_different_tiles_drawn_by_their_distance():
    # Two tiles lie off the centre, squared distances 0.25 and 0.16; the others have no weight.
    members = np.float32([[3, 3]] * 20 + [[3.5, 3], [3, 3.4]])
    for seed in range(20):
        centres, rows = new_centres(2, members, members[0], np.random.default_rng(seed))
        assert sorted(rows) == [20, 21]
        assert centres.dtype == np.float32 and rows.dtype == np.int64
    # Three are wanted: every tile gets 1 more, and still no tile is drawn twice.
    for seed in range(20):
        _, rows = new_centres(3, members, members[0], np.random.default_rng(seed))
        assert len(set(rows)) == 3
    # One of weight 1 + 9 beside twenty of weight 1: drawn first in a third of the cases.
    far = np.float32([[0, 0]] * 20 + [[3, 0]])
    hits = sum(
        20 in new_centres(2, far, far[0], np.random.default_rng(seed))[1] for seed in range(300)
    )
    # P = 1/3 + 2/3 * 10/29 = 0.563; six standard deviations of 300 draws are 0.17.
    assert hits / 300 == pytest.approx(0.563, abs=0.17)
