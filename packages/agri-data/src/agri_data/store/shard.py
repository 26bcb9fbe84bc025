"""One `.npy` file of a store: items by position, read without loading or mapping the rest."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from io import BufferedReader
from itertools import pairwise
from pathlib import Path

import numpy as np
from agri_core.files.errors import StoreError
from numpy.typing import NDArray


class Shard:
    """A read-only `.npy` file of shape `(N, ...)`.

    `view` gives one item as a memory-mapped view. `take` copies many with positioned reads: pages
    of a mapping would count as resident memory, so that it grew with the set.
    """

    def __init__(self, path: Path, chips: int) -> None:
        """Open `path`, which holds `chips` items.

        Raises:
            StoreError: the file is missing, truncated, or not a plain array of `chips` items.
        """
        self.path = path
        try:
            self._stream = path.open("rb")
            self._shape, self._dtype, self._offset = _read_header(self._stream)
            self._map = mmap.mmap(self._stream.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise StoreError(f"{path} cannot be read ({error}); build the store again") from error
        if self._shape[0] != chips:
            raise StoreError(
                f"{path} holds {self._shape[0]} chips, {chips} were recorded; build the store again"
            )
        self._items = np.frombuffer(self._map, self._dtype, offset=self._offset)
        self._items = self._items.reshape(self._shape)

    @property
    def item_shape(self) -> tuple[int, ...]:
        """Shape of one item."""
        return self._shape[1:]

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of the values."""
        return self._dtype

    def view(self, row: int) -> NDArray[np.generic]:
        """Return item `row` as a view into the file."""
        item: NDArray[np.generic] = self._items[row]
        return item

    def read_into(self, rows: NDArray[np.int64], out: NDArray[np.generic]) -> None:
        """Copy the items `rows` into the C-ordered array `out`, shape `(len(rows), ...)`.

        Raises:
            StoreError: the file was cut short while it was open.
        """
        size = int(np.prod(self.item_shape)) * self._dtype.itemsize
        target = memoryview(out.reshape(-1).view(np.uint8))  # type: ignore[arg-type]
        for first, last in _runs(rows):
            part = target[first * size : last * size]
            start = self._offset + int(rows[first]) * size
            if _read_fully(self._stream.fileno(), part, start) < len(part):
                raise StoreError(f"{self.path} became shorter while it was open")


def _read_header(
    stream: BufferedReader,
) -> tuple[tuple[int, ...], np.dtype[np.generic], int]:
    version = np.lib.format.read_magic(stream)
    # The only version that the writer makes.
    if version != (1, 0):
        raise ValueError(f"npy version {version} is not 1.0")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    if fortran or dtype.hasobject:
        raise ValueError("not a plain C-ordered array")
    offset = stream.tell()
    expected = offset + int(np.prod(shape)) * dtype.itemsize
    found = os.fstat(stream.fileno()).st_size
    if found != expected:
        raise ValueError(f"expected {expected} bytes, found {found}: the file is truncated")
    return shape, dtype, offset


def _runs(rows: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Iterate over the half-open spans of `rows` whose items follow one another in the file."""
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    edges = [0, *breaks.tolist(), len(rows)]
    return ((a, b) for a, b in pairwise(edges) if b > a)


def _read_fully(descriptor: int, target: memoryview, start: int) -> int:
    done = 0
    while done < len(target):
        # Positioned, so that readers share the file; it may return fewer bytes than asked for.
        count = os.preadv(descriptor, [target[done:]], start + done)
        if count == 0:
            break
        done += count
    return done
