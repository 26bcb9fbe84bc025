"""A table of float rows on disk: written a batch at a time, read by position.

Features and embeddings of a large set live here; only the batch at hand is in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from agri_data.store.shard import Shard
from numpy.lib import format as npy
from numpy.typing import ArrayLike, NDArray

from agri_cluster.data.tiles import Floats


class RowWriter:
    """Write an `.npy` of shape `(count, width)`, float32, batch by batch; use with `with`."""

    def __init__(self, path: Path, count: int, width: int) -> None:
        self._left = count * width
        self._stream = path.open("wb")
        header = {"descr": "<f4", "fortran_order": False, "shape": (count, width)}
        npy.write_array_header_1_0(self._stream, header)

    def __enter__(self) -> RowWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stream.close()
        if kind is None and self._left:
            raise ValueError(f"{self._left} values of the announced table were not written")

    def add(self, rows: NDArray[np.floating]) -> None:
        """Append rows `(n, width)`."""
        self._left -= rows.size
        self._stream.write(np.ascontiguousarray(rows, "<f4").data)


class RowFile:
    """An `.npy` of rows `(N, F)` as a set to cluster (`agri_cluster.data.tiles.Tiles`)."""

    def __init__(self, path: Path, ids: Sequence[str]) -> None:
        """Open `path`, which holds one row for each of `ids`.

        Raises:
            StoreError: the file is missing, cut short or holds another number of rows.
        """
        self.path, self.ids = path, ids
        self.bands: tuple[str, ...] = ()
        self._shard = Shard(path, len(ids), None, (np.dtype(np.float32),))
        self.shape = self._shard.item_shape

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, indices: ArrayLike) -> Floats:
        """Return the rows at `indices`, `(n, F)`."""
        rows = np.asarray(indices, np.int64)
        out = np.empty((len(rows), *self.shape), np.float32)
        self._shard.read_into(rows, out)
        return out
