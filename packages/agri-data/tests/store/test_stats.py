"""Streamed statistics against numpy on the whole, and what counts as data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from agri_core.files.errors import InputError
from agri_data.store.stats import compute, constant_bands, measure, scale
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

DTYPES = ["uint8", "int16", "uint16", "float32", "float64", "int32"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_streaming_equals_numpy_on_everything(dtype: str) -> None:
    rng = np.random.default_rng(0)
    offsets = np.array([0, 5, 60])
    chips = (rng.gamma(2.0, 20.0, (37, 9, 9, 3)) + offsets).clip(0, 255).astype(dtype)
    if not dtype.startswith("u"):
        chips = (chips - chips.dtype.type(40)).astype(dtype)
    found = measure((chips[i : i + 5] for i in range(0, 37, 5)), ["a", "b", "c"], None)
    for index, band in enumerate("abc"):
        values = chips[..., index].astype(np.float64).ravel()
        item = found[band]
        assert item.mean == pytest.approx(values.mean(), rel=1e-12)
        assert item.std == pytest.approx(values.std(), rel=1e-12)
        assert (item.minimum, item.maximum) == (values.min(), values.max())
        expected = np.percentile(values, [2, 98])
        exact = dtype in ("uint8", "int16", "uint16")
        assert [item.p02, item.p98] == pytest.approx(
            expected, rel=1e-9 if exact else 0.01, abs=0.1 * (not exact)
        )
        assert item.count == values.size


@settings(max_examples=80, deadline=None)
@given(
    values=hnp.arrays(
        np.float64,
        st.integers(2, 60),
        elements=st.floats(-1e6, 1e6, allow_subnormal=False),
    ),
    cut=st.integers(1, 59),
)
def test_merging_in_any_place_gives_the_same(values: Any, cut: int) -> None:
    chips = values.reshape(-1, 1, 1, 1)
    parts = [part for part in (chips[:cut], chips[cut:]) if len(part)]
    item = measure(parts, ["a"], None)["a"]
    assert item.mean == pytest.approx(values.mean(), rel=1e-9, abs=1e-6)
    assert item.std == pytest.approx(values.std(), rel=1e-6, abs=1e-6)
    assert item.minimum <= item.p02 <= item.p98 <= item.maximum


def test_a_large_offset_does_not_eat_the_deviation() -> None:
    chips = 1e8 + np.tile([0.0, 1.0], 5000).reshape(-1, 1, 1, 1)
    assert measure([chips], ["a"], None)["a"].std == pytest.approx(0.5, rel=1e-6)


def test_pixels_without_data_are_left_out() -> None:
    # Two bands, three pixels: (0, 0) is no data, (0, 4) and (2, 8) are data.
    chips = np.array([[0, 0], [0, 4], [2, 8]], np.uint16).reshape(1, 1, 3, 2)
    found = measure([chips], ["a", "b"], 0.0)
    assert (found["a"].mean, found["a"].count) == (1.0, 2)
    assert (found["b"].mean, found["b"].count) == (6.0, 2)


def test_nan_and_infinity_are_left_out_per_band() -> None:
    chips = np.array([[1.0, np.nan], [3.0, 5.0], [np.inf, 7.0]], np.float32).reshape(1, 1, 3, 2)
    found = measure([chips], ["a", "b"], None)
    assert (found["a"].mean, found["a"].count) == (2.0, 2)
    assert (found["b"].mean, found["b"].count) == (6.0, 2)


def test_a_constant_band_is_reported_and_scales_to_zero() -> None:
    chips = np.full((2, 4, 4, 2), 7, np.uint8)
    chips[..., 1] = np.arange(16).reshape(4, 4)
    found = measure([chips], ["flat", "ramp"], None)
    assert constant_bands(found) == ["flat"]
    assert (7 - found["flat"].mean) / scale(found["flat"]) == 0.0
    assert scale(found["ramp"]) == found["ramp"].std


@pytest.mark.parametrize("dtype", ["float32", "uint16"])
def test_a_constant_band_has_no_rounding_deviation(dtype: str) -> None:
    chips = np.full((3, 5, 5, 1), 0.1 if dtype == "float32" else 7).astype(dtype)
    assert measure([chips, chips], ["a"], None)["a"].std == 0.0


def test_no_data_at_all_names_the_band() -> None:
    with pytest.raises(InputError, match=r"band b has no valid pixel"):
        chips = np.array([[1.0, np.nan]]).reshape(1, 1, 1, 2)
        measure([chips], ["a", "b"], None)
    with pytest.raises(InputError, match="at least one chip"):
        measure([], ["a"], None)


def test_a_store_is_measured_on_train_only(make_store: Callable[..., Any]) -> None:
    images = np.zeros((4, 2, 2, 1), np.uint16)
    images[:, :, :, 0] = np.array([10, 20, 1000, 2000])[:, None, None]
    store = make_store(images, split=["train", "train", "val", "test"])
    item = compute(store)["B02"]
    assert (item.mean, item.std, item.count) == (15.0, 5.0, 8)
    assert compute(store, np.array([2, 3]))["B02"].mean == 1500.0


def test_an_unsplit_store_has_nothing_to_measure(make_store: Callable[..., Any]) -> None:
    with pytest.raises(InputError, match="agri-data split"):
        compute(make_store(np.zeros((2, 2, 2, 1), np.uint8)))
