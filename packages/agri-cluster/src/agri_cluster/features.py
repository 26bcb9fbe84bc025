"""Features of a whole set, written to disk a batch at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from agri_data.atomic import replacing_file
from agri_data.console import progress
from agri_data.errors import InputError

from agri_cluster.encoders import Encoder
from agri_cluster.precision import computing
from agri_cluster.rows import RowFile, RowWriter
from agri_cluster.tiles import BATCH, Floats, Tiles, batches
from agri_cluster.whitening import Whitening, fit_whitening

TURNS = 8
"""The ways to lay a square tile: four quarter turns, each also mirrored."""


def extract(
    encoder: Encoder | Any,
    tiles: Tiles,
    path: Path,
    *,
    batch: int = BATCH,
    rng: np.random.Generator | None = None,
    views: int = 1,
    precision: str = "float32",
) -> RowFile:
    """Write the features of all tiles to `path`, an `.npy` of rows, and return them as a set.

    Args:
        encoder: an `Encoder` or a Keras model from items to rows.
        tiles: the items.
        path: of the file, which is replaced when it is complete.
        batch: items at a time.
        rng: draws the further views; without, they are taken in a fixed order.
        views: how many quarter turns and mirrorings of a tile, itself included, the features are
            the mean of, 1..8.
        precision: "float32", or "mixed_bfloat16", which takes two thirds of the time on a processor
            with AVX512_BF16 and turns a row of SqueezeNet's features by 1.5 degrees at most. A
            clustering is fitted and applied in one of them.

    Raises:
        InputError: features come out that are not finite, or views are asked of no square tiles.
    """
    model = encoder.model if isinstance(encoder, Encoder) else encoder
    _check_views(tiles.shape, views)
    starts = range(0, len(tiles), batch)
    with (
        computing(model, precision),
        replacing_file(path) as temporary,
        RowWriter(temporary, len(tiles), model.output_shape[-1]) as writer,
    ):
        for start in progress(starts, "features"):
            indices = np.arange(start, min(start + batch, len(tiles)))
            rows = _mean_view(model, tiles.take(indices), batch, _turns(views, rng))
            _check_finite(rows, tiles, start)
            writer.add(rows)
    return RowFile(path, tiles.ids)


def extract_whitened(
    encoder: Encoder,
    tiles: Tiles,
    path: Path,
    *,
    parts: int = 50,
    whiten: bool = False,
    **options: Any,
) -> tuple[Any, RowFile]:
    """Write unit rows of `parts` columns to `path`; return the model that makes them, and them.

    The model maps a tile to its row and can be saved as one `.keras` file. `options` are those of
    `extract`; with several views the model gives the row of a tile as it lies.
    """
    with replacing_file(path) as temporary:
        raw = extract(encoder, tiles, temporary.with_name("raw.npy"), **options)
        whitening = fit_whitening(raw, encoder.groups, parts, whiten=whiten)
        _write(whitening, raw, temporary)
    return whitening.on(encoder.model), RowFile(path, tiles.ids)


def _write(whitening: Whitening, raw: RowFile, path: Path) -> None:
    with RowWriter(path, len(raw), whitening.matrix.shape[1]) as writer:
        for _, rows in batches(raw):
            writer.add(whitening.apply(rows))


def encode(model: Any, items: Floats, batch: int = BATCH) -> Floats:
    """Return `model(items)`, `(n, F)` float32, for at most `batch` items.

    Fewer are filled up, so that the framework compiles one shape only.
    """
    count = len(items)
    if count < batch:
        items = np.concatenate([items, np.zeros((batch - count, *items.shape[1:]), np.float32)])
    return np.asarray(model.predict_on_batch(items), np.float32)[:count]


def turn(items: Floats, number: int) -> Floats:
    """Return tiles `(N, H, W, C)` turned by `number` % 4 quarters, mirrored first from 4 on."""
    mirrored = items[:, :, ::-1] if number >= 4 else items
    return np.ascontiguousarray(np.rot90(mirrored, number % 4, axes=(1, 2)))


def _mean_view(model: Any, items: Floats, batch: int, turns: list[int]) -> Floats:
    rows = [encode(model, turn(items, t) if t else items, batch) for t in turns]
    return rows[0] if len(rows) == 1 else np.mean(rows, axis=0, dtype=np.float32)


def _turns(views: int, rng: np.random.Generator | None) -> list[int]:
    others = np.arange(1, TURNS) if rng is None else 1 + rng.permutation(TURNS - 1)
    return [0, *others[: views - 1].tolist()]


def _check_views(shape: tuple[int, ...], views: int) -> None:
    if not 1 <= views <= TURNS:
        raise InputError(f"views of a tile are 1 to {TURNS}, got {views}")
    if views > 1 and (len(shape) != 3 or shape[0] != shape[1]):
        raise InputError(f"only square tiles can be turned, these items are of shape {shape}")


def _check_finite(rows: Floats, tiles: Tiles, start: int) -> None:
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        name = tiles.ids[start + int(np.argmin(finite))]
        raise InputError(
            f"the encoder gives NaN or infinity for item {name}; its weights are damaged or the "
            "item's values are out of range"
        )
