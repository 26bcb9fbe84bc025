"""Names of bands, however files spell them."""

import pytest
from agri_core.bands import SENTINEL2, canonical_name, canonical_names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("B2", "B02"),
        ("b02", "B02"),
        ("b8a", "B8A"),
        ("B08A", "B8A"),
        ("B012", "B12"),
        ("B11, central wavelength 1610 nm", "B11"),
        ("B12 (SWIR)", "B12"),
        ("B4_10m", "B04"),
        ("B2 - blue", "B02"),
        ("B2x", "B2x"),
        ("B8-B4", "B8-B4"),
        ("B8 / B4", "B8 / B4"),
        ("B123", "B123"),
        (" red ", "red"),
        ("", ""),
    ],
)
def test_literal(text: str, name: str) -> None:
    assert canonical_name(text) == name


@pytest.mark.parametrize("name", SENTINEL2)
def test_names_of_sentinel_2_are_canonical(name: str) -> None:
    assert canonical_name(name) == canonical_name(name.lower()) == name


def test_two_bands_never_become_one() -> None:
    assert canonical_names(["b2", "B3 (green)"]) == ("B02", "B03")
    assert canonical_names(["B2 (May)", " B2 (June)"]) == ("B2 (May)", "B2 (June)")
