"""Augmentation: image and mask move as one, classes stay classes, seeds decide."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agri_core.files.errors import InputError
from agri_data.augment.augment import Augment, augment, copies, draw_warp
from agri_data.augment.augmented_store import augmented_store
from agri_data.augment.photometric import PhotometricChange, apply_photometric
from agri_data.augment.warp import Warp, warp_image, warp_mask
from agri_data.splits.leaks import find_leaks
from agri_data.store.store import ChipStore
from hypothesis import given, settings
from hypothesis import strategies as st

POSES = [Warp(t, m, f) for t in (False, True) for m in (False, True) for f in (False, True)]
FULL = Augment(
    rotation=20, shift=0.2, scale=0.2, crop=0.2, shear=10,
    brightness=0.2, contrast=0.2, channel=0.2, noise=0.1,
)  # fmt: skip


def marker(size: int = 32, bands: int = 1) -> tuple[Any, Any]:
    """An image whose bright square off the middle is class 1 of the mask."""
    mask = np.zeros((size, size), np.uint8)
    mask[4:14, 16:28] = 1
    image = np.repeat(mask[..., None] * np.float32(100), bands, axis=2)
    return image, mask


@pytest.mark.parametrize("warp", POSES)
def test_a_pose_equals_its_matrix_and_loses_nothing(warp: Warp) -> None:
    import cv2

    image = np.arange(25, dtype=np.float32).reshape(5, 5, 1)
    moved = warp_image(image, warp)
    by_matrix = cv2.warpAffine(image, warp.matrix(5, 5), (5, 5), flags=cv2.INTER_LINEAR)
    assert moved[..., 0] == pytest.approx(by_matrix, abs=1e-4)
    assert sorted(moved.ravel()) == sorted(image.ravel())


def test_a_quarter_turn_is_counter_clockwise() -> None:
    image = np.zeros((9, 9, 1), np.float32)
    image[4, 8] = 1.0
    # East goes to north.
    assert warp_image(image, Warp(angle=90.0))[0, 4, 0] == pytest.approx(1.0, abs=1e-5)


def test_a_shift_moves_whole_pixels_and_leaves_ignore() -> None:
    mask = np.arange(16, dtype=np.uint8).reshape(4, 4)
    moved = warp_mask(mask, Warp(shift=(0.25, 0.5)))
    expected = np.full((4, 4), 255)
    expected[2:, 1:] = mask[:2, :3]
    assert moved.tolist() == expected.tolist()


def test_a_scale_enlarges_about_the_middle() -> None:
    image = np.zeros((9, 9, 1), np.float32)
    image[4, 4], image[4, 6] = 1.0, 2.0
    moved = warp_image(image, Warp(scale=2.0))
    assert moved[4, 4, 0] == pytest.approx(1.0, abs=1e-3)
    assert moved[4, 8, 0] == pytest.approx(2.0, abs=1e-3)


@pytest.mark.parametrize("bands", [1, 3, 4, 5, 7, 12, 13])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float32", "int32"])
def test_any_number_of_bands_moves_as_one(bands: int, dtype: str) -> None:
    rng = np.random.default_rng(1)
    image = rng.integers(0, 200, (24, 24, bands)).astype(dtype)
    warp = Warp(mirror=True, angle=17.0, scale=1.1, shift=(0.05, -0.1))
    moved = warp_image(image, warp)
    alone = np.concatenate([warp_image(image[..., b : b + 1], warp) for b in range(bands)], axis=2)
    assert moved.dtype == image.dtype
    # cv2 works to 1/32 of a pixel in some widths: 200 / 32 = 6 grey levels at the most.
    assert np.abs(moved.astype(float) - alone.astype(float)).max() <= 6


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_mask_moves_with_the_image(seed: int) -> None:
    image, mask = marker()
    config = Augment(rotation=45, shift=0.2, scale=0.2, crop=0.2, shear=10)
    moved, classes = augment(image, mask, np.random.default_rng(seed), config)
    assert classes is not None
    bright = moved[..., 0] > 50
    seen = classes != 255
    # They may part only along the edge of the square, by half a pixel.
    wrong = (bright != (classes == 1)) & seen
    assert wrong.sum() <= 0.06 * seen.sum() + 4
    assert set(np.unique(classes)) <= {0, 1, 255}


def test_the_marker_test_can_fail() -> None:
    image, mask = marker()
    moved = warp_image(image, Warp(angle=30.0))
    wrong = (moved[..., 0] > 50) != (mask == 1)
    assert wrong.sum() > 0.06 * mask.size + 4


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), bands=st.sampled_from([1, 3, 13]))
def test_one_seed_one_result_shape_and_type(seed: int, bands: int) -> None:
    image = np.random.default_rng(0).integers(0, 3000, (16, 16, bands)).astype(np.uint16)
    mask = np.random.default_rng(0).integers(0, 4, (16, 16)).astype(np.uint8)
    before = image.copy()
    first = augment(image, mask, np.random.default_rng(seed), FULL)
    second = augment(image, mask, np.random.default_rng(seed), FULL)
    assert first[0].tolist() == second[0].tolist()
    assert (first[0].shape, first[0].dtype) == (image.shape, image.dtype)
    assert first[1] is not None
    assert set(np.unique(first[1])) <= {0, 1, 2, 3, 255}
    assert (image == before).all()


def test_light_changes_the_image_only() -> None:
    image, mask = marker(bands=3)
    config = Augment(flip=False, quarter=False, brightness=0.3, channel=0.5, noise=0.1)
    moved, classes = augment(image, mask, np.random.default_rng(0), config)
    assert (moved != image).any()
    assert classes is not None
    assert classes.tolist() == mask.tolist()


def test_light_by_hand() -> None:
    # Band values 10 and 30: mean 20, deviation 10.
    image = np.array([[[10.0], [30.0]]], np.float32)
    valid = np.ones((1, 2), bool)
    rng = np.random.default_rng(0)
    assert apply_photometric(
        image, PhotometricChange(brightness=1.5), valid, rng
    ).ravel().tolist() == [15.0, 45.0]
    assert apply_photometric(
        image, PhotometricChange(contrast=0.5), valid, rng
    ).ravel().tolist() == [15.0, 25.0]
    assert apply_photometric(
        image, PhotometricChange(channel=(0.5,)), valid, rng
    ).ravel().tolist() == [15.0, 35.0]
    assert apply_photometric(
        image, PhotometricChange(lost=(0,), fill=7.0), valid, rng
    ).ravel().tolist() == [7.0, 7.0]
    bright = apply_photometric(
        image.astype(np.uint8), PhotometricChange(brightness=20.0), valid, rng
    )
    assert bright.ravel().tolist() == [200, 255]


def test_noise_has_the_asked_strength() -> None:
    image = np.tile(np.float32([0.0, 20.0]), 5000).reshape(100, 100, 1)
    noisy = apply_photometric(
        image, PhotometricChange(noise=0.3), np.ones((100, 100), bool), np.random.default_rng(0)
    )
    # Deviation of the band is 10, so the noise has deviation 3.
    assert (noisy - image).std() == pytest.approx(3.0, rel=0.03)


def test_whole_bands_are_lost_but_never_all() -> None:
    image = np.ones((4, 4, 6), np.float32)
    config = Augment(flip=False, quarter=False, dropout=0.9, fill=-1.0)
    rng = np.random.default_rng(0)
    for _ in range(50):
        moved, _ = augment(image, None, rng, config)
        per_band = moved.reshape(-1, 6)
        assert ((per_band == 1).all(axis=0) | (per_band == -1).all(axis=0)).all()
        assert (per_band == 1).any()


@pytest.mark.parametrize("nodata", [0.0, float("nan"), None])
def test_pixels_without_data_stay_so_and_do_not_bleed(nodata: float | None) -> None:
    image = np.full((32, 32, 2), 1000.0, np.float32)
    image[:, :10] = np.nan if nodata is None else nodata
    config = Augment(rotation=30, scale=0.2, brightness=0.1, nodata=nodata)
    for seed in range(20):
        moved, _ = augment(image, None, np.random.default_rng(seed), config)
        blank = np.isnan(moved) if nodata is None or np.isnan(nodata) else moved == nodata
        assert blank.any()
        assert (moved[~blank] > 850).all()


def test_system_defaults_change_nothing_when_idle() -> None:
    image, mask = marker()
    config = Augment(flip=False, quarter=False)
    assert config.idle
    assert not FULL.idle
    moved, classes = augment(image, mask, np.random.default_rng(3), config)
    assert moved.tolist() == image.tolist()
    assert classes is not None
    assert classes.tolist() == mask.tolist()


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_crop_stays_inside_the_chip(seed: int) -> None:
    config = Augment(flip=False, quarter=False, crop=0.5)
    warp = draw_warp(config, np.random.default_rng(seed))
    mask = np.zeros((64, 64), np.uint8)
    assert 1.0 <= warp.scale <= 2.0
    outside = (warp_mask(mask, warp) == 255).sum()
    # At most a line of half pixels on two sides.
    assert outside <= 2 * 64


def test_wrong_use_is_named() -> None:
    image, mask = marker()
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="rotation is between 0 and 180, got 200"):
        Augment(rotation=200)
    with pytest.raises(InputError, match="mask has shape"):
        augment(image, mask[:-1], rng, Augment())
    with pytest.raises(InputError, match="square chips, got 32 x 30"):
        augment(image[:, :30], None, rng, Augment())
    with pytest.raises(InputError, match=r"\(H, W, C\)"):
        augment(image[..., 0], None, rng, Augment())
    for count in (0, 1001):
        with pytest.raises(InputError, match=f"from 1 to 1000, got {count}"):
            copies(image, mask, count, rng, Augment())


def test_fifteen_copies() -> None:
    image, mask = marker()
    images, masks = copies(image, mask, 15, np.random.default_rng(0), FULL)
    assert images.shape == (15, 32, 32, 1)
    assert masks is not None
    assert masks.shape == (15, 32, 32)
    assert len({item.tobytes() for item in images}) == 15


def test_copies_stay_in_the_part_of_their_source(
    make_store: Callable[..., ChipStore], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(1, 3000, (6, 16, 16, 3)).astype(np.uint16)
    masks = rng.integers(0, 2, (6, 16, 16)).astype(np.uint8)
    split = ["train", "val", "train", "test", "", "train"]
    store = make_store(images, masks, split=split, group=[f"g{i}" for i in range(6)])
    augmented_store(store, tmp_path / "more", 15, FULL, seed=1)
    more = ChipStore.open(tmp_path / "more")
    table = more.table
    assert len(more) == 6 + 3 * 15
    origin = table["chip_id"].str.split("+").str[0]
    assert (table["split"].groupby(origin).nunique() == 1).all()
    assert (table["group"].groupby(origin).nunique() == 1).all()
    assert (origin.value_counts()[["c0000", "c0002", "c0005"]] == 16).all()
    assert more.info.split == {
        "augmented": {"copies": 15, "seed": 1, "parts": ["train"], "originals": True}
    }
    assert find_leaks(more) == []


def test_a_copy_depends_on_its_chip_alone(
    make_store: Callable[..., ChipStore], tmp_path: Path
) -> None:
    images = np.random.default_rng(0).integers(1, 3000, (3, 16, 16, 3)).astype(np.uint16)
    names = ["a", "b", "c"]
    first = make_store(images, split=["train"] * 3, chip_id=names, name="one")
    second = make_store(images[::-1], split=["train"] * 3, chip_id=names[::-1], name="two")
    for store, out in ((first, "more-one"), (second, "more-two")):
        augmented_store(store, tmp_path / out, 2, FULL, originals=False)
    one, two = ChipStore.open(tmp_path / "more-one"), ChipStore.open(tmp_path / "more-two")
    assert list(one.table["chip_id"]) == ["a+1", "a+2", "b+1", "b+2", "c+1", "c+2"]
    for chip in one.table["chip_id"]:
        i, j = (int(np.flatnonzero(s.table["chip_id"] == chip)[0]) for s in (one, two))
        assert (one.image(i) == two.image(j)).all()


def test_copies_before_a_split_are_refused(
    make_store: Callable[..., ChipStore], tmp_path: Path
) -> None:
    store = make_store(np.ones((2, 8, 8, 1), np.uint8))
    with pytest.raises(InputError, match="split it first"):
        augmented_store(store, tmp_path / "more", 2, Augment())
    with pytest.raises(InputError, match="the store itself"):
        augmented_store(store, store.path, 2, Augment())
