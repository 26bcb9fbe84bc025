"""Features of a whole set, written to disk a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.atomic import replacing_file
from agri_core.files.console import progress
from agri_core.files.errors import InputError
from numpy.typing import ArrayLike

from agri_cluster.backend.precision import computing
from agri_cluster.data.rows import RowFile, RowWriter
from agri_cluster.data.tiles import BATCH, Floats, Tiles, batches
from agri_cluster.encoders.registry import Encoder
from agri_cluster.encoders.rotations import check_views, mean_over_rotations, rotate
from agri_cluster.encoders.whitening import Whitening, fit_whitening


def extract(
    encoder: Encoder | Any,
    tiles: Tiles,
    path: Path,
    *,
    batch: int = BATCH,
    views: int = 1,
    precision: str = "float32",
) -> RowFile:
    """Write the features of all tiles to `path`, an `.npy` of rows, and return them as a set.

    Args:
        encoder: an `Encoder` or a Keras model from items to rows.
        tiles: the items.
        path: of the file, which is replaced when it is complete.
        batch: items at a time.
        views: rotations and reflections of each tile (`agri_cluster.encoders.rotations`), itself
            first, 1..8: the file holds that many rows per tile, one after the other.
        precision: "float32", or "mixed_bfloat16" for processors that are faster at it.

    Raises:
        InputError: features are not finite, or tiles of more than one view are not square.
    """
    model = encoder.model if isinstance(encoder, Encoder) else encoder
    check_views(tiles.shape, views)
    starts = range(0, len(tiles), batch)
    width = model.output_shape[-1]
    with (
        computing(model, precision),
        replacing_file(path) as temporary,
        RowWriter(temporary, len(tiles) * views, width) as writer,
    ):
        for start in progress(starts, "features"):
            items = tiles.take(np.arange(start, min(start + batch, len(tiles))))
            rows = np.stack([encode(model, rotate(items, v), batch) for v in range(views)], axis=1)
            _check_finite(rows.reshape(len(rows), -1), tiles, start)
            writer.add(rows.reshape(-1, width))
    return RowFile(path, _names(tiles, views))


@dataclass(frozen=True, slots=True)
class Features:
    """Whitened features of a set.

    Attributes:
        model: one Keras model from a tile to its row: the mean over the rotations, whitened.
        rows: of all tiles, `(N, P)`.
        rotations: of all rotations and reflections, `(N * views, P)`; None with one view.
    """

    model: Any
    rows: RowFile
    rotations: RowFile | None


def extract_whitened(
    encoder: Encoder,
    tiles: Tiles,
    folder: Path,
    *,
    n_components: int = 50,
    whiten: bool = False,
    views: int = 1,
    **options: Any,
) -> Features:
    """Write rows of `n_components` columns to `folder`; `options` are those of `extract`.

    Rows have a mean square of 1, which suits a network's input.
    """
    raw = extract(encoder, tiles, folder / "raw.npy", views=views, **options)
    means = _Mean(raw, tiles, views)
    whitening = fit_whitening(means, encoder.groups, n_components, whiten=whiten, level=1.0)
    rows = _write(whitening, means, folder / "features.npy")
    rotations = _write(whitening, raw, folder / "rotations.npy") if views > 1 else None
    raw.path.unlink()
    return Features(whitening.on(mean_over_rotations(encoder.model, views)), rows, rotations)


class _Mean:
    """The mean row of each tile's views, as a set."""

    def __init__(self, raw: RowFile, tiles: Tiles, views: int) -> None:
        self._raw, self._views = raw, views
        self.shape, self.ids, self.bands = raw.shape, tiles.ids, raw.bands

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, indices: ArrayLike) -> Floats:
        first = np.asarray(indices, np.int64)[:, None] * self._views
        rows = self._raw.take((first + np.arange(self._views)).ravel())
        mean: Floats = rows.reshape(-1, self._views, *self.shape).mean(axis=1, dtype=np.float32)
        return mean


def _write(whitening: Whitening, raw: Tiles, path: Path) -> RowFile:
    with (
        replacing_file(path) as temporary,
        RowWriter(temporary, len(raw), whitening.matrix.shape[1]) as writer,
    ):
        for _, rows in batches(raw):
            writer.add(whitening.apply(rows))
    return RowFile(path, raw.ids)


def _names(tiles: Tiles, views: int) -> Sequence[str]:
    if views == 1:
        return tiles.ids
    return [f"{name}/{view}" for name in tiles.ids for view in range(views)]


def encode(model: Any, items: Floats, batch: int = BATCH) -> Floats:
    """Return `model(items)`, `(n, F)` float32, for at most `batch` items.

    Smaller batches are padded, so that the framework compiles one shape only.
    """
    count = len(items)
    if count < batch:
        items = np.concatenate([items, np.zeros((batch - count, *items.shape[1:]), np.float32)])
    return np.asarray(model.predict_on_batch(items), np.float32)[:count]


def _check_finite(rows: Floats, tiles: Tiles, start: int) -> None:
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        name = tiles.ids[start + int(np.argmin(finite))]
        raise InputError(
            f"the encoder gives NaN or infinity for item {name}; its weights are damaged or the "
            "item's values are out of range"
        )
