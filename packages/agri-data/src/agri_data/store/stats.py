"""Per-band statistics of a set of chips, in the unit of the source; of the training split only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from agri_core.files.errors import InputError
from agri_core.raster.validity import chip_validity
from numpy.typing import NDArray

from agri_data.store.histogram import Histogram, make_histogram
from agri_data.store.info import BandStats

if TYPE_CHECKING:
    from agri_data.store.store import ChipStore

__all__ = ["BandStats", "compute", "constant_bands", "measure", "scale"]

Chips = NDArray[Any]
Stats = dict[str, BandStats]


def scale(stats: BandStats) -> float:
    """The deviation with 1 in place of 0, so that a constant band normalises to 0, not to NaN."""
    return stats.std if stats.std > 0 else 1.0


def constant_bands(stats: Mapping[str, BandStats]) -> list[str]:
    """Return the names of the bands that hold a single value, whose deviation is 0."""
    return [name for name, item in stats.items() if item.std == 0]


def measure(batches: Iterable[Chips], bands: Sequence[str], nodata: float | None) -> Stats:
    """Return the statistics of each band over batches `(N, H, W, C)`, each read once, none kept.

    A pixel is left out when every band equals `nodata`; a single NaN or infinite value is left out
    of its band. Percentiles are exact for integers of up to 16 bits, else within 0.2 %.

    Raises:
        InputError: a band has no valid value at all.
    """
    histograms: list[Histogram] = []
    for batch in batches:
        histograms = histograms or [make_histogram(batch.dtype) for _ in bands]
        _add_batch(histograms, batch, nodata)
    if not histograms:
        raise InputError("statistics need at least one chip, got none; is train empty?")
    return {
        name: _summarise(name, histogram) for name, histogram in zip(bands, histograms, strict=True)
    }


def compute(store: ChipStore, indices: NDArray[np.int64] | None = None) -> Stats:
    """Return the statistics per band name of the chips at `indices`, or of the training split.

    Raises:
        InputError: there are no such chips, or a band has no valid value in them.
    """
    from agri_core.files.console import progress

    chosen = store.indices("train") if indices is None else np.asarray(indices, np.int64)
    if len(chosen) == 0:
        raise InputError(
            f"{store.path} has no chip in train, so there is nothing to measure; "
            "run `agri-data split` first"
        )
    # In file order, so that neighbouring chips are read in one go.
    chosen = np.sort(chosen)
    step = store.info.batch
    starts = range(0, len(chosen), step)
    batches = (store.images(chosen[i : i + step]) for i in progress(starts, "statistics"))
    return measure(batches, store.bands, store.info.nodata)


def _add_batch(histograms: Sequence[Histogram], batch: Chips, nodata: float | None) -> None:
    valid = chip_validity(batch, nodata)
    whole = bool(valid.all())
    for index, histogram in enumerate(histograms):
        values = batch[..., index]
        values = values.ravel() if whole else values[valid]
        if np.issubdtype(values.dtype, np.floating):
            values = values[np.isfinite(values)]
        histogram.add(values)


def _summarise(name: str, histogram: Histogram) -> BandStats:
    if histogram.count == 0:
        raise InputError(
            f"band {name} has no valid pixel in the chips measured: all of them are no data; "
            "check the nodata value or leave the band out"
        )
    mean, std = histogram.moments()
    minimum, maximum = histogram.limits()
    p02, p98 = histogram.quantile(0.02), histogram.quantile(0.98)
    return BandStats(mean, std, minimum, maximum, p02, p98, histogram.count)
