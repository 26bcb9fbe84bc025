"""Which pixels hold data: literal arrays, and every way in which a file can mask."""

import warnings

import numpy as np
import pytest
import rasterio
from agri_core.raster.validity import (
    Masking,
    alpha_number,
    chip_validity,
    holds,
    masking_of,
    settle_nodata,
    valid_pixels,
)
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

RGBN = np.full((4, 3, 3), 100, np.uint8)
RGBN[3, 0] = 0
MASK = np.ones((3, 3), np.bool_)
MASK[1, 2] = False
RGB = ("B04", "B03", "B02")


def test_every_band_must_hold_data() -> None:
    image = np.array([[[0, 1], [2, 3], [0, 0]]], np.uint16)
    assert valid_pixels(image, 0).tolist() == [[False, True, False]]
    assert valid_pixels(image, None).all()
    floats = np.array([[[np.nan, 1], [2, np.inf], [1, 1]]], np.float32)
    assert valid_pixels(floats, None).tolist() == [[False, False, True]]
    assert valid_pixels(floats, 1).tolist() == [[False, False, False]]


def test_a_chip_pixel_without_data_has_none_in_any_band() -> None:
    # A store holds no data in all bands of such a pixel; a dropped or dark band is a value.
    chips = np.array([[[0, 1], [2, 3], [0, 0]]], np.uint16)
    assert chip_validity(chips, 0).tolist() == [[True, True, False]]
    floats = np.array([[[np.nan, 1], [np.nan, np.nan]]], np.float32)
    assert chip_validity(floats, None).tolist() == [[True, False]]


@given(
    hnp.arrays(np.int16, (2, 3, 2), elements=st.integers(-2, 2)), st.sampled_from([None, 0.0, -1.0])
)
def test_both_rules_agree_on_cleaned_chips(image, nodata) -> None:
    valid = valid_pixels(image, nodata)
    cleaned = image.copy()
    cleaned[~valid] = 0 if nodata is None else nodata
    assert np.array_equal(chip_validity(cleaned, nodata), valid)
    assert np.array_equal(valid_pixels(cleaned, nodata), valid)


@pytest.mark.parametrize("nodata", [-9999.0, 0.5, float("nan"), None])
def test_a_value_that_the_type_cannot_hold_marks_nothing(nodata: float | None) -> None:
    zeros = np.zeros((2, 2, 3), np.uint16)
    assert valid_pixels(zeros, nodata).all() and chip_validity(zeros, nodata).all()


def test_what_types_hold() -> None:
    assert [holds(np.dtype(kind), -1.0) for kind in ("uint8", "int8", "float32")] == [0, 1, 1]
    assert not holds(np.dtype("float32"), 1e300) and holds(np.dtype("float64"), 1e300)
    # The lowest float32, as GDAL writes it in decimals.
    lowest = np.array([[[np.finfo(np.float32).min, 1]]], np.float32)
    assert not valid_pixels(lowest, -3.4028235e38).any()


def test_near_infrared_that_is_marked_as_alpha_is_a_band(write) -> None:
    path = write(RGBN, photometric="rgb", alpha="yes")
    with rasterio.open(path) as dataset:
        assert alpha_number(dataset, (*RGB, "B08")) is None
        assert masking_of(dataset, (*RGB, "B08")).read(dataset) is None
        assert alpha_number(dataset, RGB) == 4
        assert alpha_number(dataset, (*RGB, "Alpha")) == 4
        assert alpha_number(dataset, ("B04",)) is None  # a wrong number of names
        assert alpha_number(dataset) == 4  # nobody calls it a band
        assert np.array_equal(masking_of(dataset, RGB).read(dataset), RGBN[3] > 0)


@pytest.mark.parametrize(("last", "alpha"), [("B08", None), ("alpha", 4), ("", 4)])
def test_the_file_may_call_it_a_band_itself(write, last: str, alpha: int | None) -> None:
    path = write(RGBN, names=(*RGB, last), photometric="rgb", alpha="yes")
    with rasterio.open(path) as dataset:
        assert alpha_number(dataset) == alpha


def test_a_fifth_band_may_be_alpha_too(write) -> None:
    five = np.concatenate([RGBN, RGBN[3:]]).astype(np.uint16)
    path = write(five, photometric="minisblack", alpha="yes")
    with rasterio.open(path, "r+") as sink:
        sink.colorinterp = [*sink.colorinterp[:4], rasterio.enums.ColorInterp.alpha]
    with rasterio.open(path) as dataset:
        assert masking_of(dataset, (*RGB, "B08")) == Masking(5)
        assert masking_of(dataset, (*RGB, "B08", "B11")) == Masking()


def test_alpha_of_a_window_and_of_a_thinned_read(write) -> None:
    # Grey and alpha: half transparent pixels, 1 of 255, hold data.
    values = np.full((2, 4, 4), 9, np.uint8)
    values[1] = [[255, 255, 0, 0], [255, 255, 0, 0], [1, 1, 255, 255], [1, 1, 255, 0]]
    with rasterio.open(write(values, alpha="yes")) as dataset:
        masking = masking_of(dataset)
        assert masking == Masking(2)
        window = rasterio.windows.Window(2, 1, 2, 2)
        assert masking.read(dataset, window).tolist() == [[False, False], [True, True]]
        # Nearest: one pixel of each two by two.
        assert masking.read(dataset, shape=(2, 2)).tolist() == [[True, False], [True, False]]


def test_a_mask_is_read_thinned_and_any_value_but_zero_is_valid(write) -> None:
    path = write(np.ones((1, 4, 4), np.uint8))
    write(np.array([[[0, 0, 1, 1]] * 2 + [[2, 2, 0, 0]] * 2], np.uint8), "a.tif.msk")
    with rasterio.open(f"{path}.msk", "r+") as sink:
        sink.update_tags(INTERNAL_MASK_FLAGS_1="2")
    with rasterio.open(path) as dataset:
        masking = masking_of(dataset)
        assert masking.masks == (1,)
        assert masking.read(dataset, shape=(2, 2)).tolist() == [[False, True], [True, False]]


def test_a_chip_pixel_with_data_in_an_earlier_band_only_holds_data() -> None:
    assert chip_validity(np.array([[[3, 0], [0, 3]]], np.uint16), 0).all()


def test_the_ends_of_a_type_are_values_of_it() -> None:
    assert holds(np.dtype("uint8"), 255) and not holds(np.dtype("uint8"), 256)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not holds(np.dtype("float32"), 1e300)


def test_no_mark_no_alpha(write) -> None:
    with rasterio.open(write(RGBN, photometric="minisblack")) as dataset:
        assert not masking_of(dataset, RGB)


@pytest.mark.parametrize("beside", [False, True])
def test_masks_inside_and_in_a_file_of_their_own(write, beside: bool) -> None:
    path = write(RGBN[:3], mask=MASK, beside=beside)
    assert path.with_name("a.tif.msk").exists() == beside
    with rasterio.open(path) as dataset:
        masking = masking_of(dataset)
        assert masking == Masking(None, (1,)) and masking
        assert np.array_equal(masking.read(dataset), MASK)
        window = rasterio.windows.Window(1, 1, 2, 1)
        assert masking.read(dataset, window).tolist() == [[True, False]]


def test_a_mask_and_an_alpha_band_both_count(write) -> None:
    path = write(RGBN, mask=MASK, photometric="rgb", alpha="yes")
    with rasterio.open(path) as dataset:
        assert np.array_equal(masking_of(dataset, RGB).read(dataset), MASK & (RGBN[3] > 0))
        assert np.array_equal(masking_of(dataset, (*RGB, "B08")).read(dataset), MASK)


def test_a_mask_for_each_band(write) -> None:
    path = write(RGBN[:2])
    masks = np.full((2, 3, 3), 255, np.uint8)
    masks[0, 0, 0] = masks[1, 2, 2] = 0
    write(masks, "a.tif.msk")
    with rasterio.open(f"{path}.msk", "r+") as sink:
        sink.update_tags(INTERNAL_MASK_FLAGS_1="0", INTERNAL_MASK_FLAGS_2="0")
    with rasterio.open(path) as dataset:
        masking = masking_of(dataset)
        assert masking.masks == (1, 2)
        assert np.array_equal(masking.read(dataset), masks.all(0))


def test_a_declared_value_is_no_mask(write) -> None:
    with rasterio.open(write(RGBN, nodata=0, photometric="minisblack")) as dataset:
        assert not masking_of(dataset)


def test_what_the_user_says_wins(capsys) -> None:
    assert settle_nodata(None, 0.0, "a.tif") == 0.0
    assert settle_nodata(0.0, None, "a.tif") == 0.0
    assert settle_nodata(0.0, 0.0, "a.tif") == 0.0
    assert np.isnan(settle_nodata(float("nan"), float("nan"), "a.tif"))
    assert capsys.readouterr().err == ""
    assert settle_nodata(-1.0, 0.0, "a.tif") == -1.0
    assert "a.tif declares 0 as its no-data value; -1 is used" in capsys.readouterr().err
