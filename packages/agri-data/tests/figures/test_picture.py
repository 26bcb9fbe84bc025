from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from agri_core.files.errors import InputError, MissingError
from agri_core.legend import COVER, IGNORE, Legend
from agri_data.figures.picture import (
    colourise,
    composite,
    composite_title,
    picture_bands,
    scale_bar,
)
from agri_data.figures.sheet import Panel, sheet, shortened
from agri_data.store.info import BandStats
from PIL import Image

BANDS = ("B02", "B03", "B04", "B08")


def test_fixed_limits_do_not_depend_on_the_image() -> None:
    dn = np.full((2, 2, 4), 2500, np.uint16)
    dn[..., 0] = 0
    shown = composite(dn, BANDS)
    # B04 and B03 above 0.22 reflectance are at the upper limit, B02 is at the lower
    np.testing.assert_array_equal(shown, np.broadcast_to([255, 255, 0], (2, 2, 3)))
    reflectance = (dn / 1e4).astype(np.float32)
    np.testing.assert_array_equal(composite(reflectance, BANDS), shown)
    np.testing.assert_array_equal(composite(dn.astype(np.float32), BANDS, unit="dn"), shown)


def test_order_follows_the_names_not_the_file() -> None:
    image = np.zeros((1, 1, 4), np.uint8)
    image[0, 0] = 10, 20, 30, 40
    assert composite(image, BANDS)[0, 0].tolist() == [30, 20, 10]
    assert composite(image, BANDS, ("B08", "B04", "B03"))[0, 0].tolist() == [40, 30, 20]


@pytest.mark.parametrize("stretch", [None, "percentile", (0.1, 0.1)])
def test_constant_and_non_finite_values_give_no_noise(stretch: object) -> None:
    image = np.full((4, 4, 4), 0.0, np.float32)
    image[0, 0] = np.nan
    image[1, 1] = np.inf
    shown = composite(image, BANDS, stretch=stretch)  # type: ignore[arg-type]
    assert shown.dtype == np.uint8
    assert not shown.any()


def test_all_nan_image_is_black() -> None:
    assert not composite(np.full((2, 2, 4), np.nan, np.float32), BANDS, stretch="percentile").any()


def test_percentiles_and_statistics_stretch() -> None:
    image = np.repeat(np.arange(101, dtype=np.uint16)[None, :, None], 4, axis=2)
    shown = composite(image, BANDS, stretch="percentile")
    assert shown[0, 2].tolist() == [0, 0, 0]
    assert shown[0, 98].tolist() == [255, 255, 255]
    stats = dict.fromkeys(BANDS, BandStats(50, 10, 0, 100, 25, 75, 101))
    assert composite(image, BANDS, stretch=stats)[0, 50].tolist() == [128, 128, 128]


def test_composite_says_what_is_wrong() -> None:
    with pytest.raises(MissingError, match="B12"):
        composite(np.zeros((2, 2, 4)), BANDS, ("B12", "B08", "B04"))
    with pytest.raises(InputError, match=r"\(4, 2, 2\)"):
        composite(np.zeros((4, 2, 2)), BANDS)
    with pytest.raises(InputError, match="percentile"):
        composite(np.zeros((2, 2, 4)), BANDS, stretch="hist")  # type: ignore[arg-type]


def test_titles_name_the_composite() -> None:
    assert composite_title(("B04", "B03", "B02")) == "true colour (B04 B03 B02)"
    assert composite_title(("B08", "B04", "B03")) == "colour infrared (B08 B04 B03)"
    assert composite_title(("B05", "B06", "B07")) == "B05 B06 B07"


def test_picture_bands_prefer_natural_colours() -> None:
    assert picture_bands(BANDS) == ("B04", "B03", "B02")
    assert picture_bands(("red", "green", "blue")) == ("red", "green", "blue")
    assert picture_bands(("a", "b", "c", "d")) == ("a", "b", "c")
    assert picture_bands(("vv", "vh")) == ("vv", "vh", "vv")


def test_colours_are_the_legends() -> None:
    mask = np.array([[*range(len(COVER)), IGNORE]], np.uint8)
    shown = colourise(mask, COVER)
    np.testing.assert_array_equal(shown[0, :-1], COVER.rgb)
    assert shown[0, -1].tolist() == [230, 230, 230]
    with pytest.raises(InputError, match=r"\[6\]"):
        colourise(np.array([[6]], np.uint8), COVER)


def test_sheet_draws_every_panel_and_the_legend(tmp_path: Path) -> None:
    marks = [(10 + 40 * i, 200 - 30 * i, 90) for i in range(5)]
    panels = [Panel(np.full((16, 16, 3), mark, np.uint8), f"chip {mark}") for mark in marks]
    path = sheet([panels[:3], panels[3:]], COVER, tmp_path / "s.png", "title")
    drawn = np.asarray(Image.open(path).convert("RGB")).reshape(-1, 3)
    colours, counts = np.unique(drawn, axis=0, return_counts=True)
    areas = {tuple(c): n for c, n in zip(colours.tolist(), counts.tolist(), strict=True)}
    sizes = [areas[mark] for mark in marks]
    assert min(sizes) > 0.95 * max(sizes) > 10000
    for colour in COVER.rgb.tolist():
        assert areas.get(tuple(colour), 0) > 20
    assert [p.name for p in tmp_path.glob("[!.]*")] == ["s.png"]


def test_sheet_is_the_same_every_time(tmp_path: Path) -> None:
    panel = Panel(np.zeros((8, 8, 3), np.uint8), "x")
    one, two = (sheet([[panel]], None, tmp_path / name, "t") for name in ("a.png", "b.png"))
    assert one.read_bytes() == two.read_bytes()


def test_a_dollar_in_a_name_is_no_formula(tmp_path: Path) -> None:
    panel = Panel(np.zeros((8, 8, 3), np.uint8), r"$\frac{1$")  # as a formula it cannot be parsed
    legend = Legend.of({"$x$": "#112233", r"$\nothing$": "#445566"})
    assert sheet([[panel]], legend, tmp_path / "a.png", r"$\frac{1$").is_file()


def test_sheet_refuses_nothing_and_nonsense(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no panels"):
        sheet([], COVER, tmp_path / "s.png", "t")
    with pytest.raises(InputError, match="composite or colourise"):
        Panel(np.zeros((8, 8), np.uint8))


def test_long_captions_keep_both_ends() -> None:
    name = "S2A_MSIL2A_20230516T100031_N0509_R122_T33TWM_00512-01024"
    short = shortened(name)
    assert len(short) <= 36 and short.startswith("S2A_MSIL2A") and short.endswith("00512-01024")
    assert shortened("short\nlines") == "short\nlines"


@pytest.mark.parametrize(
    ("width", "pixel", "pixels", "label"),
    [
        (512, 10.0, 100.0, "1 km"),  # a quarter of 5120 m is 1280 m
        (64, 10.0, 10.0, "100 m"),  # of 640 m: 160 m
        (100, 0.5, 20.0, "10 m"),  # of 50 m: 12.5 m
        (1000, 10.0, 200.0, "2 km"),  # of 10 km: 2.5 km
    ],
)
def test_scale_bar_is_round(width: int, pixel: float, pixels: float, label: str) -> None:
    bar = scale_bar(width, pixel)
    assert (bar.pixels, bar.label) == (pytest.approx(pixels), label)
