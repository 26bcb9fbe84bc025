"""The legend, and bands by name."""

from __future__ import annotations

import pytest
from agri_core import bands
from agri_core.files.errors import InputError, MissingError
from agri_core.legend import EUROSAT, Legend


def test_legend_round_trip_and_colours() -> None:
    legend = Legend.of({"other": "#000000", "arable": "#ff8000"})
    assert Legend.from_list(legend.to_list()) == legend
    assert legend.rgb.tolist() == [[0, 0, 0], [255, 128, 0]]
    assert legend.index("arable") == 1


def test_eurosat_order_is_the_official_one() -> None:
    assert EUROSAT.names[0] == "AnnualCrop"
    assert EUROSAT.names[9] == "SeaLake"
    assert list(EUROSAT.names) == sorted(EUROSAT.names)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([{"id": 1, "name": "a", "colour": "#000000"}], "0, 1, 2"),
        ([{"id": 0, "name": "a", "colour": "red"}], "#1a9641"),
        ([{"id": 0, "name": "a"}], "entry 1.: the key .colour. is missing"),
        ([{"id": True, "name": "a", "colour": "#000000"}], "whole number"),
        ([], "1 to 254"),
    ],
)
def test_bad_legends_are_named(items: list[dict[str, object]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Legend.from_list(items)


def test_bands_are_found_by_name_in_any_order() -> None:
    assert bands.band_indices(["B04", "B08", "B02"], ["B02", "B04"]) == [2, 0]


def test_a_missing_band_is_named_with_what_there_is() -> None:
    with pytest.raises(MissingError, match=r"no band B11; it has B02, B03"):
        bands.band_indices(["B02", "B03"], ["B02", "B11"])


def test_eurosat_tiffs_hold_b8a_last() -> None:
    assert bands.EUROSAT_TIFF_ORDER[-1] == "B8A"
    assert len(set(bands.EUROSAT_TIFF_ORDER)) == 13
