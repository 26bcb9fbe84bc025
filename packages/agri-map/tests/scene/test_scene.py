"""Reading scenes: bands by name, several files, rims, no-data, and files that are refused."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from agri_core.files.errors import InputError, MissingError
from agri_map.scene.scene import open_scene
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasterio.transform import from_origin

COARSE = from_origin(4_500_000, 3_000_000, 20, 20)
"""Pixels of 20 m where `write_scene` puts pixels of 10 m."""


@pytest.fixture
def numbered():
    """(4, 6, 5): band i holds 1000 * (i + 1) + pixel number."""
    return (1000 * np.arange(1, 5)[:, None, None] + np.arange(30).reshape(6, 5)).astype(np.uint16)


def test_bands_by_description_in_the_order_asked(numbered, write_scene):
    with open_scene(write_scene(numbered), ["B08", "B02"]) as scene:
        image, valid = scene.read((0, 6), (0, 5))
    assert scene.bands == ("B08", "B02")
    assert np.array_equal(image, numbered[[3, 0]].transpose(1, 2, 0))
    assert valid.all()


def test_the_memory_of_a_row_of_blocks(tmp_path):
    blocks = {"tiled": True, "blockxsize": 32, "blockysize": 16, "dtype": "uint16", "nodata": 0}
    for name, width in (("pair", 70), ("single", 64)):
        count = 2 if name == "pair" else 1
        with rasterio.open(
            tmp_path / f"{name}.tif", "w", driver="GTiff", width=width, height=40, count=count,
            crs="EPSG:32633", transform=from_origin(0, 0, 640 / width, 10), **blocks,
        ) as file:  # fmt: skip
            file.write(np.ones((count, 40, width), np.uint16))
    # Blocks of 32 x 16: three across 70 pixels in two bands, two across 64 in one, 2 bytes each.
    expected = 16 * (3 * 32 * 2) * 2 + 16 * (2 * 32) * 2
    files = {"B08": tmp_path / "single.tif"}
    path, names = tmp_path / "pair.tif", ("B02", "B03")
    with open_scene(path, ["B02", "B03", "B08"], names=names, files=files) as scene:
        assert scene.block_row_bytes == expected


def test_bands_by_option(numbered, write_scene):
    path = write_scene(numbered, bands=None)
    with open_scene(path, ["B03"], names=["B08", "B04", "B03", "B02"]) as scene:
        assert scene.read((0, 1), (0, 1))[0].item() == 3000


def test_no_names_at_all(numbered, write_scene):
    with pytest.raises(InputError, match=r"4 bands without names; .*--bands B02,B03"):
        open_scene(write_scene(numbered, bands=None), ["B02", "B03"])


def test_missing_band_lists_what_there_is(numbered, write_scene):
    with pytest.raises(MissingError, match=r"no band B11; it has B02, B03, B04, B08"):
        open_scene(write_scene(numbered), ["B02", "B11"])


def test_wrong_number_of_names(numbered, write_scene):
    with pytest.raises(InputError, match=r"2 names .* has 4 bands"):
        open_scene(write_scene(numbered), ["B02"], names=["B02", "B03"])


def test_repeated_names(numbered, write_scene):
    path = write_scene(numbered, bands=("B02", "B2", "B04", "B08"))
    with pytest.raises(InputError, match="several bands called B02"):
        open_scene(path, ["B02"])


def test_rim_is_reflected(numbered, write_scene):
    with open_scene(write_scene(numbered), ["B02"]) as scene:
        image, valid = scene.read((-3, 9), (-2, 7))
    expected = np.pad(numbered[0], ((3, 3), (2, 2)), mode="reflect")
    assert np.array_equal(image[..., 0], expected) and valid.shape == (12, 9)


def test_window_far_larger_than_the_scene(numbered, write_scene):
    with open_scene(write_scene(numbered), ["B02"]) as scene:
        image, _ = scene.read((-20, 30), (-20, 30))
    assert np.array_equal(image[..., 0], np.pad(numbered[0], ((20, 24), (20, 25)), mode="reflect"))


@settings(
    deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.tuples(st.integers(-25, 25), st.integers(1, 40)),
       cols=st.tuples(st.integers(-25, 25), st.integers(1, 40)), again=st.booleans())  # fmt: skip
def test_any_window_is_the_reflection(numbered, write_scene, rows, cols, again):
    path = write_scene(numbered)
    span = (rows[0], rows[0] + rows[1]), (cols[0], cols[0] + cols[1])
    padded = np.pad(numbered, ((0, 0), (100, 100), (100, 100)), mode="reflect")
    expected = padded[:, 100 + span[0][0] : 100 + span[0][1], 100 + span[1][0] : 100 + span[1][1]]
    with open_scene(path, ["B04", "B02", "B03"], nodata=1007) as scene:
        room = scene.blank(rows[1], cols[1]) if again else None
        if room is not None:
            room[0][...], room[1][...] = 7, False
        found, valid = scene.read(*span, room)
    assert np.array_equal(np.moveaxis(found, -1, 0), expected[[2, 0, 1]])
    assert np.array_equal(valid, (expected[[2, 0, 1]] != 1007).all(0))


def test_nodata_and_nan(write_scene):
    image = np.ones((2, 2, 3), np.float32)
    image[0, 0, 0], image[1, 0, 1], image[0, 1, 2] = -9999, np.nan, np.inf
    with open_scene(
        write_scene(image, bands=("B02", "B03"), nodata=-9999), ["B02", "B03"]
    ) as scene:
        assert scene.read((0, 2), (0, 3))[1].tolist() == [[False, False, True], [True, True, False]]


def test_nodata_by_option(numbered, write_scene):
    with open_scene(write_scene(numbered), ["B02"], nodata=1007) as scene:
        assert (~scene.read((0, 6), (0, 5))[1]).sum() == 1


def test_internal_mask(numbered, write_scene):
    path = write_scene(numbered)
    mask = np.full((6, 5), 255, np.uint8)
    mask[2, 3] = 0
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as dataset:
        dataset.write_mask(mask)
    with open_scene(path, ["B02"]) as scene:
        assert scene.has_nodata
        assert np.array_equal(scene.read((0, 6), (0, 5))[1], mask > 0)


def test_alpha_band(numbered, write_scene):
    image = numbered.astype(np.uint16)
    image[3] = 65535
    image[3, 1, 1] = 0
    path = write_scene(image, bands=("B04", "B03", "B02", ""), photometric="rgb", alpha="yes")
    with open_scene(path, ["B02"]) as scene:
        assert np.array_equal(scene.read((0, 6), (0, 5))[1], image[3] > 0)


RGBN = np.full((4, 6, 5), 100, np.uint8)
RGBN[3, 1, 1] = 0
"""Near infrared of water, or the transparency of a mosaic."""


@pytest.mark.parametrize("alpha", ["yes", "no"])
def test_near_infrared_that_is_marked_as_alpha_is_a_band(write_scene, alpha):
    path = write_scene(RGBN, bands=None, photometric="rgb", alpha=alpha)
    for wanted in (["B08", "B02"], ["B04", "B03", "B02"]):
        with open_scene(path, wanted, names=["B04", "B03", "B02", "B08"]) as scene:
            image, valid = scene.read((0, 6), (0, 5))
            assert not scene.has_nodata and valid.all()
            assert image[1, 1, 0] == (0 if wanted[0] == "B08" else 100)


@pytest.mark.parametrize("names", [["B04", "B03", "B02"], ["B04", "B03", "B02", "alpha"], None])
def test_an_alpha_band_needs_no_name(write_scene, names):
    described = None if names else ("B4", "B3", "B2")
    path = write_scene(RGBN, bands=described, photometric="rgb", alpha="yes")
    with open_scene(path, ["B02", "B03", "B04"], names=names) as scene:
        assert np.array_equal(scene.read((0, 6), (0, 5))[1], RGBN[3] > 0)


def test_what_the_user_says_is_no_data_wins(numbered, write_scene, capsys):
    path = write_scene(numbered, nodata=1000)
    with open_scene(path, ["B02", "B03"], nodata=1007) as scene:
        assert np.array_equal(scene.read((0, 6), (0, 5))[1], numbered[0] != 1007)
    assert capsys.readouterr().err.count("declares 1000 as its no-data value; 1007 is used") == 1


def test_a_coarser_band_has_no_data_beyond_its_rim(write_scene):
    a = write_scene(np.ones((1, 8, 8), np.uint16), "a.tif", bands=None)
    mask = np.full((4, 4), 255, np.uint8)
    mask[3] = 0
    b = write_scene(np.ones((1, 4, 4), np.uint16), "b.tif", bands=None, transform=COARSE)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(b, "r+") as dataset:
        dataset.write_mask(mask)
    with open_scene(None, ["B02", "B11"], files={"B02": a, "B11": b}) as scene:
        image, valid = scene.read((0, 8), (0, 8))
        assert scene.has_nodata and valid[:6].all() and not valid[6:].any()
        assert (image[:6] == 1).all()


def test_a_grid_that_differs_by_rounding_is_not_warped(write_scene):
    fine = np.arange(64, dtype=np.uint16).reshape(1, 8, 8)
    a = write_scene(fine, "a.tif", bands=None)
    moved = from_origin(4_500_000 + 1e-6, 3_000_000, 10, 10)
    b = write_scene(fine, "b.tif", bands=None, transform=moved)
    with open_scene(None, ["B02", "B03"], files={"B02": a, "B03": b}) as scene:
        image, _ = scene.read((0, 8), (0, 8))
    assert np.array_equal(image, np.moveaxis(fine[[0, 0]], 0, -1))


def test_files_of_two_resolutions(write_scene):
    rows, cols = np.mgrid[:8, :8]
    fine = (100 * rows + cols)[None].astype(np.float32)
    a = write_scene(fine, "a.tif", bands=None)
    # The same plane sampled at 20 m: the value at a 2 x 2 block's centre is the block's mean.
    coarse = fine.reshape(1, 4, 2, 4, 2).mean((2, 4))
    b = write_scene(coarse, "b.tif", bands=None, transform=COARSE)
    with open_scene(None, ["B11", "B02"], files={"B02": a, "B11": b}) as scene:
        image, valid = scene.read((0, 8), (0, 8))
        assert scene.grid.transform.a == 10 and valid.all()
        # Bilinear is exact on a plane away from the rim.
        assert np.abs(image[1:-1, 1:-1, 0] - fine[0, 1:-1, 1:-1]).max() < 1e-3
        assert np.array_equal(image[..., 1], fine[0])
        window, _ = scene.read((2, 6), (3, 7))
        assert np.abs(window - image[2:6, 3:7]).max() < 1e-3


def test_files_elsewhere_are_refused(write_scene):
    a = write_scene(np.ones((1, 8, 8), np.uint16), "a.tif", bands=None)
    far = from_origin(600_000, 5_500_000, 20, 20)
    b = write_scene(np.ones((1, 4, 4), np.uint16), "b.tif", bands=None, transform=far)
    with pytest.raises(InputError, match="must cover the same ground"):
        open_scene(None, ["B02", "B11"], files={"B02": a, "B11": b})
    c = write_scene(np.ones((1, 8, 8), np.uint16), "c.tif", bands=None, crs="EPSG:32634")
    with pytest.raises(InputError, match="warp the files to one CRS"):
        open_scene(None, ["B02", "B11"], files={"B02": a, "B11": c})


@pytest.mark.parametrize("name", ["/vsicurl/http://example.org/a.tif", "GTIFF_RAW:a.tif", "no.tif"])
def test_only_files(name):
    with pytest.raises(MissingError, match="no raster file"):
        open_scene(Path(name), ["B02"])


def test_truncated_pixels(write_scene):
    image = np.random.default_rng(0).integers(0, 9999, (4, 256, 256)).astype(np.uint16)
    path = write_scene(image, compress="deflate", tiled=True, blockxsize=64, blockysize=64)
    content = bytearray(path.read_bytes())
    content[200_000:260_000] = bytes(60_000)
    path.write_bytes(content)
    scene = open_scene(path, ["B02", "B03", "B04", "B08"])
    with scene, pytest.raises(InputError, match="truncated or damaged"):
        scene.read((0, 256), (0, 256))
