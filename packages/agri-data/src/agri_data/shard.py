"""One `.npy` file of a store, memory-mapped, giving pages back so resident memory stays flat."""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agri_data.errors import StoreError

RESIDENT_BYTES = 64 * 1024 * 1024


class Shard:
    """A read-only view `(N, ...)` of a `.npy` file.

    Pages that were read stay mapped, and count as resident memory, until told otherwise; after
    every `RESIDENT_BYTES` of reads the mapping is dropped (the system's page cache keeps them).
    """

    def __init__(self, path: Path, chips: int) -> None:
        """Map `path`, which holds `chips` items.

        Raises:
            StoreError: the file is missing, truncated, or not a plain array of `chips` items.
        """
        self.path = path
        try:
            self._map, self.array = _open_array(path)
        except (OSError, ValueError) as error:
            raise StoreError(f"{path} cannot be read ({error}); build the store again") from error
        if len(self.array) != chips:
            raise StoreError(
                f"{path} holds {len(self.array)} chips, {chips} were recorded; "
                "build the store again"
            )
        self._read = 0

    def take(self, rows: NDArray[np.int64]) -> NDArray[np.generic]:
        """Return a copy of the items `rows`."""
        items = self.array[rows]
        self._release(items.nbytes)
        return items

    def _release(self, count: int) -> None:
        self._read += count
        if self._read > RESIDENT_BYTES and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)
            self._read = 0


def _open_array(path: Path) -> tuple[mmap.mmap, NDArray[np.generic]]:
    with path.open("rb") as stream:
        version = np.lib.format.read_magic(stream)
        if version != (1, 0):
            raise ValueError(f"npy version {version} is not 1.0")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
        if fortran or dtype.hasobject:
            raise ValueError("not a plain C-ordered array")
        offset = stream.tell()
        mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    expected = offset + int(np.prod(shape)) * dtype.itemsize
    if len(mapped) != expected:
        raise ValueError(f"expected {expected} bytes, found {len(mapped)}: the file is truncated")
    return mapped, np.frombuffer(mapped, dtype, offset=offset).reshape(shape)
