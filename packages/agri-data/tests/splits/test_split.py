"""Splits: exact quotas, whole units, no shared pixel, the same lists for the same seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from agri_core.files.errors import InputError
from agri_data.splits.balance import deal, quotas
from agri_data.splits.plan import SplitPlan
from agri_data.splits.split import assign, make_split
from agri_data.store.table import ChipRecord, make_table
from hypothesis import given, settings
from hypothesis import strategies as st

Grid = Callable[..., pd.DataFrame]


def labelled(count: int, classes: int = 3, groups: int = 0) -> pd.DataFrame:
    return make_table(
        ChipRecord(
            f"c{i}",
            f"f{i}.jpg",
            label=f"k{i % classes}",
            group=f"g{i * 7919 % groups}" if groups else "",
        )
        for i in range(count)
    )


def shared_pixels(table: pd.DataFrame, splits: pd.Series, size: int) -> int:
    """Count pixels of the scene that chips of two splits cover: a slow, independent painter."""
    edge = int(max(table["row"].max(), table["col"].max())) + size
    covered = {split: np.zeros((edge, edge), bool) for split in ("train", "val", "test")}
    for row, col, split in zip(table["row"], table["col"], splits, strict=True):
        if split:
            covered[split][row : row + size, col : col + size] = True
    return int((sum(c.astype(int) for c in covered.values()) > 1).sum())


def test_ten_percent_of_27000_is_2700() -> None:
    table = labelled(27_000, classes=10)
    counts = assign(table, "random", (0.9, 0.1, 0.0)).value_counts()
    assert counts.to_dict() == {"train": 24_300, "val": 2_700}


def test_a_random_split_is_exact_overall_and_within_each_class() -> None:
    table = labelled(1000, classes=7)
    splits = assign(table, "random", (0.7, 0.2, 0.1), seed=3)
    assert splits.value_counts().to_dict() == {"train": 700, "val": 200, "test": 100}
    share = pd.crosstab(splits, table["label"], normalize="index")
    overall = table["label"].value_counts(normalize=True)
    assert (share - overall).abs().to_numpy().max() < 0.02


@settings(max_examples=60, deadline=None)
@given(
    total=st.integers(1, 500),
    weights=st.lists(st.integers(0, 9), min_size=3, max_size=3).filter(any),
)
def test_quotas_are_within_one_and_complete(total: int, weights: list[int]) -> None:
    fractions = np.array(weights) / sum(weights)
    counts = quotas(total, fractions)
    assert counts.sum() == total
    assert (np.abs(counts - total * fractions) < 1).all()
    assert (counts[fractions == 0] == 0).all()


@settings(max_examples=60, deadline=None)
@given(
    strata=st.lists(st.integers(0, 6), min_size=3, max_size=200),
    seed=st.integers(0, 9),
)
def test_dealing_meets_the_quotas_for_any_classes(strata: list[int], seed: int) -> None:
    fractions = np.array([0.6, 0.25, 0.15])
    splits = deal(np.array(strata), fractions, np.random.default_rng(seed))
    assert np.bincount(splits, minlength=3).tolist() == quotas(len(strata), fractions).tolist()


@settings(max_examples=40, deadline=None)
@given(
    groups=st.integers(3, 40),
    count=st.integers(40, 200),
    seed=st.integers(0, 5),
    method=st.sampled_from(["group", "kfold"]),
)
def test_no_group_is_in_two_parts_and_every_chip_in_one(
    groups: int, count: int, seed: int, method: str
) -> None:
    table = labelled(count, groups=groups)
    splits = assign(table, method, seed=seed, folds=3)
    assert set(splits) == {"train", "val", "test"}
    assert (pd.Series(splits).groupby(table["group"]).nunique() == 1).all()


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    method=st.sampled_from(["random", "group", "block", "kfold"]),
    shuffle=st.integers(0, 1000),
)
def test_row_order_changes_nothing(seed: int, method: str, shuffle: int) -> None:
    records = [
        ChipRecord(f"c{i}", "a.tif", i // 8 * 16, i % 8 * 16, label=f"k{i % 3}", group=f"g{i // 5}")
        for i in range(64)
    ]
    table = make_table(records)
    mixed = table.sample(frac=1, random_state=shuffle)
    options: dict[str, Any] = {"seed": seed, "size": 16}
    first = assign(table, method, **options)
    second = assign(mixed, method, **options)
    pd.testing.assert_series_equal(first, second.reindex(first.index))


def test_another_seed_gives_other_lists() -> None:
    table = labelled(100)
    assert (assign(table, "random", seed=0) != assign(table, "random", seed=1)).any()


@pytest.mark.parametrize("crs", ["EPSG:32633", ""])
@pytest.mark.parametrize("method", ["block", "kfold"])
def test_overlapping_chips_of_two_parts_share_no_pixel(grid: Grid, method: str, crs: str) -> None:
    table = grid(24, size=32, stride=16, crs=crs)
    block = 1600.0 if crs else 160.0
    done = make_split(table, SplitPlan(method, seed=2, block=block), size=32)
    assert shared_pixels(table, done.splits, 32) == 0
    assert 0 < done.counts["dropped"] < len(table) / 2
    assert min(done.counts[split] for split in ("train", "val", "test")) > 0


def test_the_painter_sees_a_leak(grid: Grid) -> None:
    table = grid(8, size=32, stride=16)
    assert shared_pixels(table, assign(table, "random"), 32) > 0


def test_chips_that_only_touch_are_all_kept(grid: Grid) -> None:
    done = make_split(grid(16), SplitPlan("block", block=960.0), size=32)
    assert done.counts["dropped"] == 0
    assert done.side == 960.0


def test_a_buffer_keeps_parts_apart(grid: Grid) -> None:
    table = grid(16)
    splits = assign(table, "block", block=1600.0, buffer=320.0, size=32)
    kept = table[splits != ""].assign(split=splits)
    gaps = []
    for name, here in kept.groupby("split"):
        there = kept[kept["split"] != name]
        rows = np.abs(here["row"].to_numpy()[:, None] - there["row"].to_numpy()) - 32
        cols = np.abs(here["col"].to_numpy()[:, None] - there["col"].to_numpy()) - 32
        gaps.append(np.maximum(rows, cols).min())
    # 320 m are 32 pixels: one chip lies between any two splits.
    assert min(gaps) >= 32


def test_the_same_place_on_two_dates_is_in_one_part(grid: Grid) -> None:
    first = grid(10)
    second = first.assign(chip_id="late-" + first["chip_id"], source="b.tif")
    splits = assign(pd.concat([first, second], ignore_index=True), "block", size=32)
    assert splits[:100].tolist() == splits[100:].tolist()


def test_one_place_in_two_utm_zones_is_in_one_part() -> None:
    from rasterio.warp import transform

    lon = np.linspace(11.9, 12.1, 12)
    records = []
    for number, x in enumerate(lon):
        for zone in (32632, 32633):
            east, north = transform("EPSG:4326", f"EPSG:{zone}", [x], [45.0])
            place = f"10 0 {east[0] - 160} 0 -10 {north[0] + 160}"
            records.append(
                ChipRecord(f"{zone}-{number}", f"{zone}.tif", 0, 0, f"EPSG:{zone}", place)
            )
    table = make_table(records)
    # Chips are 1430 m apart and 320 m wide, so only the two views of one place overlap.
    splits = assign(table, "block", block=5000.0, size=32)
    by_place = splits.groupby(table["chip_id"].str.split("-").str[1])
    assert (by_place.agg(lambda p: len(set(p) - {""})) <= 1).all()


def test_degrees_are_turned_into_metres() -> None:
    # 0.01 degrees at 60 N: 1113 m up, 557 m across, so a 1113 m block holds 2 x 1 steps.
    records = [
        ChipRecord(
            f"c{i}-{j}", "a.tif", 0, 0, "EPSG:4326", f"1e-5 0 {10 + i / 100} 0 -1e-5 {60 + j / 100}"
        )
        for i in range(12)
        for j in range(6)
    ]
    done = make_split(make_table(records), SplitPlan("block", block=1113.2), size=8)
    assert done.units == pytest.approx(6 * 6, abs=8)


def test_class_shares_follow_where_groups_allow() -> None:
    rng = np.random.default_rng(0)
    table = labelled(3000, classes=5, groups=150)
    table["label"] = [f"k{rng.choice(5, p=[0.5, 0.2, 0.15, 0.1, 0.05])}" for _ in range(3000)]
    done = make_split(table, SplitPlan("group"), size=1)
    overall = table["label"].value_counts(normalize=True).sort_index().to_numpy()
    assert np.abs(done.shares - overall).max() < 0.02
    assert done.counts["train"] == pytest.approx(2100, abs=30)


def test_each_chip_is_in_test_once_over_all_folds() -> None:
    table = labelled(103, classes=4)
    tests = [assign(table, "kfold", folds=5, fold=fold) == "test" for fold in range(5)]
    assert (sum(t.astype(int) for t in tests) == 1).all()
    assert sorted(int(t.sum()) for t in tests) == [20, 20, 21, 21, 21]


def test_each_overlapping_chip_is_in_test_once_over_all_folds(grid: Grid) -> None:
    table = grid(16, size=32, stride=16)
    options: dict[str, Any] = {"method": "kfold", "folds": 4, "block": 960.0, "size": 32}
    tests = [assign(table, fold=fold, **options) == "test" for fold in range(4)]
    assert (sum(t.astype(int) for t in tests) == 1).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "spatial"}, "one of block, group, random, kfold"),
        ({"method": "random", "fractions": (0.7, 0.2, 0.2)}, "sum to 1.*1.1"),
        ({"method": "random", "fractions": (1.2, -0.1, -0.1)}, "from 0 to 1"),
        ({"method": "block"}, "no coordinates"),
        ({"method": "block", "block": 0.0}, "wider than 0"),
        ({"method": "random", "buffer": 10.0}, "buffer needs blocks"),
        ({"method": "random", "buffer": -1.0}, "0 or wider"),
        ({"method": "kfold", "folds": 1}, "2 to 100 folds, got 1"),
        ({"method": "kfold", "folds": 101}, "2 to 100 folds, got 101"),
        ({"method": "kfold", "fold": 5}, "from 0 to 4"),
    ],
)
def test_wrong_settings_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        assign(labelled(30), **options)


def test_groups_must_suffice_and_be_complete() -> None:
    with pytest.raises(InputError, match="3 splits need at least 3 groups, got 2"):
        assign(labelled(30, groups=2), "group")
    table = labelled(30, groups=5)
    table.loc[4, "group"] = ""
    with pytest.raises(InputError, match=r"1 of 30 have none \(first: c4\)"):
        assign(table, "group")
    with pytest.raises(InputError, match="no chip"):
        assign(labelled(0), "random")


@pytest.mark.parametrize("text", ["1 2 3", "a b c d e f"])
def test_a_garbled_transform_or_crs_is_named(grid: Grid, text: str) -> None:
    with pytest.raises(InputError, match="six numbers"):
        assign(grid(4).assign(transform=text), "block", size=32)
    with pytest.raises(InputError, match="EPSG:nowhere"):
        assign(grid(4, crs="EPSG:nowhere"), "block", size=32)
