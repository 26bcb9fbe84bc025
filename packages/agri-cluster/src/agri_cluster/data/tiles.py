"""Items to cluster: rows of features or image tiles, read by position, never all at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from agri_core.files.errors import InputError
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

BATCH = 256


class Tiles(Protocol):
    """A set of items of one shape, `(H, W, C)` for image tiles or `(F,)` for features.

    Attributes:
        shape: of one item.
        ids: a unique name for each item.
        bands: band names in channel order; empty where channels have no names.
    """

    shape: tuple[int, ...]
    ids: Sequence[str]
    bands: tuple[str, ...]

    def __len__(self) -> int:
        """Return how many items there are."""

    def take(self, indices: ArrayLike) -> Floats:
        """Return the items at `indices`, `(N, *shape)`, finite, ready for the encoder."""


class ArrayTiles:
    """An array in memory, `(N, H, W, C)` or `(N, F)`, without scaling."""

    def __init__(self, array: ArrayLike, ids: Sequence[str] | None = None) -> None:
        """Wrap `array`.

        Raises:
            InputError: it has another number of axes, no items, or values that are not finite.
        """
        self._array = np.asarray(array)
        if self._array.ndim not in (2, 4) or 0 in self._array.shape:
            raise InputError(
                "features (N, F) or tiles (N, H, W, C) are expected, got an array of shape "
                f"{self._array.shape}"
            )
        self._refuse_gaps()
        self.shape = self._array.shape[1:]
        self.ids: Sequence[str] = ids or [str(row) for row in range(len(self._array))]
        self.bands: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self._array)

    def take(self, indices: ArrayLike) -> Floats:
        """Return the items at `indices` as float32."""
        return np.asarray(self._array[np.asarray(indices, np.int64)], np.float32)

    def _refuse_gaps(self) -> None:
        if self._array.dtype.kind not in "biuf":
            raise InputError(f"numbers are expected, got an array of {self._array.dtype}")
        for start in range(0, len(self._array), BATCH):
            part = self._array[start : start + BATCH]
            finite = np.isfinite(part.reshape(len(part), -1)).all(axis=1)
            if not finite.all():
                row = start + int(np.argmin(finite))
                raise InputError(
                    f"item {row} of {len(self._array)} holds NaN or infinity; fill or drop such "
                    "items first"
                )


class Part:
    """Some items of another set, in the order given."""

    def __init__(self, tiles: Tiles, indices: ArrayLike) -> None:
        self._tiles, self._indices = tiles, np.asarray(indices, np.int64)
        self.shape, self.bands = tiles.shape, tiles.bands
        self.ids: Sequence[str] = [tiles.ids[i] for i in self._indices]

    def __len__(self) -> int:
        return len(self._indices)

    def take(self, indices: ArrayLike) -> Floats:
        """Return the items at `indices` of this part."""
        return self._tiles.take(self._indices[np.asarray(indices, np.int64)])


def batches(tiles: Tiles, size: int = BATCH) -> Iterator[tuple[Ints, Floats]]:
    """Iterate over all items in order: positions `(n,)` and items `(n, *shape)`, n <= size."""
    for start in range(0, len(tiles), size):
        indices = np.arange(start, min(start + size, len(tiles)), dtype=np.int64)
        yield indices, tiles.take(indices)


def sample(tiles: Tiles, count: int, rng: np.random.Generator) -> Ints:
    """Return `count` positions drawn without replacement, in rising order; at most all."""
    if count >= len(tiles):
        return np.arange(len(tiles), dtype=np.int64)
    return np.sort(rng.choice(len(tiles), count, replace=False)).astype(np.int64)


def in_memory(tiles: Tiles) -> NDArray[Any]:
    """Return all items as one array, for methods that need the whole set at once."""
    return tiles.take(np.arange(len(tiles)))
