"""Spaces of the baselines, without any network: pixel values, PCA, band statistics."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from agri_core.files.errors import InputError
from numpy.typing import ArrayLike

from agri_cluster.data.rows import RowFile, RowWriter
from agri_cluster.data.tiles import BATCH, Floats, Tiles, batches, sample

COMPONENTS = 50
VALUES = 2**25
"""Maximum float32 values of a set in memory at once (128 MiB); larger sets are sampled."""
STATISTICS = ("mean", "std", "min", "max")


class Mapped:
    """A set mapped by a function from items `(n, *shape)` to rows `(n, F)`."""

    def __init__(self, tiles: Tiles, width: int, function: Callable[[Floats], Floats]) -> None:
        self._tiles, self._function = tiles, function
        self.shape: tuple[int, ...] = (width,)
        self.ids = tiles.ids
        self.bands: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self._tiles)

    def take(self, indices: ArrayLike) -> Floats:
        """Return the rows at `indices`, `(n, F)`."""
        chosen = np.asarray(indices, np.int64)
        out = np.empty((len(chosen), *self.shape), np.float32)
        for start in range(0, len(chosen), BATCH):
            part = slice(start, start + BATCH)
            out[part] = self._function(self._tiles.take(chosen[part]))
        return out


def flat(tiles: Tiles) -> Tiles:
    """Return the values of each item as one row."""
    if len(tiles.shape) == 1:
        return tiles
    return Mapped(tiles, int(np.prod(tiles.shape)), lambda x: x.reshape(len(x), -1))


def principal(tiles: Tiles, rng: np.random.Generator, n_components: int = COMPONENTS) -> Tiles:
    """Return the first `n_components` principal components of the values, or as many as there are.

    They are fitted to as many tiles, drawn at random, as `VALUES` allows.
    """
    from sklearn.decomposition import PCA

    rows = flat(tiles)
    part = rows.take(sample(rows, fitting(rows), rng))
    model = PCA(min(n_components, *part.shape), random_state=int(rng.integers(2**31)))
    with np.errstate(invalid="ignore"):  # explained variance of constant data, which is not used
        model.fit(part)
    return Mapped(rows, model.n_components_, model.transform)


def statistics(tiles: Tiles) -> Tiles:
    """Return mean, standard deviation, minimum and maximum of each band, each standardised.

    Raises:
        InputError: the items are rows of features, which have no bands.
    """
    if len(tiles.shape) != 3:
        raise InputError("statistics of bands need image tiles (H, W, C), the items are rows")
    raw = Mapped(tiles, len(STATISTICS) * tiles.shape[2], _band_statistics)
    mean, deviation = _moments(raw)
    return Mapped(raw, raw.shape[0], lambda x: (x - mean) / deviation)


def stored(rows: Tiles, path: Path) -> RowFile:
    """Write rows `(N, F)` to an `.npy` file, so that they are computed once, and open it."""
    with RowWriter(path, len(rows), rows.shape[0]) as writer:
        for _, part in batches(rows):
            writer.add(part)
    return RowFile(path, rows.ids)


def fitting(rows: Tiles) -> int:
    """Return how many rows of this width may be in memory at once."""
    return max(VALUES // rows.shape[0], 2)


def _band_statistics(tiles: Floats) -> Floats:
    pixels = tiles.reshape(len(tiles), -1, tiles.shape[-1])
    found = (pixels.mean(1), pixels.std(1), pixels.min(1), pixels.max(1))
    return np.concatenate(found, axis=1)


def _moments(rows: Tiles) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each column; 1 for the deviation of a constant column."""
    total, squares = np.zeros(rows.shape), np.zeros(rows.shape)
    # Variance as E[x²] - E[x]² cancels where the mean is large; the first row is near enough to
    # it to keep the digits, and one pass is saved.
    shift = np.float64(rows.take([0])[0])
    for _, part in batches(rows):
        total += (part - shift).sum(axis=0)
        squares += ((part - shift) ** 2).sum(axis=0)
    mean = total / len(rows)
    deviation = np.sqrt(np.maximum(squares / len(rows) - mean**2, 0))
    deviation[deviation < 1e-6 * np.maximum(abs(shift), 1e-6)] = 1.0
    return (shift + mean).astype(np.float32), deviation.astype(np.float32)
