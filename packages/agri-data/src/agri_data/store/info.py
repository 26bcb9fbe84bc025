"""The description of a chip store: the content of `dataset.json`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agri_core.bands import Band
from agri_core.files.errors import StoreError
from agri_core.files.values import shown
from agri_core.legend import Legend

SCHEMA = 1
# Far more than a store writes, so that a damaged or foreign file is not read into memory.
MAX_JSON_BYTES = 64 * 1024 * 1024
MAX_CHIP_SIZE = 4096
"""Pixels; in 13 bands of 16 bits such a chip takes 436 MB."""
MAX_PIXEL_SIZE = 1e6
"""Metres; the coarsest weather grids have pixels of 250 km."""
MAX_NAME = 200
"""Characters of the name of a data set, a title of figures."""
BATCH, BATCH_BYTES = 256, 256 * 1024 * 1024
"""Chips that are read at a time, and how much they may take."""


@dataclass(frozen=True, slots=True)
class BandStats:
    """Statistics of one band over the valid pixels of the train split, in the band's own unit.

    `p02` and `p98` are the 2nd and 98th percentile; `count` is the number of pixels.
    """

    mean: float
    std: float
    minimum: float
    maximum: float
    p02: float
    p98: float
    count: int

    def __post_init__(self) -> None:
        values = (self.mean, self.std, self.minimum, self.maximum, self.p02, self.p98)
        if not all(math.isfinite(v) for v in values) or self.std < 0 or self.count < 1:
            raise StoreError(f"band statistics must be finite with a count above 0, got {self}")
        if not self.minimum <= self.p02 <= self.p98 <= self.maximum:
            raise StoreError(f"band statistics must rise from the minimum on, got {self}")


@dataclass(frozen=True, slots=True)
class ArrayFile:
    """One `.npy` file of a store: its name, how many chips it holds, its SHA-256."""

    file: str
    chips: int
    sha256: str


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """A store's description.

    Attributes:
        name: short name of the data set.
        source: where the imagery came from, in words.
        licence: of the imagery and labels, in words.
        bands: in the order of the last array axis.
        chip_size: H = W of a chip, in pixels.
        pixel_size: ground size of a pixel in metres, None where it is not known.
        legend: the classes, None for unlabelled chips.
        nodata: the image value that means "no data" in every band, None where there is none.
        split: how the chips were split (method, seed, ...), None before `agri-data split`.
        stats: per band name, over the train split; None before the split.
    """

    name: str
    source: str
    licence: str
    bands: tuple[Band, ...]
    chip_size: int
    pixel_size: float | None = None
    legend: Legend | None = None
    nodata: float | None = None
    split: Mapping[str, Any] | None = None
    stats: Mapping[str, BandStats] | None = None
    images: tuple[ArrayFile, ...] = field(default=())
    masks: tuple[ArrayFile, ...] = field(default=())
    table_sha256: str = ""

    def __post_init__(self) -> None:
        if not self.bands:
            raise StoreError("a store needs at least one band, got none")
        _check_unique("band name", self.band_names)
        _check_unique("array file", [item.file for item in (*self.images, *self.masks)])
        if len(self.name) > MAX_NAME:
            raise StoreError(f"a name has up to {MAX_NAME} characters, got {len(self.name)}")
        if not 1 <= self.chip_size <= MAX_CHIP_SIZE:
            raise StoreError(
                f"a chip is 1 to {MAX_CHIP_SIZE} pixels wide, got {shown(self.chip_size)}"
            )
        if self.pixel_size is not None and not 0 < self.pixel_size <= MAX_PIXEL_SIZE:
            raise StoreError(
                f"a pixel is above 0 and up to {MAX_PIXEL_SIZE:g} m wide, got {self.pixel_size:g}"
            )
        if self.masks and self.legend is None:
            raise StoreError("there are masks, but no legend that names their classes")
        if self.stats is not None and set(self.stats) != set(self.band_names):
            raise StoreError(
                f"statistics of {', '.join(self.stats)} are not those of the bands "
                f"{', '.join(self.band_names)}"
            )

    @property
    def band_names(self) -> tuple[str, ...]:
        """Band names in array order."""
        return tuple(band.name for band in self.bands)

    @property
    def chips(self) -> int:
        """The number of chips."""
        return sum(item.chips for item in self.images)

    @property
    def batch(self) -> int:
        """How many chips are read at a time, so that large ones take no more memory than small."""
        return max(1, min(BATCH, BATCH_BYTES // (self.chip_size**2 * len(self.bands) * 8)))

    def to_json(self) -> dict[str, Any]:
        """Return the content of `dataset.json`."""
        return {
            "schema": SCHEMA,
            "name": self.name,
            "source": self.source,
            "licence": self.licence,
            "chips": self.chips,
            "chip_size": self.chip_size,
            "pixel_size": self.pixel_size,
            "nodata": self.nodata,
            "bands": [_as_dict(band) for band in self.bands],
            "legend": self.legend.to_list() if self.legend else None,
            "split": dict(self.split) if self.split is not None else None,
            "statistics": {k: _as_dict(v) for k, v in self.stats.items()} if self.stats else None,
            "arrays": {
                "images": [_as_dict(item) for item in self.images],
                "masks": [_as_dict(item) for item in self.masks],
            },
            "table_sha256": self.table_sha256,
        }


def _check_unique(what: str, names: Sequence[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise StoreError(f"the {what} {shown(twice)} is there twice")


def _as_dict(item: Any) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__slots__}
