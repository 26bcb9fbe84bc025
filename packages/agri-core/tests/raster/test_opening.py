"""Rasters are opened by their first bytes and refused when they are too large to be true."""

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import rasterio
from agri_core.files.errors import InputError, MissingError
from agri_core.raster import opening
from agri_core.raster.opening import IMAGES, PICTURES, SCENES, driver_of, open_raster, opened
from PIL import Image

VRT = """<VRTDataset rasterXSize="4" rasterYSize="4"><VRTRasterBand dataType="Byte" band="1">
<SimpleSource><SourceFilename>{}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"""
ONES = np.ones((1, 4, 4), np.uint8)


@pytest.mark.parametrize(
    ("head", "driver"),
    [
        (b"II*\0", "GTiff"),
        (b"MM\0+", "GTiff"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JP2OpenJPEG"),
        (b"\xff\x4f\xff\x51", "JP2OpenJPEG"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"RIFF\x10\0\0\0WEBP", "WEBP"),
        (b"BM", "BMP"),
        (b"GIF89a", "GIF"),
    ],
)
def test_the_first_bytes_name_the_driver(head: bytes, driver: str) -> None:
    assert driver_of(head + bytes(16), "a", PICTURES) == driver


def test_only_the_formats_asked_for_are_opened() -> None:
    assert driver_of(b"\x89PNG\r\n\x1a\n", "a", IMAGES) == "PNG"
    with pytest.raises(InputError, match=r"a begins with .*PNG.*expected a GeoTIFF or JPEG 2000"):
        driver_of(b"\x89PNG\r\n\x1a\n", "a", SCENES)
    with pytest.raises(InputError, match="a is empty; expected a GeoTIFF file"):
        driver_of(b"", "a", ("GTiff",))
    with pytest.raises(InputError, match="begins with"):
        driver_of(b"RIFF\x10\0\0\0WAVE", "a", PICTURES)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_pictures_are_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "picture"
    Image.new("L" if kind != "WEBP" else "RGB", (5, 3), 255).save(path, kind)
    with open_raster(path, formats=PICTURES) as dataset:
        assert dataset.shape == (3, 5)
        assert kind == "GIF" or dataset.read(1).min() >= 250  # a GIF holds places in its table


def test_bytes_and_files_are_the_same(write) -> None:
    path = write(np.arange(12, dtype=np.int16).reshape(1, 3, 4))
    with open_raster(path.read_bytes(), "b") as inside, open_raster(path) as outside:
        assert np.array_equal(inside.read(), outside.read())


def test_a_vrt_named_tif_is_not_opened(write, tmp_path: Path) -> None:
    secret = write(ONES, "secret.tif")
    (tmp_path / "a.tif").write_text(VRT.format(secret))
    with rasterio.open(tmp_path / "a.tif") as dataset:  # GDAL itself does follow it
        assert dataset.driver == "VRT"
    with pytest.raises(InputError, match=r"a.tif begins with b'<VRTData'; expected a GeoTIFF"):
        refuse(tmp_path / "a.tif")


@pytest.mark.parametrize("name", ["/vsicurl/http://example.org/a.tif", "GTIFF_RAW:a.tif", "no.tif"])
def test_what_is_no_file_is_missing(name: str) -> None:
    with pytest.raises(MissingError, match="no raster file"):
        refuse(Path(name))


def test_a_name_that_gdal_reads_otherwise_is_a_file(write, tmp_path: Path, monkeypatch) -> None:
    write(ONES, "GTIFF_RAW:a.tif")
    monkeypatch.chdir(tmp_path)
    with open_raster(Path("GTIFF_RAW:a.tif")) as dataset:
        assert dataset.read().all()


@pytest.mark.parametrize("keep", [0, 3, 50, 200])
def test_a_truncated_file_is_named(write, keep: int) -> None:
    path = write(np.ones((3, 64, 64), np.uint16))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"a\.tif"), open_raster(path) as dataset:
        dataset.read()


def test_damaged_blocks_are_an_error_not_zeros(write) -> None:
    noise = np.random.default_rng(0).integers(0, 9999, (1, 256, 256)).astype(np.uint16)
    path = write(noise, compress="deflate", tiled=True, blockxsize=64, blockysize=64)
    content = bytearray(path.read_bytes())
    content[20_000:26_000] = bytes(6000)
    path.write_bytes(content)
    expected = r"a\.tif cannot be read, it is truncated or damaged .* copy or download it again"
    with pytest.raises(InputError, match=expected), open_raster(path) as dataset:
        dataset.read()


def test_a_raster_that_declares_a_flood_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.tif"
    options = {"count": 4, "dtype": "uint16", "height": 60_000, "width": 60_000, "tiled": True}
    with rasterio.open(path, "w", driver="GTiff", sparse_ok=True, bigtiff="yes", **options):
        pass
    assert path.stat().st_size < 2_000_000
    # 60 000 x 60 000 x 4 bands x 2 bytes
    with pytest.raises(InputError, match=r"bomb\.tif has \d+ bytes but claims .* 28800000000"):
        refuse(path)


@pytest.mark.parametrize(
    ("limit", "value", "match"),
    [
        ("MAX_SIDE", 63, "64 x 64 pixels, more than 63 a side"),
        ("MAX_BANDS", 1, "has 2 bands, more than 1"),
        ("MAX_BLOCK_BYTES", 8191, "blocks of 64x64 pixels, too large"),
    ],
)
def test_limits(write, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, match: str) -> None:
    path = write(np.ones((2, 64, 64), np.uint16), blockysize=64, interleave="band")
    refuse(path)
    monkeypatch.setattr(opening, limit, value)
    with pytest.raises(InputError, match=match):
        refuse(path)


def test_complex_numbers_are_refused(write) -> None:
    with pytest.raises(InputError, match="holds complex64; expected one of uint8"):
        refuse(write(np.ones((1, 4, 4), np.complex64)))


def test_a_raster_stays_open_until_its_stack_closes(write) -> None:
    first, second = write(ONES, "a.tif"), write(ONES * 2, "b.tif")
    one, two = ExitStack(), ExitStack()
    a, b = opened(first, one), opened(second, two)
    one.close()  # in another order than they were opened
    assert a.closed and b.read().max() == 2
    two.close()
    assert b.closed


def test_what_is_refused_is_closed(write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(ONES)
    monkeypatch.setattr(opening, "MAX_SIDE", 1)
    seen = []
    plain = opening._check_size
    monkeypatch.setattr(
        opening, "_check_size", lambda data, *rest: (seen.append(data), plain(data, *rest))
    )
    with pytest.raises(InputError, match="more than 1 a side"):
        refuse(path)
    assert [dataset.closed for dataset in seen] == [True]


def refuse(path: Path) -> None:
    with open_raster(path):
        pass
