"""Streaming histograms of bands, from which every band statistic follows.

A value maps to a bin by an order-preserving key. Integers of up to 16 bits have one bin a value,
so all figures are exact. Floats take the top `FLOAT_BITS` bits of their float32 pattern, made
monotone: bins of equal relative width (0.2 % of the value) over every magnitude and both signs,
whatever the range and the order of arrival. Their mean and deviation do not come from the bins
but from batch moments merged as in Chan, Golub and LeVeque (1979), which is stable.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]

# The sign, 8 bits of exponent and 9 of mantissa: bins of 2**-9 of the value, 2 MB a band.
FLOAT_BITS = 18


class Histogram(Protocol):
    """Counts of one band's values."""

    def add(self, values: Values) -> None:
        """Count one-dimensional `values`."""

    @property
    def count(self) -> int:
        """How many values were counted."""

    def moments(self) -> tuple[float, float]:
        """Mean and population standard deviation."""

    def limits(self) -> tuple[float, float]:
        """Smallest and largest value."""

    def quantile(self, share: float) -> float:
        """The value below which `share` of the values lie, numpy's `linear` rule."""


class IntegerHistogram:
    """Exact counts of an integer type of at most 16 bits."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        info = np.iinfo(dtype)
        self._low = int(info.min)
        self._bins = np.zeros(int(info.max) - self._low + 1, np.int64)

    def add(self, values: Values) -> None:
        """Count one-dimensional `values`."""
        keys = values.astype(np.intp) - self._low
        self._bins += np.bincount(keys, minlength=len(self._bins))

    @property
    def count(self) -> int:
        """How many values were counted."""
        return int(self._bins.sum())

    def moments(self) -> tuple[float, float]:
        """Mean and population standard deviation."""
        used = np.flatnonzero(self._bins)
        weights, values = self._bins[used].astype(np.float64), (used + self._low).astype(np.float64)
        mean = float(np.average(values, weights=weights))
        return mean, float(np.sqrt(np.average((values - mean) ** 2, weights=weights)))

    def limits(self) -> tuple[float, float]:
        """Smallest and largest value."""
        used = np.flatnonzero(self._bins)
        return float(used[0] + self._low), float(used[-1] + self._low)

    def quantile(self, share: float) -> float:
        """The value below which `share` of the values lie, numpy's `linear` rule; exact."""
        ends = np.cumsum(self._bins)
        position = share * (int(ends[-1]) - 1)
        below, above = np.searchsorted(ends, [np.floor(position), np.ceil(position)], side="right")
        return float(below + (above - below) * (position - np.floor(position)) + self._low)


class FloatHistogram:
    """Counts of floats: merged moments, and logarithmic bins for the quantiles."""

    def __init__(self) -> None:
        self._bins = np.zeros(1 << FLOAT_BITS, np.int64)
        self._count, self._mean, self._squares = 0, 0.0, 0.0
        self._low, self._high = np.inf, -np.inf

    def add(self, values: Values) -> None:
        """Count one-dimensional finite `values`."""
        if values.size == 0:
            return
        self._merge(values.astype(np.float64))
        keys = _float_keys(values.astype(np.float32))
        self._bins += np.bincount(keys, minlength=len(self._bins))
        self._low = min(self._low, float(values.min()))
        self._high = max(self._high, float(values.max()))

    def _merge(self, values: NDArray[np.float64]) -> None:
        mean = float(values.mean())
        squares = float(np.square(values - mean).sum())
        total, step = self._count + values.size, mean - self._mean
        self._squares += squares + step * step * self._count * values.size / total
        self._mean += step * values.size / total
        self._count = total

    @property
    def count(self) -> int:
        """How many values were counted."""
        return self._count

    def moments(self) -> tuple[float, float]:
        """Mean and population standard deviation."""
        # Rounding would leave a tiny deviation, and `constant_bands` would miss the band.
        if self._low == self._high:
            return self._low, 0.0
        return self._mean, float(np.sqrt(self._squares / self._count))

    def limits(self) -> tuple[float, float]:
        """Smallest and largest value."""
        return self._low, self._high

    def quantile(self, share: float) -> float:
        """The value below which `share` of the values lie, within the width of its bin."""
        ends = np.cumsum(self._bins)
        position = share * (self._count - 1)
        bin_ = int(np.searchsorted(ends, np.floor(position), side="right"))
        before = int(ends[bin_ - 1]) if bin_ else 0
        low, high = _float_edges(bin_)
        # Values are taken as evenly spread over the bin.
        value = low + (high - low) * (position - before + 0.5) / int(self._bins[bin_])
        return float(np.clip(value, self._low, self._high))


def make_histogram(dtype: np.dtype[Any]) -> Histogram:
    """Return the exact histogram where the type allows it, else the one for floats."""
    if np.issubdtype(dtype, np.integer) and dtype.itemsize <= 2:
        return IntegerHistogram(dtype)
    return FloatHistogram()


def _float_keys(values: NDArray[np.float32]) -> NDArray[np.intp]:
    """Map floats to bins in their order; flips the bits of negatives (Herf, radix tricks)."""
    bits = values.view(np.uint32)
    # As whole numbers the bits of negative floats fall where the floats rise, so all are flipped.
    ordered = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))
    return (ordered >> np.uint32(32 - FLOAT_BITS)).astype(np.intp)


def _float_edges(bin_: int) -> tuple[float, float]:
    edges = np.array([bin_, bin_ + 1], np.uint64) << np.uint64(32 - FLOAT_BITS)
    ordered = np.minimum(edges, np.uint64(0xFFFFFFFF)).astype(np.uint32)
    positive = ordered >> 31 == 1
    bits = np.where(positive, ordered & np.uint32(0x7FFFFFFF), ~ordered)
    low, high = np.ascontiguousarray(bits).view(np.float32).astype(np.float64)
    return float(low), float(high)
