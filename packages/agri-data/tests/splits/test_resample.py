"""The place of a chip: what confidence intervals resample as one."""

from __future__ import annotations

import numpy as np
from agri_data.splits.resample import Places, find_places
from agri_data.store.store import ChipStore, rewrite_table

BLANK = np.zeros((4, 10, 10, 1), np.uint16)


def test_counts_of_one_place_are_added_up():
    places = Places(np.array([7, 3, 7, 1]), "group")
    matrices = np.arange(12).reshape(3, 2, 2)
    # Chips 0 and 2 lie in place 7, chip 1 in place 3; places come in order.
    assert places.sum_by_place(np.array([0, 1, 2]), matrices).tolist() == [
        [[4, 5], [6, 7]],
        [[8, 10], [12, 14]],
    ]


def test_places_are_the_blocks_of_the_split(make_store):
    transforms = [f"10 0 {x} 0 -10 0" for x in (0, 100, 900, 1000)]
    store = make_store(BLANK, crs=["EPSG:32633"] * 4, transform=transforms, group=list("abcd"))
    record = {"method": "block", "unit": "block", "block": 1000.0}
    rewrite_table(store.path, store.table, split=record, stats=None)
    places = find_places(ChipStore.open(store.path))
    # Centres at 50, 150, 950 and 1050 m; the blocks stand above the groups.
    assert places.numbers.tolist() == [0, 0, 0, 1]
    assert places.kind == "block of 1000 m"


def test_else_places_are_groups(make_store):
    places = find_places(make_store(BLANK, group=["x", "y", "x", "y"]))
    assert (places.numbers.tolist(), places.kind) == ([0, 1, 0, 1], "group")


def test_else_places_are_ground(make_store):
    # Two chips of 100 m at the origin, two 10 km away: blocks are at least two chips wide.
    transforms = [f"10 0 {x} 0 -10 {100 + x}" for x in (0, 100, 10_000, 10_100)]
    places = find_places(make_store(BLANK, crs=["EPSG:32633"] * 4, transform=transforms))
    assert places.numbers.tolist() == [0, 0, 1, 1]
    assert places.kind == "block of 200 m"


def test_else_places_are_windows_of_a_few_sources(make_store):
    windows = {"source": ["a", "a", "b", "b"], "row": [0, 0, 0, 0], "col": [0, 10, 0, 10]}
    places = find_places(make_store(BLANK, **windows))
    assert places.numbers.tolist() == [0, 0, 1, 1]
    assert places.kind == "block of 20 pixels"


def test_a_chip_nothing_is_known_of_is_its_own_place(make_store):
    for source in (["a"] * 4, list("abcd")):
        places = find_places(make_store(BLANK, name=source[-1], source=source))
        assert places.numbers.tolist() == [0, 1, 2, 3]
        assert "nothing is known" in places.kind
