"""Per-band statistics of a set of chips, in the unit of the source; only ever of the train part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agri_data.errors import InputError
from agri_data.tally import Tally, make_tally

if TYPE_CHECKING:
    from agri_data.store import ChipStore

Chips = NDArray[Any]

STEP = 256


@dataclass(frozen=True, slots=True)
class BandStats:
    """Statistics per band, in band order.

    `std` is the population deviation, and 0 for a constant band. `p02` and `p98` are the limits of
    the usual 2-98 % stretch. `count` is the number of valid values behind the figures.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    minimum: tuple[float, ...]
    maximum: tuple[float, ...]
    p02: tuple[float, ...]
    p98: tuple[float, ...]
    count: tuple[int, ...]

    def __post_init__(self) -> None:
        lengths = {item.name: len(getattr(self, item.name)) for item in fields(self)}
        if len(set(lengths.values())) != 1:
            raise InputError(f"band statistics need one value per band in each list, got {lengths}")
        if not all(np.isfinite(getattr(self, item.name)).all() for item in fields(self)):
            raise InputError("band statistics must be finite numbers, got a NaN or an infinity")
        if any(std < 0 for std in self.std):
            raise InputError(f"a standard deviation is not negative, got {self.std}")

    def __len__(self) -> int:
        return len(self.mean)

    @property
    def scale(self) -> tuple[float, ...]:
        """`std` with 1 in place of 0, so that a constant band normalises to 0 and not to NaN."""
        return tuple(std if std > 0 else 1.0 for std in self.std)

    def constant(self, bands: Sequence[str]) -> list[str]:
        """Return the names of the bands that hold a single value."""
        return [name for name, std in zip(bands, self.std, strict=True) if std == 0]

    def select(self, indices: Sequence[int]) -> BandStats:
        """Return the statistics of the bands at `indices`, in that order."""
        kept = {f.name: tuple(getattr(self, f.name)[i] for i in indices) for f in fields(self)}
        return BandStats(**kept)

    def to_dict(self) -> dict[str, list[float]]:
        """Return the figures as lists in band order, for JSON."""
        return {item.name: list(getattr(self, item.name)) for item in fields(self)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Sequence[float]]) -> BandStats:
        """Build the record from what `to_dict` gave.

        Raises:
            InputError: a list is missing, unknown, or of another length than the rest.
        """
        names = {item.name for item in fields(cls)}
        if set(content) != names:
            raise InputError(f"band statistics hold {sorted(names)}, got {sorted(content)}")
        figures = {name: tuple(float(v) for v in content[name]) for name in names - {"count"}}
        return cls(count=tuple(int(v) for v in content["count"]), **figures)


def valid_pixels(chips: Chips, nodata: float | None) -> NDArray[np.bool_]:
    """Return which pixels of `(..., C)` hold data: not every band equals `nodata` or is NaN."""
    if nodata is None or np.isnan(nodata):
        empty = np.zeros(chips.shape, bool)
    else:
        empty = chips == chips.dtype.type(nodata) if _holds(chips.dtype, nodata) else chips != chips
    if np.issubdtype(chips.dtype, np.floating):
        empty = empty | ~np.isfinite(chips)
    return ~np.asarray(empty.all(axis=-1), bool)


def measure(batches: Iterable[Chips], bands: Sequence[str], nodata: float | None) -> BandStats:
    """Return the statistics of batches `(N, H, W, C)`, reading each once and keeping none.

    A pixel is left out when every band equals `nodata`; a single NaN or infinite value is left out
    of its band. Percentiles are exact for integers of up to 16 bits, else within 0.2 %.

    Raises:
        InputError: a band has no valid value at all.
    """
    tallies: list[Tally] = []
    for batch in batches:
        tallies = tallies or [make_tally(batch.dtype) for _ in bands]
        _add_batch(tallies, batch, nodata)
    for name, tally in zip(bands, tallies, strict=True) if tallies else ():
        if tally.count == 0:
            raise InputError(
                f"band {name} has no valid pixel in the chips measured: all of them are no data "
                f"(nodata value {nodata}); check the nodata value or leave the band out"
            )
    if not tallies:
        raise InputError("statistics need at least one chip, got none; is the train part empty?")
    return _summarise(tallies)


def compute(store: ChipStore, indices: NDArray[np.int64] | None = None) -> BandStats:
    """Return the statistics of the chips at `indices`, or of the train part.

    Raises:
        InputError: there are no such chips, or a band has no valid value in them.
    """
    from agri_data.console import progress

    chosen = store.indices("train") if indices is None else np.asarray(indices, np.int64)
    if len(chosen) == 0:
        raise InputError(
            f"{store.path} has no chip in train, so there is nothing to measure; "
            "run `agri-data split` first"
        )
    chosen = np.sort(chosen)
    starts = range(0, len(chosen), STEP)
    batches = (store.images(chosen[i : i + STEP]) for i in progress(starts, "statistics"))
    return measure(batches, store.bands, store.info.nodata)


def _add_batch(tallies: Sequence[Tally], batch: Chips, nodata: float | None) -> None:
    valid = valid_pixels(batch, nodata)
    whole = bool(valid.all())
    for index, tally in enumerate(tallies):
        values = batch[..., index]
        values = values.ravel() if whole else values[valid]
        if np.issubdtype(values.dtype, np.floating):
            values = values[np.isfinite(values)]
        tally.add(values)


def _summarise(tallies: Sequence[Tally]) -> BandStats:
    moments = [tally.moments() for tally in tallies]
    limits = [tally.limits() for tally in tallies]
    return BandStats(
        mean=tuple(mean for mean, _ in moments),
        std=tuple(std for _, std in moments),
        minimum=tuple(low for low, _ in limits),
        maximum=tuple(high for _, high in limits),
        p02=tuple(tally.quantile(0.02) for tally in tallies),
        p98=tuple(tally.quantile(0.98) for tally in tallies),
        count=tuple(tally.count for tally in tallies),
    )


def _holds(dtype: np.dtype[Any], value: float) -> bool:
    """Whether an integer type can hold `value`; a nodata of -9999 never occurs in uint16."""
    if not np.issubdtype(dtype, np.integer):
        return True
    info = np.iinfo(dtype)
    return float(value).is_integer() and info.min <= value <= info.max
