"""Bands by name: what each Sentinel-2 band is, and how to find bands in a file's order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from agri_core.files.errors import InputError, MissingError

Unit = Literal["dn", "reflectance", "uint8"]
UNITS: tuple[str, ...] = get_args(Unit)

DN_PER_REFLECTANCE = 10_000.0
"""Sentinel-2 quantification: reflectance = DN / 10000, once any offset has been removed."""


@dataclass(frozen=True, slots=True)
class Band:
    """One band: its name, centre wavelength in nm where known, and the unit of its values."""

    name: str
    wavelength: float | None
    unit: Unit

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InputError("a band needs a name, got an empty one")
        if self.unit not in UNITS:
            raise InputError(f"the unit of band {self.name} is one of {UNITS}, got {self.unit!r}")


@dataclass(frozen=True, slots=True)
class Sentinel2Band:
    """Facts of a Sentinel-2 band: centre wavelength in nm (S2A) and native pixel in metres."""

    wavelength: float
    pixel: int


SENTINEL2: dict[str, Sentinel2Band] = {
    "B01": Sentinel2Band(442.7, 60),
    "B02": Sentinel2Band(492.4, 10),
    "B03": Sentinel2Band(559.8, 10),
    "B04": Sentinel2Band(664.6, 10),
    "B05": Sentinel2Band(704.1, 20),
    "B06": Sentinel2Band(740.5, 20),
    "B07": Sentinel2Band(782.8, 20),
    "B08": Sentinel2Band(832.8, 10),
    "B8A": Sentinel2Band(864.7, 20),
    "B09": Sentinel2Band(945.1, 60),
    "B10": Sentinel2Band(1373.5, 60),
    "B11": Sentinel2Band(1613.7, 20),
    "B12": Sentinel2Band(2202.4, 20),
}
"""Source: ESA Sentinel-2 MSI technical guide, spectral bands of S2A."""

EUROSAT_TIFF_ORDER = (
    "B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B09", "B10", "B11", "B12", "B8A",
)  # fmt: skip
"""EuroSAT's 13-band TIFFs store B8A last (phelber/EuroSAT issue 7), unlike the paper's table."""

L2A_BANDS = (
    "B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12",
)  # fmt: skip
"""Surface-reflectance products carry no B10."""

_NUMBERED = re.compile(
    r"B0?(\d{1,2})(A?)"  # the band
    r"(?![0-9A-Za-z])"  # and not the beginning of a longer word, such as B2x
    r"(?!\s*[-+*/]\s*B\d)",  # nor of arithmetic, such as B8-B4
    re.IGNORECASE,
)

TRUE_COLOUR = ("B04", "B03", "B02")
COLOUR_INFRARED = ("B08", "B04", "B03")
SWIR = ("B12", "B8A", "B04")


def make_bands(names: Sequence[str], unit: Unit) -> tuple[Band, ...]:
    """Return a `Band` per name, with the wavelength filled in where it is a Sentinel-2 band.

    Raises:
        InputError: a name occurs twice or `unit` is unknown.

    Example:
        >>> make_bands(["B04", "height"], "dn")[0]
        Band(name='B04', wavelength=664.6, unit='dn')
    """
    if len(set(names)) != len(names):
        raise InputError(f"band names must be unique, got {', '.join(names)}")
    return tuple(Band(n, SENTINEL2[n].wavelength if n in SENTINEL2 else None, unit) for n in names)


def band_indices(have: Sequence[str], want: Sequence[str], where: str = "the imagery") -> list[int]:
    """Return the position in `have` of each band of `want`.

    Raises:
        MissingError: a wanted band is not there; the message names it and lists what there is.

    Example:
        >>> band_indices(["B02", "B03", "B04"], ["B04", "B02"])
        [2, 0]
    """
    missing = [name for name in want if name not in have]
    if missing:
        raise MissingError(
            f"{where} has no band {', '.join(missing)}; it has "
            f"{', '.join(have) or 'no named bands'}"
        )
    return [list(have).index(name) for name in want]


def canonical_name(text: str) -> str:
    """Return the name of a band in the spelling of `SENTINEL2`, other names as they are.

    Files describe a band as "B4", "b04" or "B4, central wavelength 665 nm".

    Example:
        >>> canonical_name("B2 (blue)"), canonical_name("b8a"), canonical_name(" nir ")
        ('B02', 'B8A', 'nir')
    """
    found = _NUMBERED.match(text.strip())
    if not found:
        return text.strip()
    number, letter = int(found[1]), found[2].upper()
    return f"B{number}{letter}" if letter else f"B{number:02d}"


def canonical_names(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the canonical names of the bands of one file, as they are where two would be equal.

    Example:
        >>> canonical_names(["b4", "B08 - near infrared"])
        ('B04', 'B08')
    """
    names = tuple(canonical_name(text) for text in texts)
    return names if len(set(names)) == len(names) else tuple(text.strip() for text in texts)
