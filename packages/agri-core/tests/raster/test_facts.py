"""What raster files state about themselves, and rasters read whole."""

import numpy as np
import pytest
import rasterio
from agri_core.files.errors import InputError
from agri_core.raster import facts as module
from agri_core.raster.facts import read_facts, read_raster
from rasterio.transform import from_origin

RGBA = np.full((4, 2, 2), 9, np.uint8)
RGBA[3, 0, 1] = 0


def test_what_was_written_is_read(write) -> None:
    values = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    place = from_origin(500_000, 5_000_000, 10, 10)
    path = write(values, names=("B02", "B8A"), nodata=-1, transform=place)
    image, valid, facts = read_raster(path)
    assert np.array_equal(image, np.moveaxis(values, 0, -1)) and valid.all()
    assert (facts.shape, facts.count, facts.dtype) == ((3, 4), 2, "int16")
    assert (facts.nodata, facts.names, facts.crs_text) == (-1, ("B02", "B8A"), "EPSG:32633")
    assert facts.transform == place and facts.nbytes == 24 * 2


def test_an_alpha_band_is_no_imagery(write) -> None:
    path = write(RGBA, names=("B4", "B3", "B2"), photometric="rgb", alpha="yes")
    image, valid, facts = read_raster(path)
    assert image.shape == (2, 2, 3) and facts.count == 3 and facts.names == ("B04", "B03", "B02")
    assert valid.tolist() == [[True, False], [True, True]]
    image, valid, facts = read_raster(path, names=("B04", "B03", "B02", "B08"))
    assert image.shape == (2, 2, 4) and valid.all()


def test_a_mask_comes_with_the_image(write) -> None:
    mask = np.array([[True, False], [True, True]])
    assert np.array_equal(read_raster(write(RGBA[:3], mask=mask))[1], mask)


def test_descriptions_are_names_only_if_all_differ(write) -> None:
    values = np.ones((2, 4, 4), np.uint8)
    assert read_facts(write(values)).names == ()
    assert read_facts(write(values, names=("B02", "B02"))).names == ()
    assert read_facts(write(values, names=("b2 (blue)", "nir"))).names == ("B02", "nir")
    # Two descriptions of one band, as of two dates, stay as they are.
    assert read_facts(write(values, names=("B2 (May)", "B2 (June)"))).names == (
        "B2 (May)", "B2 (June)",
    )  # fmt: skip


def test_a_raster_without_a_place(tmp_path) -> None:
    path = tmp_path / "a.tif"
    with rasterio.open(
        path, "w", driver="GTiff", count=1, height=2, width=2, dtype="uint8"
    ) as sink:
        sink.write(np.ones((1, 2, 2), np.uint8))
    facts = read_facts(path)
    assert facts.transform is None and facts.crs_text == ""


def test_a_raster_too_large_for_memory_is_refused(write, monkeypatch) -> None:
    path = write(np.ones((1, 64, 64), np.uint16))
    monkeypatch.setattr(module, "MAX_READ_BYTES", 8191)
    with pytest.raises(InputError, match=r"8192 bytes in memory.*kind: scenes"):
        read_raster(path)
