"""Pretraining of the embedding: an encoder and a decoder that give the tiles back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from agri_core.files.console import Bar, progress_bar
from agri_core.files.errors import InputError
from numpy.typing import NDArray

from agri_cluster.backend.checkpoint import Clock
from agri_cluster.backend.framework import keras
from agri_cluster.backend.resume import go_on, keep
from agri_cluster.data.tiles import Floats, Ints, Tiles
from agri_cluster.encoders.draws import Draw

PATIENCE = 20.0
"""Seconds between two states of a run; less is lost to a kill."""


@dataclass(frozen=True, slots=True)
class Pretraining:
    """How the autoencoder is trained.

    Attributes:
        epochs: passes over the tiles.
        batch: tiles a step.
        lr: of Adam, falling to 0 along a cosine.
        noise: share of input values set to 0, each anew at every step (denoising, as in DEC).
    """

    epochs: int = 30
    batch: int = 256
    lr: float = 0.001
    noise: float = 0.0

    def __post_init__(self) -> None:
        if self.epochs < 0 or self.batch < 1 or not self.lr > 0 or not 0 <= self.noise < 1:
            raise InputError(
                "epochs of 0 or more, a batch of 1 or more, lr above 0 and noise from 0 to below 1 "
                f"are expected, got {self}"
            )


def pretrain_autoencoder(
    encoder: keras.Model,
    decoder: keras.Model,
    tiles: Tiles,
    how: Pretraining,
    rng: np.random.Generator,
    draw: Draw | None = None,
    state: Path | None = None,
) -> list[float]:
    """Train both on the mean squared error and return the mean loss of each epoch.

    With `draw` the input is a view of the tile, and the decoder gives back that same view.

    Args:
        encoder: item to embedding `(D,)`.
        decoder: embedding to item.
        tiles: what to learn from.
        how: the schedule.
        rng: draws order, noise and views.
        draw: gives the views.
        state: file kept up to date between epochs; when it is there, the run goes on from it.

    Raises:
        InputError: the loss is no longer finite.
    """
    steps = -(-len(tiles) // how.batch)
    inputs = keras.Input(tiles.shape)
    model = keras.Model(inputs, decoder(encoder(inputs)))
    rate = keras.optimizers.schedules.CosineDecay(how.lr, max(steps * how.epochs, 1))
    model.compile(optimizer=keras.optimizers.Adam(rate), loss="mse")
    model.optimizer.build(model.trainable_variables)
    settings = f"{len(tiles)} items {tiles.shape}, {how}, views: {draw}"
    found = go_on(state, model, rng, settings)
    losses: list[float] = found[1]["losses"] if found else []
    bar = progress_bar("autoencoder", how.epochs * steps, "step")
    bar.update(len(losses) * steps)
    clock = Clock(PATIENCE)

    def plain(rows: Ints, rng: np.random.Generator) -> Floats:
        return tiles.take(rows)

    view = draw or plain
    for _ in range(len(losses), how.epochs):
        losses.append(_epoch(model, view, len(tiles), how, rng, bar))
        if not np.isfinite(losses[-1]):
            raise InputError(
                f"the autoencoder's loss became {losses[-1]} in epoch {len(losses)}; lower the "
                f"learning rate ({how.lr:g}), or standardise the input"
            )
        if clock.due() or len(losses) == how.epochs:
            keep(state, model, rng, settings, {"losses": losses})
    bar.close()
    return losses


def _epoch(
    model: keras.Model,
    draw: Draw,
    count: int,
    how: Pretraining,
    rng: np.random.Generator,
    bar: Bar,
) -> float:
    order, total = rng.permutation(count), 0.0
    for first in range(0, count, how.batch):
        chosen = order[first : first + how.batch]
        clean = draw(chosen, rng)
        loss = model.train_on_batch(_spoilt(clean, how.noise, rng), clean)
        total += float(np.asarray(loss)) * len(chosen)
        model.reset_metrics()
        bar.update()
    return total / count


def _spoilt(clean: Floats, share: float, rng: np.random.Generator) -> NDArray[np.float32]:
    if not share:
        return clean
    return np.asarray(clean * (rng.random(clean.shape, np.float32) >= share), np.float32)
