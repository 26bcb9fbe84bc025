"""Saving again as JPEG: as Pillow does it, only for pictures, and no seed moves without it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from agri_core.files.errors import InputError
from agri_data.augment.augment import Augment, augment, draw_photometric, draw_warp
from agri_data.augment.jpeg import Jpeg, draw_jpeg, save_again
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

STILL = Augment(flip=False, quarter=False, jpeg=1.0)


def picture(size: int = 32) -> Any:
    """A dark picture with grain: what a forest looks like."""
    rng = np.random.default_rng(0)
    return np.clip(rng.normal((40, 60, 50), 6, (size, size, 3)), 0, 255).astype(np.uint8)


@settings(max_examples=40, deadline=None)
@given(quality=st.integers(1, 100), halved=st.booleans())
def test_it_is_what_pillow_would_save(quality: int, halved: bool) -> None:
    file = io.BytesIO()
    sampling = "4:2:0" if halved else "4:4:4"
    Image.fromarray(picture()).save(file, "JPEG", quality=quality, subsampling=sampling)
    assert np.array_equal(save_again(picture(), Jpeg(quality, halved)), np.array(Image.open(file)))


def test_a_lower_quality_is_further_from_the_picture() -> None:
    saved = [save_again(picture(), Jpeg(quality, False)) for quality in (100, 75, 50, 10)]
    away = [np.abs(item.astype(int) - picture()).mean() for item in saved]
    assert away == sorted(away)
    # At 100 every step is 1, so only rounding is lost; the grain has a deviation of 6.
    assert away[0] < 0.5
    assert away[-1] > 3


def test_halved_colour_blurs_colour_and_keeps_grey() -> None:
    # Columns red and green in turn: half the width cannot hold them.
    stripes = np.zeros((16, 16, 3), np.uint8)
    stripes[:, 0::2, 0] = stripes[:, 1::2, 1] = 120
    whole, halved = (save_again(stripes, Jpeg(100, h)).astype(int) for h in (False, True))
    assert abs(whole - stripes).max() <= 3
    assert abs(halved - stripes).max() > 30


def test_draws_cover_every_quality_from_50_to_100_and_both_samplings() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_jpeg(rng) for _ in range(2000)]
    assert {item.quality for item in drawn} == set(range(50, 101))
    # 2000 even coins: deviation 22, so 900..1100 is within 4.5 deviations.
    assert 900 < sum(item.halved for item in drawn) < 1100


def test_the_chance_is_the_share_of_changed_copies() -> None:
    config = Augment(flip=False, quarter=False, jpeg=0.25)
    rng = np.random.default_rng(0)
    changed = sum((augment(picture(), None, rng, config)[0] != picture()).any() for _ in range(400))
    # 400 coins of 0.25: mean 100, deviation 8.7; of those saved at 99 or 100 some do not change.
    assert 65 < changed < 135


def test_other_draws_stay_what_they_were_without_it() -> None:
    config = Augment(brightness=0.2, channel=0.2, noise=0.1)
    with_jpeg = Augment(brightness=0.2, channel=0.2, noise=0.1, jpeg=1.0)
    for seed in range(5):
        first, second = np.random.default_rng(seed), np.random.default_rng(seed)
        assert draw_warp(config, first) == draw_warp(with_jpeg, second)
        assert draw_photometric(config, 3, first) == draw_photometric(with_jpeg, 3, second)
    rng = np.random.default_rng(0)
    augment(picture(), None, rng, Augment())
    plain = np.random.default_rng(0)
    draw_warp(Augment(), plain)
    draw_photometric(Augment(), 3, plain)
    assert rng.random() == plain.random()


def test_one_seed_one_result_and_the_mask_is_left_alone() -> None:
    mask = np.random.default_rng(0).integers(0, 3, (32, 32)).astype(np.uint8)
    first, classes = augment(picture(), mask, np.random.default_rng(7), STILL)
    second, _ = augment(picture(), mask, np.random.default_rng(7), STILL)
    assert (first.shape, first.dtype) == ((32, 32, 3), np.uint8)
    assert np.array_equal(first, second)
    assert (first != picture()).any()
    assert classes is not None
    assert np.array_equal(classes, mask)


def test_pixels_without_data_stay_so() -> None:
    image = picture()
    image[:, :10] = 0
    config = Augment(flip=False, quarter=False, jpeg=1.0, nodata=0.0)
    for seed in range(10):
        saved, _ = augment(image, None, np.random.default_rng(seed), config)
        assert not saved[:, :10].any()


@pytest.mark.parametrize(
    ("image", "found"),
    [
        (np.zeros((8, 8, 3), np.uint16), r"uint16 \(8, 8, 3\)"),
        (np.zeros((8, 8, 4), np.uint8), r"uint8 \(8, 8, 4\)"),
        (np.zeros((8, 8, 3), np.float32), r"float32 \(8, 8, 3\)"),
    ],
)
def test_what_jpeg_cannot_hold_is_refused(image: Any, found: str) -> None:
    with pytest.raises(InputError, match=f"can be saved as JPEG, got {found}; use jpeg=0"):
        augment(image, None, np.random.default_rng(0), STILL)


def test_wrong_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="quality is between 1 and 100, got 0"):
        Jpeg(0, halved=False)
    with pytest.raises(InputError, match=r"jpeg is between 0 and 1, got 1\.5"):
        Augment(jpeg=1.5)
