"""Which tiles are chosen: of which clusters, how many, in which order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from agri_cluster.data.tiles import ArrayTiles
from agri_cluster.selection import choice
from agri_cluster.selection.choice import SelectionRequest, choose_tiles, quotas
from agri_core.files.errors import InputError
from hypothesis import given
from hypothesis import strategies as st

# Two clusters on a line; distance is to the centres 2 and 12, margin is least between them.
LABELS = np.array([0, 1, 0, 0, 1, 1, 0])
PLACES = np.array([2.0, 12.0, 0.0, 3.0, 9.0, 14.0, 6.0])
TABLE = pd.DataFrame(
    {
        "chip_id": list("abcdefg"),
        "distance": [0.0, 0.0, 2.0, 1.0, 3.0, 2.0, 4.0],
        "margin": [0.9, 0.9, 0.95, 0.8, 0.2, 0.97, 0.1],
        "confidence": [0.95, 0.95, 0.97, 0.9, 0.6, 0.98, 0.55],
    }
)


def choose(kept=(0, 1), table=TABLE, labels=LABELS, points=PLACES, **asked):
    tiles = ArrayTiles(np.asarray(points)[:, None])
    rng = np.random.default_rng(0)
    found = choose_tiles(table, labels, tiles, kept, SelectionRequest(**asked), rng)
    return "".join(table["chip_id"].to_numpy()[found.rows]), found.ranks.tolist()


def test_clusters_take_turns_from_the_nearest_on():
    # Of 0 by distance: a d c g; of 1: b f e.
    assert choose(count=5, how="nearest") == ("abdfc", [1, 1, 2, 2, 3])
    assert choose(count=99, how="nearest") == ("abdfceg", [1, 1, 2, 2, 3, 3, 4])


def test_the_boundary_is_where_the_margin_is_least():
    # Of 0 by margin: g d a c; of 1: e b f.
    assert choose(count=4, how="boundary") == ("gedb", [1, 1, 2, 2])


def test_diverse_tiles_are_far_from_those_before():
    # Of 0 the mean is 2.75: d (3) is nearest; then c and g are both 3 away, c comes first; then g
    # (3 from d), then a. Of 1 the mean is 11.67: b (12), then e (3 away), then f.
    assert choose(count=None, how="diverse") == ("dbcegfa", [1, 1, 2, 2, 3, 3, 4])


def test_only_of_the_clusters_kept_and_sure_enough():
    assert choose(kept=[1], count=9, how="nearest") == ("bfe", [1, 2, 3])
    assert choose(count=9, how="nearest", confidence=0.9) == ("abdfc", [1, 1, 2, 2, 3])
    with pytest.raises(InputError, match=r"has a confidence of 0\.99; the highest is 0\.98"):
        choose(count=9, confidence=0.99)


def test_at_most_so_many_of_a_cluster():
    assert choose(count=None, each=1, how="nearest") == ("ab", [1, 1])
    assert choose(count=3, each=2, how="nearest") == ("abd", [1, 1, 2])


def test_a_very_large_cluster_is_sampled_with_the_seed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(choice, "LIMIT", 3)
    first = choose(count=None, each=2)
    assert first == choose(count=None, each=2)
    assert len(first[0]) == 4
    # More than the limit may be asked for.
    assert len(choose(count=None)[0]) == 7


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"count": 0}, "--count is a number of tiles from 1, got 0"),
        ({"count": 1, "each": -1}, "--each"),
        ({"count": 1, "how": "divers"}, "--how is one of nearest, diverse, boundary, got 'divers'"),
        ({"count": 1, "confidence": 1.5}, "--confidence is from 0 to 1, got 1.5"),
        ({"count": 1, "confidence": float("nan")}, "--confidence"),
    ],
)
def test_requests_that_choose_nothing_are_refused(asked, words):
    with pytest.raises(InputError, match=words):
        SelectionRequest(**asked)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=9),
       st.one_of(st.none(), st.integers(1, 120)),
       st.one_of(st.none(), st.integers(1, 12)))  # fmt: skip
def test_quotas_are_what_turns_one_by_one_give(sizes, count, each):
    left = [min(size, 10**6 if each is None else each) for size in sizes]
    given_, room = [0] * len(left), 10**6 if count is None else count
    while room and given_ != left:
        for place, size in enumerate(left):
            if room and given_[place] < size:
                given_[place] += 1
                room -= 1
    assert quotas(sizes, SelectionRequest(count, each)) == given_
