"""The sets of bands that a band study compares (Helber et al. 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agri_core.bands import COLOUR_INFRARED, SWIR, TRUE_COLOUR
from agri_core.files.errors import InputError, SettingError
from agri_core.files.hints import hint

KINDS = ("single", "composite", "all", "without")


@dataclass(frozen=True, slots=True)
class BandSet:
    """A named set of bands; `kind` is one of `KINDS`."""

    kind: str
    name: str
    bands: tuple[str, ...]


def band_sets(have: Sequence[str], kinds: Sequence[str] = KINDS) -> list[BandSet]:
    """List the sets that are possible with the bands `have`.

    Each band alone; red, green and blue, colour-infrared and short-wave infrared; all bands; all
    but one. Composites of missing bands are left out.

    Raises:
        InputError: a kind is unknown, or no set is possible.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        near = hint(unknown[0], KINDS)
        raise SettingError("kinds", f"must be of {', '.join(KINDS)}, got {unknown[0]!r}{near}")
    have = tuple(have)
    found = [
        *(BandSet("single", f"{band} alone", (band,)) for band in have),
        *(
            BandSet("composite", name, bands)
            for name, bands in composites().items()
            if set(bands) <= set(have) and len(have) > len(bands)
        ),
        *([BandSet("all", f"all {len(have)} bands", have)] if len(have) > 1 else []),
        *(
            BandSet("without", f"all but {band}", tuple(b for b in have if b != band))
            for band in (have if len(have) > 2 else ())
        ),
    ]
    chosen = [item for item in found if item.kind in kinds]
    if not chosen:
        raise InputError(
            f"no band set of the kinds {', '.join(kinds)} is possible with {', '.join(have)}"
        )
    return chosen


def composites() -> dict[str, tuple[str, ...]]:
    """Return the three-band composites of the study by name."""
    return {
        "red, green, blue": TRUE_COLOUR,
        "colour-infrared": COLOUR_INFRARED,
        "short-wave infrared": SWIR,
    }
