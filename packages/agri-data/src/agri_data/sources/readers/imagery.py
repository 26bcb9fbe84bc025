"""The band layout of a set of images: bands by name, in one dtype, with one no-data value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from agri_core.bands import (
    TRUE_COLOUR,
    Band,
    band_indices,
    canonical_name,
    make_bands,
)
from agri_core.files.errors import InputError
from agri_core.raster.facts import Facts
from agri_core.raster.validity import holds, settle_nodata, valid_pixels
from numpy.typing import NDArray

from agri_data.sources.description.description import Imagery

_PHOTOS = ("PNG", "JPEG")


@dataclass(frozen=True, slots=True)
class Layout:
    """The band layout that every file of a set must have; taken from the first one.

    Attributes:
        imagery: the imagery section of the description.
        use: names of the bands of the store, in order.
        label: name of the band that holds labels, "" without.
        dtype: of every file.
        nodata: the store's value for "no data", None where there is none.
    """

    imagery: Imagery
    use: tuple[str, ...]
    label: str
    dtype: str
    nodata: float | None

    @property
    def bands(self) -> tuple[Band, ...]:
        """The bands of the store."""
        return make_bands(self.use, self.imagery.unit)

    def positions(self, facts: Facts) -> tuple[list[int], int | None]:
        """Return the positions in a file of the store's bands and of the label band (or None).

        Raises:
            MissingError: a band is not there.
            InputError: the file differs from the others in dtype, or contradicts its description.
        """
        if facts.dtype != self.dtype:
            raise InputError(
                f"{facts.name} holds {facts.dtype}, the files before it hold {self.dtype}; "
                "convert them to one type"
            )
        have = band_names(self.imagery, facts)
        found = band_indices(*_alike(have, self.use), facts.name)
        label = band_indices(*_alike(have, [self.label]), facts.name)[0] if self.label else None
        return found, label

    def clean(
        self, image: NDArray[Any], valid: NDArray[np.bool_], facts: Facts
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return the image with "no data" in every band of each invalid pixel, and the validity.

        A pixel is valid when it is so in every band, so that no model sees half a pixel.
        """
        own = self.imagery.nodata if self.imagery.nodata is not None else facts.nodata
        if own is not None and np.isfinite(own) and self.nodata is None:
            raise InputError(
                f"{facts.name} declares {own:g} as 'no data', the first file has no such value; "
                "write 'nodata' in the description"
            )
        valid = valid & valid_pixels(image, own)
        if valid.all():
            return image, valid
        image = image.copy()
        image[~valid] = self._filling()
        return image, valid

    def _filling(self) -> float:
        if self.nodata is not None:
            return self.nodata
        return float("nan") if np.issubdtype(np.dtype(self.dtype), np.floating) else 0


def make_layout(imagery: Imagery, label: str, facts: Facts) -> Layout:
    """Return the layout of a set from its first file.

    Raises:
        MissingError: a band is not there.
        InputError: the bands have no names, or the values cannot be of the declared unit.
    """
    have = band_names(imagery, facts)
    wanted = imagery.use or tuple(name for name in have if name != label)
    if label and label in imagery.use:
        raise InputError(f"the band {label!r} is the label, so it cannot be under 'use' too")
    if not wanted:
        raise InputError(f"{facts.name} has no band other than the label band {label!r}")
    _check_unit(imagery.unit, facts)
    layout = Layout(imagery, wanted, label, facts.dtype, _nodata(imagery, facts))
    layout.positions(facts)
    return layout


def band_names(imagery: Imagery, facts: Facts) -> tuple[str, ...]:
    """Return the names of a file's bands in file order.

    Raises:
        InputError: they have none, there is another number of them, or the file's own band
            descriptions contradict the description.
    """
    if not imagery.bands:
        if facts.names:
            return facts.names
        if facts.driver in _PHOTOS and facts.count == len(TRUE_COLOUR):
            return TRUE_COLOUR
        raise InputError(
            f"{facts.name} has {facts.count} bands without names; list them in file order under "
            "'bands' in the description"
        )
    if len(imagery.bands) != facts.count:
        raise InputError(
            f"{facts.name} has {facts.count} bands, the description names {len(imagery.bands)}: "
            f"{', '.join(imagery.bands)}"
        )
    if facts.names and imagery.trust == "both":
        _check_agree(imagery.bands, facts)
    return imagery.bands


def _alike(have: Sequence[str], want: Sequence[str]) -> tuple[list[str], list[str]]:
    """Spell both lists the same way, unless that would make two bands of one file equal."""
    spelt = [canonical_name(name) for name in have]
    if len(set(spelt)) < len(spelt):
        return list(have), list(want)
    return spelt, [canonical_name(name) for name in want]


def _check_agree(declared: Sequence[str], facts: Facts) -> None:
    for number, (ours, theirs) in enumerate(zip(declared, facts.names, strict=True), 1):
        if canonical_name(ours).lower() != canonical_name(theirs).lower():
            raise InputError(
                f"{facts.name}: band {number} is {ours!r} in the description and {theirs!r} in the "
                "file. Leave 'bands' out to take the file's names (order the bands with 'use'), or "
                "write 'trust: bands' if the file is wrong"
            )


def _check_unit(unit: str, facts: Facts) -> None:
    whole = not facts.dtype.startswith("float")
    if unit == "uint8" and facts.dtype != "uint8":
        raise InputError(
            f"{facts.name} holds {facts.dtype}, not uint8; write 'unit: dn' for raw counts or "
            "'unit: reflectance' for 0..1"
        )
    if unit == "reflectance" and whole:
        raise InputError(
            f"{facts.name} holds whole numbers ({facts.dtype}), which are no reflectance of 0..1; "
            "write 'unit: dn'"
        )


def _nodata(imagery: Imagery, facts: Facts) -> float | None:
    value = settle_nodata(imagery.nodata, facts.nodata, facts.name)
    if value is None or not np.isfinite(value):
        return None
    if holds(np.dtype(facts.dtype), value):
        return float(value)
    if imagery.nodata is None:
        return None
    raise InputError(f"'nodata' is {value:g}, which {facts.name} ({facts.dtype}) cannot hold")
