"""One `.npy` file of a store: items by position, read without loading or mapping the rest."""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Collection, Iterator
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from agri_core.files.errors import InputError, StoreError
from agri_core.files.folders import open_plain
from numpy.typing import NDArray

MAGIC = b"\x93NUMPY\x01\x00"
"""Of version 1.0, the only one that the writer makes."""
MAX_HEADER = 4096
"""Bytes; the writer's headers have 128."""
IMAGE_TYPES = tuple(
    np.dtype(name)
    for name in (
        "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64",
        "float16", "float32", "float64",
    )
)  # fmt: skip
"""Of pixels: real numbers in the machine's own byte order."""
MASK_TYPES = (np.dtype("uint8"),)
# The header is matched, not evaluated as NumPy does: its text comes from a file of any origin.
_HEADER = re.compile(
    rb"\{'descr': '([<>|=][a-zA-Z]\d{1,2})', 'fortran_order': (True|False), "
    rb"'shape': \((\d{1,15}(?:, \d{1,15})*),?\), \} *\n"
)


class Shard:
    """A read-only `.npy` file of shape `(N, ...)`.

    `view` gives one item as a memory-mapped view. `take` copies many with positioned reads: pages
    of a mapping would count as resident memory, so that it grew with the set.
    """

    def __init__(
        self,
        path: Path,
        chips: int,
        item_shape: tuple[int, ...] | None,
        types: Collection[np.dtype[Any]] = IMAGE_TYPES,
    ) -> None:
        """Open `path`, which holds `chips` items of shape `item_shape` and of one of `types`.

        Without a recorded `item_shape` that of the file counts.

        Raises:
            StoreError: the file is missing, truncated, or no plain array of what was recorded.
        """
        self.path = path
        try:
            self._stream = open_plain(path)
            self._shape, self._dtype, self._offset = _read_header(self._stream)
            item = self._shape[1:] if item_shape is None else item_shape
            _check(self._shape, self._dtype, (chips, *item), types)
            self._map = mmap.mmap(self._stream.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise StoreError(f"{path} cannot be read ({reason}); build the store again") from error
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


def _read_header(stream: BinaryIO) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    """Return shape, type and offset of an array that fills its file from there on.

    Raises:
        InputError: it is none, or the file is longer or shorter.
    """
    start = stream.read(len(MAGIC) + 2)
    if start[: len(MAGIC)] != MAGIC:
        raise InputError("it is no npy file of version 1.0")
    length = int.from_bytes(start[len(MAGIC) :], "little")
    text = stream.read(min(length, MAX_HEADER))
    found = _HEADER.fullmatch(text)
    if length > MAX_HEADER or found is None:
        raise InputError("its header is not that of an array of numbers")
    code, fortran, numbers = (part.decode() for part in found.groups())
    if fortran == "True":
        raise InputError("its values are not in C order")
    known = {kind.str: kind for kind in IMAGE_TYPES}
    if code not in known:
        raise InputError(f"it holds values of type '{code}', not plain numbers")
    shape = tuple(int(number) for number in numbers.split(", "))
    offset = len(start) + length
    expected = offset + prod(shape) * known[code].itemsize
    size = os.fstat(stream.fileno()).st_size
    if size != expected:
        word = "truncated" if size < expected else "longer than its array"
        raise InputError(f"expected {expected} bytes, found {size}: the file is {word}")
    return shape, known[code], offset


def _check(
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    recorded: tuple[int, ...],
    types: Collection[np.dtype[Any]],
) -> None:
    if shape != recorded:
        raise InputError(f"it holds an array of shape {shape}, {recorded} was recorded")
    if dtype not in types:
        raise InputError(f"it holds {dtype}, {' or '.join(map(str, types))} is expected")


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
