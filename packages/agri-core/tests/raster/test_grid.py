"""Grids: corners, equality in pixels, and transforms that work in both versions of affine."""

import math

import numpy as np
import pytest
from affine import Affine
from agri_core.files.errors import InputError
from agri_core.raster.grid import (
    Grid,
    crs_text,
    scaled,
    shifted,
    to_ground,
    transform_text,
)
from hypothesis import given
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.transform import from_origin

UTM, DEGREES = CRS.from_epsg(32633), CRS.from_epsg(4326)
TEN = from_origin(500_000, 5_000_000, 10, 20)


def test_literal() -> None:
    grid = Grid(UTM, TEN, 3, 2)
    assert grid.shape == (3, 2)
    assert grid.corners.tolist() == [
        [500_000, 5_000_000],
        [500_000, 4_999_940],
        [500_020, 5_000_000],
        [500_020, 4_999_940],
    ]
    assert grid.bounds == (500_000, 4_999_940, 500_020, 5_000_000)
    assert grid.pixel_size == (10, 20) and grid.pixel == pytest.approx(math.sqrt(200))


def test_texts() -> None:
    assert transform_text(TEN) == "10.0 0.0 500000.0 0.0 -20.0 5000000.0"
    assert transform_text(None) == "" and crs_text(None) == "" and crs_text(UTM) == "EPSG:32633"


def test_windows_and_scales() -> None:
    # 3 columns of 10 m to the right, 2 rows of 20 m down
    assert transform_text(shifted(TEN, row=2, col=3)) == "10.0 0.0 500030.0 0.0 -20.0 4999960.0"
    assert scaled(TEN, 2, 0.5)[:6] == (20, 0, 500_000, 0, -10, 5_000_000)


@given(*[st.floats(-50, 50)] * 6, st.floats(-9, 9), st.floats(-9, 9))
def test_transforms_are_those_of_matrices(a, b, c, d, e, f, x, y) -> None:
    transform = Affine(a, b, c, d, e, f)
    matrix = np.array([[a, b, c], [d, e, f], [0, 0, 1]])
    assert to_ground(transform, x, y) == pytest.approx(tuple((matrix @ [x, y, 1])[:2]))
    move = np.array([[1, 0, x], [0, 1, y], [0, 0, 1]])
    assert shifted(transform, y, x)[:6] == pytest.approx((matrix @ move)[:2].ravel())
    grow = np.diag([x, y, 1])
    assert scaled(transform, x, y)[:6] == pytest.approx((matrix @ grow)[:2].ravel())


def test_no_deprecated_product_is_used(recwarn) -> None:
    Grid(UTM, shifted(scaled(TEN, 2, 2), 1, 1), 3, 2).same_as(Grid(UTM, TEN, 3, 2))
    assert not recwarn.list


@pytest.mark.parametrize("crs", [UTM, DEGREES])
@pytest.mark.parametrize("pixel", [0.01, 10, 1e-5])
@pytest.mark.parametrize("turn", [0, 33])
def test_the_same_up_to_a_thousandth_of_a_pixel(crs: CRS, pixel: float, turn: float) -> None:
    angle = math.radians(turn)
    a, b = pixel * math.cos(angle), pixel * math.sin(angle)
    grid = Grid(crs, Affine(a, b, 12, b, -a, 50), 100, 80)
    for share, same in ((5e-4, True), (2e-3, False)):
        assert grid.same_as(Grid(crs, shifted(grid.transform, 0, share), 100, 80)) is same
        # 100 rows, each higher by a hundredth of the share
        assert grid.same_as(Grid(crs, scaled(grid.transform, 1, 1 + share / 100), 100, 80)) is same


def test_other_sizes_and_systems_differ() -> None:
    grid = Grid(UTM, TEN, 3, 2)
    assert not grid.same_as(Grid(UTM, TEN, 2, 3))
    assert not grid.same_as(Grid(CRS.from_epsg(32634), TEN, 3, 2))
    assert not grid.same_as(Grid(None, TEN, 3, 2))
    assert Grid(None, Affine.identity(), 3, 2).same_as(Grid(None, Affine.identity(), 3, 2))


@pytest.mark.parametrize("transform", [Affine(10, 0, 0, 10, 0, 0), Affine(math.nan, 0, 0, 0, 1, 0)])
def test_pixels_without_area_are_refused(transform: Affine) -> None:
    for pair in ((transform, TEN), (TEN, transform)):
        first, second = (Grid(UTM, each, 3, 2) for each in pair)
        with pytest.raises(InputError, match=r"pixels without area: .*georeference"):
            first.same_as(second)
