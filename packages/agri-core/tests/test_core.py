"""The legend, and bands by name."""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from pathlib import Path

import pytest
from agri_core import bands
from agri_core.bands import Band, band_indices, make_bands
from agri_core.files.errors import InputError, MissingError
from agri_core.files.hints import hint
from agri_core.legend import EUROSAT, IGNORE_COLOUR, Legend, LegendClass, colour


def test_legend_round_trip_and_colours() -> None:
    legend = Legend.of({"other": "#000000", "arable": "#ff8000"})
    assert Legend.from_list(legend.to_list()) == legend
    assert legend.rgb.tolist() == [[0, 0, 0], [255, 128, 0]]
    assert legend.index("arable") == 1


def test_a_class_without_a_colour_gets_one_of_its_own() -> None:
    legend = Legend.from_list([{"id": 0, "name": "a"}, {"id": 1, "name": 7, "colour": "#FF8000"}])
    assert legend.to_list() == [
        {"id": 0, "name": "a", "colour": "#202020"},
        {"id": 1, "name": "7", "colour": "#ff8000"},
    ]
    assert Legend.of(["a", "b"]).names == ("a", "b")
    assert len({item.colour for item in Legend.of(map(str, range(254))).classes}) == 254


def test_a_palette_has_a_colour_for_every_byte() -> None:
    palette = Legend.of({"a": "#010203"}).palette()
    assert len(palette) == 768
    assert palette[:3] == b"\x01\x02\x03" and palette[3:6] == b"\xff\x00\xff"
    assert palette[-3:] == bytes.fromhex(IGNORE_COLOUR[1:])


def test_classes_json_comes_back_and_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    legend = Legend.of({"půda": "#010203"})
    path = tmp_path / "classes.json"
    path.write_text(legend.to_json(), encoding="utf-8-sig")
    assert Legend.read(path) == legend
    path.write_bytes(b"[" * 1_000_001)
    with pytest.raises(InputError, match="larger than 1 MB"):
        Legend.read(path)
    with pytest.raises(MissingError, match="no legend"):
        Legend.read(tmp_path / "none.json")


@pytest.mark.parametrize(
    "text",
    [
        "", "{}", "[1]", '[{"id": 1, "name": "a"}]', '[{"id": true, "name": "a"}]', "[" * 99999,
        '[{"id": 0, "name": "a", "colour": "red"}]', '[{"id": 0, "name": " "}]',
        '[{"id": 0, "name": "a"}, {"id": 1, "name": "a"}]', '[{"id": 0, "name": "a", "x": 1}]',
    ],
)  # fmt: skip
def test_a_wrong_classes_json_is_one_line_with_its_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "classes.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"classes\.json"):
        Legend.read(path)


def test_a_legend_as_text() -> None:
    assert Legend.of({"půda": "#010203"}).to_json() == (
        '[\n  {\n    "id": 0,\n    "name": "půda",\n    "colour": "#010203"\n  }\n]\n'
    )


def test_a_legend_of_one_megabyte_is_read(tmp_path: Path) -> None:
    path = tmp_path / "classes.json"
    path.write_text('[{"id": 0, "name": "a"}]'.ljust(1_000_000))
    assert Legend.read(path).names == ("a",)
    path.write_bytes(b'[{"id": 0, "name": "\xff"}]')
    with pytest.raises(InputError, match=r"classes\.json is not JSON in UTF-8: 'utf-8' codec"):
        Legend.read(path)


def test_an_unknown_class_is_named_with_those_there_are() -> None:
    legend = Legend.of(["arable", "water"])
    with pytest.raises(InputError) as caught:
        legend.index("arabel")
    assert str(caught.value) == (
        "no class is called 'arabel'; the legend has arable, water" + hint("arabel", ["arable"])
    )
    with pytest.raises(InputError, match=r"^a class needs a name, class 3 has none$"):
        LegendClass(3, " ", "#000000")
    with pytest.raises(InputError, match=r"^a legend: expected a list, got"):
        Legend.from_list(7)


def test_colours_beyond_those_chosen_by_hand() -> None:
    # Class 17: hue 17 * 0.618034 = 10.5066, its fraction 0.5066; saturation 0.45 + 0.4 (odd),
    # value 0.65 + 0.3 * 2 / 2 = 0.95 (17 = 2 mod 3).
    red, green, blue = colorsys.hsv_to_rgb(17 * 0.618033988749895 - 10, 0.85, 0.95)
    expected = "#" + "".join(f"{round(255 * part):02x}" for part in (red, green, blue))
    assert colour(17) == expected == "#24eaf2"
    # Class 18: even, and 0 mod 3.
    assert (
        colour(18)[1:]
        == bytes(
            round(255 * part)
            for part in colorsys.hsv_to_rgb(18 * 0.618033988749895 - 11, 0.45, 0.65)
        ).hex()
    )
    assert colour(15) == "#6b6f1d"


def test_eurosat_order_is_the_official_one() -> None:
    assert EUROSAT.names[0] == "AnnualCrop"
    assert EUROSAT.names[9] == "SeaLake"
    assert list(EUROSAT.names) == sorted(EUROSAT.names)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([{"id": 1, "name": "a", "colour": "#000000"}], "0, 1, 2"),
        ([{"id": 0, "name": "a", "colour": "red"}], "#1a9641"),
        ([{"id": 0, "colour": "#000000"}], "entry 1': the key 'name' is missing"),
        ([{"id": 0, "name": "a", "color": "#000000"}], "'color', did you mean 'colour'"),
        ([{"id": 0, "name": None}], "'entry 1.name' is empty; text is expected"),
        ([{"id": 254, "name": "a"}], "'entry 1.id' must be at most 253, got 254"),
        ([{"id": 0, "name": "a"}, {"id": 1, "name": "a"}], "'a' is there twice"),
        ({"a": "#000000"}, "expected a list, got"),
        ([1], "'entry 1' must be a mapping, got 1"),
        ([{"id": True, "name": "a", "colour": "#000000"}], "whole number"),
        ([], "1 to 254"),
    ],
)
def test_bad_legends_are_named(items: list[dict[str, object]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Legend.from_list(items)


def test_bands_are_found_by_name_in_any_order() -> None:
    assert band_indices(["B04", "B08", "B02"], ["B02", "B04"]) == [2, 0]


def test_a_missing_band_is_named_with_what_there_is() -> None:
    with pytest.raises(MissingError, match=r"no band B11; it has B02, B03"):
        band_indices(["B02", "B03"], ["B02", "B11"])


def test_bands_know_their_wavelength() -> None:
    # Sentinel-2A, ESA: B04 664.6 nm; a band that is not of Sentinel-2 has none.
    assert [band.wavelength for band in make_bands(["B04", "height"], "dn")] == [664.6, None]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Band("", None, "dn"), "a band needs a name, got an empty one"),
        (lambda: Band("a", None, "m"), f"the unit of band a is one of {bands.UNITS}, got 'm'"),
        (lambda: make_bands(["a", "b", "a"], "dn"), "band names must be unique, got a, b, a"),
        (lambda: band_indices([], ["a", "b"]), "the imagery has no band a, b; it has no named b"),
        (lambda: band_indices(["c"], ["a"], "x.tif"), "x.tif has no band a; it has c"),
    ],
)  # fmt: skip
def test_bad_bands_are_named(make: Callable[[], object], message: str) -> None:
    with pytest.raises((InputError, MissingError)) as caught:
        make()
    assert str(caught.value).startswith(message)


def test_eurosat_tiffs_hold_b8a_last() -> None:
    assert bands.EUROSAT_TIFF_ORDER[-1] == "B8A"
    assert len(set(bands.EUROSAT_TIFF_ORDER)) == 13
