"""Planted leaks are found, each kind by its name; clean stores are clean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from agri_data.splits.duplicate_groups import duplicate_sets, keep_together
from agri_data.splits.leaks import Leak, find_leaks
from agri_data.splits.perceptual_hash import hashes, near, orient, spectra
from agri_data.splits.plan import SplitPlan
from agri_data.splits.split import make_split
from agri_data.store.store import ChipStore
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

MakeStore = Callable[..., ChipStore]


def textures(count: int, size: int = 48, seed: int = 0, bands: int = 3) -> NDArray[np.uint8]:
    """Unlike smooth textures, as uint8 pictures."""
    rng = np.random.default_rng(seed)
    chips = np.empty((count, size, size, bands), np.uint8)
    for i in range(count):
        noise = cv2.GaussianBlur(rng.standard_normal((size, size)), (0, 0), 2.5)
        grey = 120 + 40 * noise / noise.std()
        for band in range(bands):
            chips[i, ..., band] = np.clip(grey * (0.8 + 0.1 * band), 0, 255)
    return chips


def splits(count: int) -> list[str]:
    return [("train", "val", "test")[i % 3] for i in range(count)]


def found(store: ChipStore) -> list[tuple[str, str, str]]:
    return [(leak.kind, leak.chip_a, leak.chip_b) for leak in find_leaks(store)]


def test_unlike_chips_do_not_leak(make_store: MakeStore) -> None:
    assert find_leaks(make_store(textures(300), split=splits(300))) == []


def test_an_equal_chip_is_an_exact_leak_and_not_a_near_one_too(make_store: MakeStore) -> None:
    images = textures(30)
    images[10] = images[3]
    leaks = find_leaks(make_store(images, split=splits(30)))
    assert leaks == [Leak("exact", "c0003", "train", "c0010", "val", "their pixels are equal")]


def test_equal_chips_in_one_part_are_no_leak(make_store: MakeStore) -> None:
    images = textures(30)
    images[9] = images[3]
    assert find_leaks(make_store(images, split=splits(30))) == []


def test_chips_in_no_part_leak_nothing(make_store: MakeStore) -> None:
    images = textures(6)
    images[1] = images[0]
    split = ["train", "", "val", "test", "train", "val"]
    assert find_leaks(make_store(images, split=split)) == []


def jpeg(image: NDArray[np.uint8], quality: int = 85) -> NDArray[np.uint8]:
    coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


CHANGES: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    "jpeg": jpeg,
    "brighter": lambda a: np.clip(a * 1.1 + 8, 0, 255).astype(np.uint8),
    "noisy": lambda a: np.clip(a + np.random.default_rng(0).normal(0, 3, a.shape), 0, 255).astype(
        np.uint8
    ),
    "shifted": lambda a: np.roll(a, 1, axis=1),
    "mirrored": lambda a: a[:, ::-1],
    "turned": lambda a: np.rot90(a),
    "turned jpeg": lambda a: jpeg(np.ascontiguousarray(np.rot90(a, 3))),
}


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_a_changed_copy_is_a_near_leak(make_store: MakeStore, change: str) -> None:
    images = textures(60)
    images[31] = CHANGES[change](images[5])
    leaks = found(make_store(images, split=splits(60)))
    # 31 is in val and 5 in test; the earlier part is named first.
    assert leaks == [("near", "c0031", "c0005")]


def test_flat_chips_do_not_flood(make_store: MakeStore) -> None:
    rng = np.random.default_rng(0)
    sea = np.full((300, 32, 32, 3), (20, 40, 60), np.float64)
    sea += rng.normal(0, 1, (300, 1, 1, 3)) + rng.normal(0, 0.7, sea.shape)
    sea += np.linspace(0, 2, 32)[:, None] * rng.uniform(-1, 1, (300, 1, 1, 1))
    assert find_leaks(make_store(sea.round().astype(np.uint8), split=splits(300))) == []


def test_blank_chips_are_not_compared(make_store: MakeStore) -> None:
    assert find_leaks(make_store(np.zeros((600, 8, 8, 3), np.uint8), split=splits(600))) == []


def test_a_shared_scene_edge_is_no_look_alike(make_store: MakeStore) -> None:
    images = (120 + (textures(60).astype(float) - 120) / 8).astype(np.uint8)
    images[:, np.tri(48, dtype=bool)] = 0
    assert find_leaks(make_store(images, split=splits(60), nodata=0.0)) == []
    # Without a nodata value the black wedge is content, and the chips do look alike.
    assert find_leaks(make_store(images, split=splits(60), name="wedge")) != []


def test_windows_that_overlap_in_a_scene(make_store: MakeStore) -> None:
    # Windows of 48 pixels at columns 0, 47 and 96: the first two share one column.
    store = make_store(
        textures(3), split=["train", "val", "test"], source=["s"] * 3, col=[0, 47, 96]
    )
    assert found(store) == [("overlap", "c0000", "c0001")]


def test_two_scenes_over_one_ground(make_store: MakeStore) -> None:
    def place(east: int) -> str:
        return f"10 0 {east} 0 -10 5000000"

    store = make_store(
        textures(3),
        split=["train", "val", "test"],
        source=["may.tif", "june.tif", "june.tif"],
        col=[0, 0, 48],
        crs=["EPSG:32633"] * 3,
        transform=[place(500000), place(500010), place(500490)],
    )
    leaks = find_leaks(store)
    assert [(leak.kind, leak.chip_a, leak.chip_b) for leak in leaks] == [
        ("overlap", "c0000", "c0001")
    ]
    assert "may.tif and june.tif" in leaks[0].detail


def test_a_group_in_two_parts(make_store: MakeStore) -> None:
    split = ["train", "train", "val", "test", "val", "train"]
    store = make_store(textures(6), split=split, group=["a", "b", "a", "a", "", ""])
    assert found(store) == [("group", "c0000", "c0002"), ("group", "c0000", "c0003")]


@settings(max_examples=30, deadline=None)
@given(pose=st.integers(0, 7), seed=st.integers(0, 50))
def test_the_print_of_a_pose_follows_from_the_spectrum(pose: int, seed: int) -> None:
    grey = textures(1, size=32, seed=seed)[..., 0].astype(np.float32)
    turned = np.ascontiguousarray(orient(grey[0], pose))[None]
    difference = hashes(spectra(grey), pose) ^ hashes(spectra(turned))
    # A coefficient within rounding of zero may fall on either side.
    assert np.bitwise_count(difference).item() <= 1


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_bucket_search_equals_comparing_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    left = rng.integers(0, 2**64, 40, dtype=np.uint64)
    right = np.concatenate([left, rng.integers(0, 2**64, 20, dtype=np.uint64)])
    for i in range(40):
        for bit in rng.choice(64, rng.integers(0, 11), replace=False):
            right[i] ^= np.uint64(1) << np.uint64(bit)
    expected = np.argwhere(np.bitwise_count(left[:, None] ^ right[None, :]) <= 7)
    got: Any = np.column_stack(near(left, right))
    assert got.tolist() == expected.tolist()


def test_a_random_split_keeps_look_alikes_together(make_store: MakeStore) -> None:
    images = textures(60)
    images[31], images[44] = jpeg(images[5]), images[5]
    images[52] = images[20][:, ::-1]
    store = make_store(images)
    sets = duplicate_sets(store)
    assert sorted(np.bincount(sets))[-3:] == [1, 2, 3]
    assert len(set(sets[[5, 31, 44]])) == len(set(sets[[20, 52]])) == 1
    for seed in range(5):
        plan = SplitPlan("random", (0.5, 0.25, 0.25), seed=seed)
        done = make_split(store.table, plan, size=48, sets=sets)
        assert done.counts == {"train": 30, "val": 15, "test": 15, "dropped": 0}
        assert done.splits.iloc[[5, 31, 44]].nunique() == done.splits.iloc[[20, 52]].nunique() == 1
        assert done.to_dict([])["alike"] == 2


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_keeping_together_keeps_the_sizes(data: st.DataObject) -> None:
    splits = np.array(data.draw(st.lists(st.integers(0, 2), min_size=30, max_size=60)))
    strata = np.arange(len(splits)) % 3
    sets = np.arange(len(splits))
    members = data.draw(st.lists(st.sampled_from(range(30)), unique=True, max_size=4))
    sets[members] = 0
    sets[0] = 0
    kept = keep_together(splits, sets, strata, np.random.default_rng(0))
    assert len(set(kept[sets == 0])) == 1
    home = int(np.sum((splits == kept[0]) & (sets != 0)))
    if home >= 4:
        assert np.bincount(kept, minlength=3).tolist() == np.bincount(splits, minlength=3).tolist()
