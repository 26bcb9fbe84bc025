"""Resampling coarser: means over larger pixels, any bands and types, no data never bleeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from agri_core.files.errors import InputError
from agri_data.augment.augment import Augment, augment
from agri_data.augment.downscale import Downscale, downscale, draw_downscale
from hypothesis import given, settings
from hypothesis import strategies as st

STILL = Augment(flip=False, quarter=False, downscale=1.0)


def grain(size: int = 16, bands: int = 3, dtype: str = "uint8") -> Any:
    return np.random.default_rng(0).integers(0, 200, (size, size, bands)).astype(dtype)


def test_a_half_by_hand() -> None:
    image = np.array([[0, 2, 20, 22], [4, 6, 24, 26]], np.float32)[..., None]
    # Two pixels of 2 x 2: means 3 and 23, whose middles lie at columns 0.5 and 2.5. Columns 0 and 3
    # lie outside them and take the nearer one, 1 is a quarter of the way to the other, 2 three.
    raised = downscale(image, Downscale(0.5, cubic=False))
    assert raised[..., 0].tolist() == [[3, 8, 18, 23], [3, 8, 18, 23]]


def test_the_whole_side_changes_nothing() -> None:
    assert np.array_equal(downscale(grain(), Downscale(1.0, cubic=True)), grain())


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32"])
@pytest.mark.parametrize("bands", [1, 3, 4, 5, 13])
def test_bands_are_resampled_one_by_one(bands: int, dtype: str) -> None:
    image = grain(bands=bands, dtype=dtype)
    way = Downscale(0.7, cubic=True)
    moved = downscale(image, way)
    alone = [downscale(image[..., b : b + 1], way) for b in range(bands)]
    assert (moved.shape, moved.dtype) == (image.shape, image.dtype)
    assert np.allclose(moved, np.concatenate(alone, axis=2), atol=1e-3)


@settings(max_examples=40, deadline=None)
@given(share=st.floats(0.3, 1.0), cubic=st.booleans(), level=st.integers(0, 255))
def test_an_even_picture_stays_so(share: float, cubic: bool, level: int) -> None:
    image = np.full((12, 20, 3), level, np.uint8)
    assert np.array_equal(downscale(image, Downscale(share, cubic)), image)


def test_fewer_pixels_hold_less_texture() -> None:
    left = [downscale(grain(64), Downscale(share, False)).std() for share in (0.9, 0.7, 0.5)]
    assert grain(64).std() > left[0] > left[1] > left[2]


def test_values_stay_in_the_range_of_their_type() -> None:
    # Cubic interpolation overshoots beside an edge; 255 + something must not become 0.
    image = np.zeros((32, 32, 1), np.uint8)
    image[:, 16:] = 255
    moved = downscale(image, Downscale(0.6, cubic=True))
    assert moved[:, 24:].min() > 200
    assert moved[:, :8].max() < 50


def test_draws_go_from_a_half_to_the_whole() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_downscale(rng) for _ in range(2000)]
    shares = [item.share for item in drawn]
    assert 0.5 <= min(shares) < 0.51
    assert 0.99 < max(shares) <= 1
    # 2000 even coins: deviation 22.
    assert 900 < sum(item.cubic for item in drawn) < 1100


def test_the_mask_is_left_alone_and_one_seed_gives_one_result() -> None:
    image, mask = grain(64), np.random.default_rng(0).integers(0, 3, (64, 64)).astype(np.uint8)
    first, classes = augment(image, mask, np.random.default_rng(3), STILL)
    second, _ = augment(image, mask, np.random.default_rng(3), STILL)
    assert np.array_equal(first, second)
    assert (first != image).any()
    assert classes is not None
    assert np.array_equal(classes, mask)


@pytest.mark.parametrize("nodata", [0.0, float("nan"), None])
def test_pixels_without_data_stay_so_and_do_not_bleed(nodata: float | None) -> None:
    image = np.full((32, 32, 2), 1000.0, np.float32)
    image[:, :10] = np.nan if nodata is None else nodata
    config = Augment(flip=False, quarter=False, downscale=1.0, nodata=nodata)
    for seed in range(20):
        moved, _ = augment(image, None, np.random.default_rng(seed), config)
        blank = np.isnan(moved) if nodata is None or np.isnan(nodata) else moved == nodata
        assert blank[:, :10].all()
        assert not blank[:, 16:].any()
        assert moved[~blank] == pytest.approx(1000.0)


def test_wrong_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="above 0 and at most 1, got 0"):
        Downscale(0, cubic=False)
    with pytest.raises(InputError, match=r"downscale is between 0 and 1, got 2"):
        Augment(downscale=2)
