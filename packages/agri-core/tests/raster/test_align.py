"""Reading on another grid: values, what was masked, and what lies beyond the rim."""

from contextlib import ExitStack

import numpy as np
import pytest
from affine import Affine
from agri_core.files.errors import InputError
from agri_core.raster.align import align
from agri_core.raster.grid import Grid, shifted
from agri_core.raster.opening import open_raster
from agri_core.raster.validity import Masking, masking_of
from pyproj import Transformer
from rasterio.crs import CRS
from rasterio.transform import from_origin

TWENTY = from_origin(500_000, 5_500_000, 20, 20)
MERCATOR = Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True).transform
NAMES = ("a", "b", "c", "d")


@pytest.fixture
def read(write):
    """Write a raster of 20 m, 4 x 4, and read it on 9 x 9 pixels of 10 m; or as `to` says."""

    def run(values, names=(), nodata=None, to=None, resampling="bilinear", **options):
        path = write(values, transform=TWENTY, nodata=nodata, **options)
        with open_raster(path) as dataset, ExitStack() as stack:
            own = Grid.of(dataset)
            grid = to or Grid(own.crs, from_origin(500_000, 5_500_000, 10, 10), 9, 9)
            aligned = align(
                dataset, own, grid, stack, masking=masking_of(dataset, names), nodata=nodata,
                resampling=resampling,
            )  # fmt: skip
            inside = aligned.read(0, 0, grid.shape, list(range(values.shape[0])))
            return *inside, aligned.source is dataset

    return run


def test_the_same_grid_is_not_warped(read) -> None:
    values = np.arange(16, dtype=np.uint8).reshape(1, 4, 4)
    own = Grid(None, TWENTY, 4, 4)
    found, valid, same = read(values, to=own, crs=None)
    assert same and valid.all() and np.array_equal(found[..., 0], values[0])
    # A ten thousandth of a pixel is rounding.
    found, _, same = read(values, to=Grid(None, shifted(TWENTY, 0, 1e-4), 4, 4), crs=None)
    assert same and np.array_equal(found[..., 0], values[0])


def test_beyond_the_rim_nothing_is_valid(read) -> None:
    found, valid, same = read(np.full((1, 4, 4), 100, np.uint8))
    assert not same
    assert valid[:8, :8].all() and not valid[8].any() and not valid[:, 8].any()
    assert (found[:8, :8] == 100).all()


def test_no_data_does_not_darken_its_neighbours(read) -> None:
    values = np.full((1, 4, 4), 100, np.uint16)
    values[0, :, :2] = 0
    found, valid, _ = read(values, nodata=0)
    # No alpha is needed: what lies beyond the rim is 0 as well.
    assert found[0, :, 0].tolist() == [0, 0, 0, 0, 100, 100, 100, 100, 0] and valid.all()
    floats = values.astype(np.float32)
    floats[floats == 0] = np.nan
    found, _, _ = read(floats)
    assert np.isnan(found[0, :4, 0]).all() and (found[0, 4:8, 0] == 100).all()


@pytest.mark.parametrize("nodata", [None, 7])
def test_a_mask_is_warped_too(read, nodata: float | None) -> None:
    mask = np.ones((4, 4), np.bool_)
    mask[:, :2] = False
    found, valid, _ = read(np.full((3, 4, 4), 100, np.uint8), nodata=nodata, mask=mask)
    assert valid[0].tolist() == [False] * 4 + [True] * 4 + [False]
    assert (found[0, 4:8] == 100).all()


def test_alpha_is_a_mask_and_near_infrared_is_not(read) -> None:
    values = np.full((4, 4, 4), 100, np.uint8)
    values[3, :, :2] = 0
    rgb = {"photometric": "rgb", "alpha": "yes"}
    found, valid, _ = read(values, NAMES[:3], **rgb)
    assert valid[0].tolist() == [False] * 4 + [True] * 4 + [False]
    found, valid, _ = read(values, NAMES, **rgb)
    assert valid[0].tolist() == [True] * 8 + [False]
    assert (found[:8, :8, 0] == 100).all()
    # Between 0 and 100, whose centres are two pixels apart, a quarter and three quarters.
    assert found[0, :8, 3].tolist() == [0, 0, 0, 25, 75, 100, 100, 100]


def test_a_window_is_read_where_it_lies(write) -> None:
    # Values 0..15 in rows of four; the mask lacks the pixel in row 2, column 3.
    values = np.arange(16, dtype=np.uint8).reshape(1, 4, 4)
    mask = np.ones((4, 4), np.bool_)
    mask[2, 3] = False
    with open_raster(write(values, mask=mask)) as dataset, ExitStack() as stack:
        own = Grid.of(dataset)
        assert own.crs == dataset.crs
        aligned = align(dataset, own, own, stack, masking=masking_of(dataset), nodata=None)
        found, valid = aligned.read(1, 1, (2, 3), [0])
    assert found[..., 0].tolist() == [[5, 6, 7], [9, 10, 11]]
    assert valid.tolist() == [[True] * 3, [True, True, False]]


def test_another_crs_is_warped_to_the_same_ground(write) -> None:
    # One degree in pixels of a hundredth; its value is 10 * column. Read in Web Mercator, whose
    # columns are meridians too: 0.01 degrees are 1113.19 m.
    values = np.broadcast_to(np.arange(100, dtype=np.uint8)[None, None], (1, 100, 100)).copy()
    degrees = from_origin(10, 51, 0.01, 0.01)
    place = Grid(
        CRS.from_epsg(3857), from_origin(*MERCATOR(10.2, 50.8), 1113.194908, 1113.194908), 5, 5
    )
    path = write(values, crs="EPSG:4326", transform=degrees)
    with open_raster(path) as dataset, ExitStack() as stack:
        own = Grid.of(dataset)
        aligned = align(dataset, own, place, stack, masking=Masking(), nodata=None)
        found, valid = aligned.read(0, 0, (5, 5), [0])
    assert found[..., 0].tolist() == [[20, 21, 22, 23, 24]] * 5 and valid.all()


def test_a_pixel_may_lack_one_band_only(read) -> None:
    values = np.full((2, 4, 4), 100, np.uint16)
    values[0] = 0
    found, _, _ = read(values, nodata=0)
    assert (found[:8, :8, 0] == 0).all() and (found[:8, :8, 1] == 100).all()


def test_what_cannot_be_warped(write) -> None:
    with open_raster(write(np.ones((2, 4, 4), np.uint8))) as dataset, ExitStack() as stack:
        own = Grid.of(dataset)
        other = Grid(own.crs, TWENTY, 2, 2)
        with pytest.raises(InputError, match="mask for each band"):
            align(dataset, own, other, stack, masking=Masking(None, (1, 2)), nodata=None)
        flat = Grid(own.crs, Affine(1, 0, 0, 1, 0, 0), 4, 4)
        with pytest.raises(InputError, match="without area"):
            align(dataset, flat, other, stack, masking=Masking(), nodata=None)
