"""Rasters are opened by their first bytes and refused when they are too large to be true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from agri_core.files.errors import InputError, MissingError
from agri_data.sources.readers import raster
from agri_data.sources.readers.place import pixel_metres, shifted, transform_text
from agri_data.sources.readers.raster import read_facts, read_tiff, valid_pixels
from rasterio.crs import CRS
from rasterio.transform import from_origin

VRT = """<VRTDataset rasterXSize="4" rasterYSize="4"><VRTRasterBand dataType="Byte" band="1">
<SimpleSource><SourceFilename>{}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"""


def write(path: Path, values: np.ndarray, **options: object) -> Path:
    count, height, width = values.shape
    shape = {"count": count, "height": height, "width": width, "dtype": str(values.dtype)}
    with rasterio.open(path, "w", driver="GTiff", **shape, **options) as sink:
        sink.write(values)
    return path


def test_what_was_written_is_read(tmp_path: Path):
    values = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    place = {"crs": "EPSG:32633", "transform": from_origin(5e5, 5e6, 10, 10)}
    path = write(tmp_path / "a.tif", values, nodata=-1, **place)
    with rasterio.open(path, "r+") as sink:
        sink.descriptions = ("B02", "B8A")
    image, facts = read_tiff(path)
    assert (image == np.moveaxis(values, 0, -1)).all()
    assert (facts.shape, facts.count, facts.dtype) == ((3, 4), 2, "int16")
    assert (facts.nodata, facts.names, facts.crs_text) == (-1, ("B02", "B8A"), "EPSG:32633")
    assert facts.transform == place["transform"]


def test_a_vrt_named_tif_is_not_opened(tmp_path: Path):
    write(tmp_path / "secret.tif", np.ones((1, 4, 4), np.uint8))
    (tmp_path / "a.tif").write_text(VRT.format(tmp_path / "secret.tif"))
    with pytest.raises(InputError, match=r"a.tif begins with b'<VRTData'; expected a GeoTIFF"):
        read_facts(tmp_path / "a.tif")


@pytest.mark.parametrize("keep", [0, 3, 50, 200])
def test_a_truncated_file_is_named(tmp_path: Path, keep: int):
    path = write(tmp_path / "a.tif", np.ones((3, 64, 64), np.uint16))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"a\.tif"):
        read_tiff(path)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(MissingError, match=r"no file .*a\.tif"):
        read_facts(tmp_path / "a.tif")


def test_a_raster_that_declares_a_flood_is_refused(tmp_path: Path):
    options = {"count": 4, "dtype": "uint16", "height": 60_000, "width": 60_000, "tiled": True}
    path = tmp_path / "bomb.tif"
    with rasterio.open(path, "w", driver="GTiff", sparse_ok=True, bigtiff="yes", **options):
        pass
    assert path.stat().st_size < 2_000_000
    for read in (read_facts, read_tiff):
        with pytest.raises(InputError, match=r"bomb\.tif has \d+ bytes but claims .* 28800000000"):
            read(path)


def test_a_raster_too_large_for_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = write(tmp_path / "a.tif", np.ones((1, 64, 64), np.uint16))
    monkeypatch.setattr(raster, "MAX_READ_BYTES", 8191)
    with pytest.raises(InputError, match=r"8192 bytes in memory.*kind: scenes"):
        read_tiff(path)


def test_a_raster_in_one_vast_block_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = write(tmp_path / "a.tif", np.ones((1, 64, 64), np.uint16), blockysize=64)
    monkeypatch.setattr(raster, "MAX_BLOCK_BYTES", 8191)
    with pytest.raises(InputError, match="blocks of 64x64 pixels, too large"):
        read_facts(path)


def test_complex_numbers_are_refused(tmp_path: Path):
    path = write(tmp_path / "a.tif", np.ones((1, 4, 4), np.complex64))
    with pytest.raises(InputError, match="holds complex64; expected one of uint8"):
        read_facts(path)


def test_descriptions_are_names_only_if_all_differ(tmp_path: Path):
    path = write(tmp_path / "a.tif", np.ones((2, 4, 4), np.uint8))
    assert read_facts(path).names == ()
    with rasterio.open(path, "r+") as sink:
        sink.descriptions = ("B02", "B02")
    assert read_facts(path).names == ()


def test_validity():
    image = np.array([[[0, 1], [2, 3], [0, 0]]], np.uint16)
    assert valid_pixels(image, 0).tolist() == [[False, True, False]]
    assert valid_pixels(image, None).all()
    floats = np.array([[[np.nan, 1], [2, np.inf], [1, 1]]], np.float32)
    assert valid_pixels(floats, None).tolist() == [[False, False, True]]


def test_places():
    transform = from_origin(500_000, 5_000_000, 10, 20)
    assert transform_text(transform) == "10.0 0.0 500000.0 0.0 -20.0 5000000.0"
    assert transform_text(None) == ""
    assert (
        transform_text(shifted(transform, row=2, col=3)) == "10.0 0.0 500030.0 0.0 -20.0 4999960.0"
    )
    assert pixel_metres(CRS.from_epsg(32633), transform, (10, 10)) == pytest.approx(200**0.5)
    assert pixel_metres(None, transform, (10, 10)) is None
    # At 60 degrees north a degree of longitude is half as long as at the equator.
    degrees = from_origin(0, 60, 0.001, 0.001)
    size = pixel_metres(CRS.from_epsg(4326), degrees, (0, 0))
    assert size == pytest.approx(111.32 * 0.5**0.5)
