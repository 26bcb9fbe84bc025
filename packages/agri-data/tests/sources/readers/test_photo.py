"""Photos are decoded exactly, or refused by name."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from agri_core.files.errors import InputError
from agri_data.sources.readers.photo import decode_jpeg, decode_photo, palette_indices
from PIL import Image

RNG = np.random.default_rng(1)
RGB = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)


def saved(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    sink = io.BytesIO()
    image.save(sink, form, **options)
    return sink.getvalue()


def test_png_is_bit_exact():
    picture, valid = decode_photo(saved(Image.fromarray(RGB)), "a.png")
    assert (picture == RGB).all()
    assert valid.all()


def test_jpeg_equals_pillow_bit_for_bit():
    smooth = cv2.GaussianBlur(RGB, (5, 5), 2)
    for sampling in (0, 2):
        data = saved(Image.fromarray(smooth), "JPEG", quality=80, subsampling=sampling)
        assert (decode_jpeg(data, "a.jpg") == np.asarray(Image.open(io.BytesIO(data)))).all()


def test_grey_keeps_one_channel():
    picture, _ = decode_photo(saved(Image.fromarray(RGB[..., 0])), "g.png")
    assert (picture == RGB[..., :1]).all()
    assert decode_jpeg(saved(Image.fromarray(RGB[..., 0]), "JPEG"), "g.jpg").shape == (20, 30, 1)


def test_a_palette_becomes_its_colours():
    image = Image.new("P", (2, 1))
    image.putpalette([11, 195, 72, 226, 19, 15])
    image.putdata([1, 0])
    picture, _ = decode_photo(saved(image), "p.png")
    assert picture.tolist() == [[[226, 19, 15], [11, 195, 72]]]
    found = palette_indices(saved(image), "p.png")
    assert found is not None
    assert found.tolist() == [[1, 0]]


def test_transparent_is_invalid_and_half_transparent_refused():
    alpha = np.full((20, 30), 255, np.uint8)
    alpha[0, :5] = 0
    picture, valid = decode_photo(saved(Image.fromarray(np.dstack([RGB, alpha]))), "a.png")
    assert (picture == RGB).all()
    assert (~valid).sum() == 5
    alpha[3, 3] = 128
    with pytest.raises(InputError, match=r"a.png has 1 half-transparent"):
        decode_photo(saved(Image.fromarray(np.dstack([RGB, alpha]))), "a.png")


def test_sixteen_bits_stay_sixteen_bits():
    deep = RNG.integers(0, 65536, (5, 6, 3), dtype=np.uint16)
    data = cv2.imencode(".png", deep[..., ::-1])[1].tobytes()
    picture, _ = decode_photo(data, "d.png")
    assert picture.dtype == np.uint16
    assert (picture == deep).all()


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.98])
def test_a_truncated_picture_is_refused(form: str, share: float):
    data = saved(Image.fromarray(RGB), form)
    with pytest.raises(InputError, match=r"cut.img"):
        decode_photo(data[: int(len(data) * share)], "cut.img")


def test_a_turned_picture_is_refused():
    exif = Image.Exif()
    exif[0x0112] = 6
    with pytest.raises(InputError, match="EXIF orientation 6"):
        decode_photo(saved(Image.fromarray(RGB), "JPEG", exif=exif), "t.jpg")


def test_cmyk_is_refused():
    data = saved(Image.fromarray(RGB).convert("CMYK"), "JPEG")
    with pytest.raises(InputError, match="mode CMYK"):
        decode_photo(data, "c.jpg")
