"""Spectral indices by hand."""

from __future__ import annotations

import numpy as np
import pytest
from agri_core import indices
from agri_core.bands import make_bands
from agri_core.files.errors import InputError, MissingError

NAMES = ["B02", "B03", "B04", "B05", "B08", "B11", "B12"]
# One pixel of reflectance in that order.
PIXEL = np.array([0.05, 0.08, 0.04, 0.12, 0.40, 0.20, 0.10])

BY_HAND = {
    "ndvi": (0.40 - 0.04) / 0.44,
    "ndwi": (0.08 - 0.40) / 0.48,
    "ndbi": (0.20 - 0.40) / 0.60,
    "nbr": (0.40 - 0.10) / 0.50,
    "ndre": (0.40 - 0.12) / 0.52,
    # 2.5 * 0.36 / (0.40 + 0.24 - 0.375 + 1)
    "evi": 0.9 / 1.265,
    # 1.5 * 0.36 / (0.44 + 0.5)
    "savi": 0.54 / 0.94,
}


@pytest.mark.parametrize("name", sorted(BY_HAND))
@pytest.mark.parametrize("order", [1, -1])
def test_values_by_hand_in_any_band_order(name: str, order: int) -> None:
    bands = make_bands(NAMES[::order], "reflectance")
    image = np.broadcast_to(PIXEL[::order], (3, 2, 7))
    found = indices.compute(name, image, bands)
    assert found.shape == (3, 2)
    assert found == pytest.approx(BY_HAND[name])


@pytest.mark.parametrize("name", sorted(BY_HAND))
def test_digital_numbers_give_the_same(name: str) -> None:
    image = np.round(PIXEL * 10_000).astype(np.uint16)[None, None]
    found = indices.compute(name.upper(), image, make_bands(NAMES, "dn"))
    assert found.item() == pytest.approx(BY_HAND[name])


def test_unsigned_bands_do_not_wrap() -> None:
    assert indices.ndvi(np.uint8([10]), np.uint8([30])).item() == -0.5


def test_zero_over_zero_is_nan_and_raises_no_warning() -> None:
    with np.errstate(all="raise"):
        found = indices.ndvi(np.array([0, 5]), np.array([0, 5]))
    assert np.isnan(found[0])
    assert found[1] == 0.0


@pytest.mark.parametrize("name", ["evi", "savi"])
def test_a_picture_has_no_reflectance(name: str) -> None:
    with pytest.raises(InputError, match=r"needs reflectance.*uint8"):
        indices.compute(name, np.zeros((1, 1, 7), np.uint8), make_bands(NAMES, "uint8"))


def test_ratios_broadcast_and_whole_numbers_are_computed_as_real_ones() -> None:
    # Two rows of near infrared against one row of red: (3 - 1) / 4 and (7 - 1) / 8.
    assert indices.ndvi(np.array([[3], [7]]), np.array([1])).tolist() == [[0.5], [0.75]]
    assert indices.ndvi(np.array([3]), np.array([[1], [5]])).tolist() == [[0.5], [-0.25]]
    ones = np.ones((1, 1, 7), np.float32)
    assert indices.compute("ndvi", ones, make_bands(NAMES, "dn")).dtype == np.float64


def test_wrong_names_are_told_with_those_there_are() -> None:
    bands = make_bands(NAMES, "uint8")
    pixel = np.zeros((1, 1, 7), np.uint8)
    with pytest.raises(InputError) as caught:
        indices.compute("savi", pixel, bands)
    assert str(caught.value) == (
        "SAVI needs reflectance, but band B08 is a uint8 picture whose scale to reflectance is "
        "unknown; use NDVI, or imagery in dn or reflectance"
    )
    with pytest.raises(InputError, match="there are ndvi, "):
        indices.compute("ndxx", pixel, bands)
    with pytest.raises(InputError, match=r"called \['infrared'\]; there are (\w+, )+\w+$"):
        indices.compute("ndvi", pixel, bands, {"infrared": "B03"})


def test_a_ratio_of_a_picture_is_allowed() -> None:
    image = np.full((1, 1, 7), 9, np.uint8)
    assert indices.compute("ndvi", image, make_bands(NAMES, "uint8")).item() == 0.0


def test_another_band_may_play_a_role() -> None:
    bands = make_bands(["B04", "B8A"], "dn")
    image = np.array([[[1.0, 3.0]]])
    assert indices.compute("ndvi", image, bands, {"nir": "B8A"}).item() == 0.5
    assert indices.required_roles("evi") == ("nir", "red", "blue")
    assert indices.required_roles("savi") == ("nir", "red")


def test_what_is_missing_or_unknown_is_named() -> None:
    bands = make_bands(["B04", "B03"], "dn")
    image = np.zeros((1, 1, 2))
    with pytest.raises(MissingError, match="no band B08; it has B04, B03"):
        indices.compute("ndvi", image, bands)
    with pytest.raises(InputError, match="no index is called 'ndxx'"):
        indices.compute("ndxx", image, bands)
    with pytest.raises(InputError, match="no role is called"):
        indices.compute("ndvi", image, bands, {"infrared": "B03"})
    with pytest.raises(InputError, match="2 bands are named but the image has 3"):
        indices.compute("ndvi", np.zeros((1, 1, 3)), bands)
