import io
import struct
import zlib

import cv2
import numpy as np
import pytest
import rasterio
from agri_classify.patches.patch import LARGEST, read_patch
from agri_core.files.errors import InputError, MissingError
from agri_core.legend import Legend
from agri_map.bundle.spec import BundleSpec
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from rasterio.enums import ColorInterp

LEGEND = Legend.of({"water": "#2a7fba", "arable": "#e8c547"})
RGB = ("B04", "B03", "B02")
ORIENTATION = 0x0112


def spec(bands=RGB, unit="uint8", tile=16):
    count = len(bands)
    return BundleSpec(
        name="m", task="classify", bands=bands, unit=unit, mean=(0.0,) * count, std=(1.0,) * count,
        legend=LEGEND, tile=tile, overlap=0,
    )  # fmt: skip


@pytest.fixture
def image():
    """A patch whose colours all differ, smooth enough for JPEG."""
    rows, columns = np.mgrid[0:16, 0:16].astype(np.uint8)
    return np.stack([40 + 10 * rows, 30 + 10 * columns, 200 - 5 * rows], -1)


def write(path, picture, **options):
    Image.fromarray(picture).save(path, **options)
    return path


def tiff(path, values, names=None, nodata=None):
    height, width, count = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", height=height, width=width, count=count, dtype=values.dtype,
        nodata=nodata,
    ) as sink:  # fmt: skip
        sink.write(np.moveaxis(values, -1, 0))
        if names:
            sink.descriptions = names
    return path


@pytest.mark.parametrize(("quality", "coarse"), [(100, False), (98, False), (95, True), (30, True)])
def test_a_patch_knows_how_finely_it_was_saved(image, tmp_path, quality, coarse):
    patch = read_patch(write(tmp_path / "a.jpg", image, quality=quality), spec())
    assert patch.quality == pytest.approx(quality, abs=1)
    assert patch.coarse is coarse
    assert patch.note == ""


def test_an_enlarged_patch_is_coarse_and_a_shrunk_one_is_not(image, tmp_path):
    path = write(tmp_path / "a.png", image)
    assert read_patch(path, spec(tile=32)).coarse
    large = write(tmp_path / "b.png", np.repeat(np.repeat(image, 3, 0), 3, 1))
    assert not read_patch(large, spec(tile=32)).coarse


def test_a_png_comes_as_it_is(image, tmp_path):
    patch = read_patch(write(tmp_path / "a.png", image), spec())
    assert np.array_equal(patch.image, image)
    assert patch.valid.all()
    assert (patch.note, patch.quality, patch.coarse) == ("", 100, False)


def test_bands_come_in_the_order_of_the_model(image, tmp_path):
    patch = read_patch(write(tmp_path / "a.png", image), spec(("B02", "B04")))
    assert np.array_equal(patch.image, image[..., [2, 0]])


def test_a_jpeg_is_decoded_as_in_training(image, tmp_path):
    path = write(tmp_path / "a.jpg", image, quality=95)
    expected = cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.array_equal(read_patch(path, spec()).image, expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_jpeg_is_laid_upright(image, tmp_path, orientation):
    from PIL import ImageOps

    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = write(tmp_path / "a.jpg", image, quality=95, exif=exif)
    with Image.open(path) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    assert np.array_equal(read_patch(path, spec()).image, expected)


def test_transparent_pixels_are_no_data(image, tmp_path):
    alpha = np.full((16, 16, 1), 255, np.uint8)
    alpha[:3] = 0
    patch = read_patch(write(tmp_path / "a.png", np.concatenate([image, alpha], 2)), spec())
    assert patch.valid.sum() == 13 * 16
    assert not patch.valid[:3].any()
    clear = np.concatenate([image, alpha * 0], 2)
    with pytest.raises(InputError, match="no pixel with data"):
        read_patch(write(tmp_path / "b.png", clear), spec())


def test_another_size_is_resized_and_said(image, tmp_path):
    large = image.repeat(2, 0).repeat(2, 1)
    patch = read_patch(write(tmp_path / "a.png", large), spec())
    # Each pixel of the result is the mean of four equal ones.
    assert np.array_equal(patch.image, image)
    assert patch.note.startswith("resized from 32 to 16 pixels")


def test_the_middle_square_is_taken(image, tmp_path):
    wide = np.concatenate([image * 0, image, image * 0], 1)
    patch = read_patch(write(tmp_path / "a.png", wide), spec())
    assert np.array_equal(patch.image, image)
    assert "centre square" in patch.note


def test_pictures_of_another_kind_are_refused(image, tmp_path):
    def refused(name, picture, text, **options):
        with pytest.raises(InputError, match=text):
            read_patch(write(tmp_path / name, picture, **options), spec())

    refused("grey.png", image[..., 0], "greyscale; the model expects B04, B03, B02")
    refused("deep.png", image[..., 0].astype(np.uint16) * 256, "16 bits")
    refused("dot.png", image[:1, :1], "1 x 1 pixels; a patch needs 16 or more")
    refused("scene.png", np.zeros((16, LARGEST + 1, 3), np.uint8), "a scene rather than a patch")
    path = tmp_path / "cmyk.jpg"
    Image.fromarray(image).convert("CMYK").save(path)
    with pytest.raises(InputError, match="mode CMYK; save it as RGB"):
        read_patch(path, spec())


def test_damaged_files_are_refused(image, tmp_path):
    whole = write(tmp_path / "a.jpg", image).read_bytes()
    for name, data, text in (
        ("empty.jpg", b"", "is empty"),
        ("text.jpg", b"not a picture", "expected a GeoTIFF or JPEG 2000"),
        ("cut.jpg", whole[:-20], "truncated or damaged"),
        ("head.jpg", whole[:12], "damaged"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=text):
            read_patch(tmp_path / name, spec())
    with pytest.raises(MissingError, match="no file"):
        read_patch(tmp_path / "none.jpg", spec())


def test_a_huge_picture_is_refused_before_it_is_decoded(tmp_path):
    def chunk(kind, body):
        packed = kind + body
        return struct.pack(">I", len(body)) + packed + struct.pack(">I", zlib.crc32(packed))

    head = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    sink = io.BytesIO(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IEND", b""))
    (tmp_path / "huge.png").write_bytes(sink.getvalue())
    with pytest.raises(InputError, match=r"20000 x 20000 pixels, a scene|too many pixels"):
        read_patch(tmp_path / "huge.png", spec())


def test_a_photo_is_not_for_a_model_of_other_bands(image, tmp_path):
    path = write(tmp_path / "a.png", image)
    with pytest.raises(InputError, match=r"expects B08, B04 in dn: use GeoTIFFs"):
        read_patch(path, spec(("B08", "B04"), "dn"))


def test_bands_of_a_geotiff_are_taken_by_name(tmp_path):
    values = np.stack([np.full((16, 16), value, np.uint16) for value in (100, 200, 300, 2000)], -1)
    path = tiff(tmp_path / "a.tif", values, ("B02", "B03", "B04", "B08"))
    patch = read_patch(path, spec(("B08", "B02"), "dn"))
    assert patch.image[0, 0].tolist() == [2000, 100]
    with pytest.raises(MissingError, match="B11"):
        read_patch(path, spec(("B11",), "dn"))
    with pytest.raises(InputError, match=r"looks like dn \(uint16\) but .* uint8"):
        read_patch(path, spec(("B02", "B03"), "uint8"))


def test_bands_without_names_are_named_by_the_user(tmp_path):
    values = np.zeros((16, 16, 2), np.float32) + np.float32([0.1, 0.4])
    path = tiff(tmp_path / "a.tif", values)
    model = spec(("B08",), "reflectance")
    with pytest.raises(InputError, match="has 2 bands without names"):
        read_patch(path, model)
    with pytest.raises(InputError, match="2 bands, but 3 names"):
        read_patch(path, model, ("B02", "B03", "B08"))
    assert read_patch(path, model, ("B04", "B08")).image[0, 0, 0] == np.float32(0.4)


def test_no_data_of_a_geotiff(tmp_path):
    values = np.full((16, 16, 1), 500, np.int16)
    values[0] = -1
    path = tiff(tmp_path / "a.tif", values, ("B08",), nodata=-1)
    assert read_patch(path, spec(("B08",), "dn")).valid.sum() == 15 * 16


@pytest.mark.parametrize("names", [None, ("B04", "B03", "B02"), ("B04", "B03", "B02", "alpha")])
def test_masked_and_transparent_pixels_of_a_geotiff_are_no_data(image, tmp_path, names):
    alpha = np.full((16, 16, 1), 255, np.uint8)
    alpha[0] = 0
    values = np.concatenate([np.broadcast_to(image[:16, :16], (16, 16, 3)), alpha], axis=2)
    path = tiff(tmp_path / "a.tif", values, None if names else ("B4", "B3", "B2", ""))
    with rasterio.open(path, "r+") as sink:
        sink.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
    patch = read_patch(path, spec(), names or ())
    assert np.array_equal(patch.valid, alpha[..., 0] > 0)
    assert np.array_equal(patch.image, values[..., :3])
    four = ("B04", "B03", "B02", "B08")
    assert read_patch(path, spec((*four[:2], "B08")), four).valid.all()
    plain = tiff(tmp_path / "b.tif", values[..., :3], ("B04", "B03", "B02"))
    with rasterio.open(plain, "r+") as sink:
        sink.write_mask(alpha[..., 0])
    assert np.array_equal(read_patch(plain, spec()).valid, alpha[..., 0] > 0)


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0"])
)
def test_any_bytes_are_a_patch_or_a_clear_error(tmp_path_factory, data, magic):
    path = tmp_path_factory.getbasetemp() / "any.bin"
    path.write_bytes(magic + data)
    with pytest.raises((InputError, MissingError)):
        read_patch(path, spec())
