"""Autoencoder pretraining: encoder and decoder learn to reconstruct the tiles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from agri_core.files.console import Bar, progress_bar
from agri_core.files.errors import InputError
from numpy.typing import NDArray

from agri_cluster.backend.checkpoint import SAVE_SECONDS, Timer
from agri_cluster.backend.framework import keras
from agri_cluster.backend.resume import resume_run, save_run
from agri_cluster.data.tiles import Floats, Ints, Tiles
from agri_cluster.encoders.draws import Draw


@dataclass(frozen=True, slots=True)
class AutoencoderConfig:
    """How the autoencoder is trained.

    Attributes:
        epochs: passes over the tiles.
        batch_size: tiles per step.
        learning_rate: of Adam, with cosine decay to 0.
        noise: share of input values set to 0, drawn at every step (denoising, as in DEC).
    """

    epochs: int = 30
    batch_size: int = 256
    learning_rate: float = 0.001
    noise: float = 0.0

    def __post_init__(self) -> None:
        sizes = self.epochs >= 0 and self.batch_size >= 1
        if not sizes or not self.learning_rate > 0 or not 0 <= self.noise < 1:
            raise InputError(
                "epochs of 0 or more, batch_size of 1 or more, learning_rate above 0 and noise "
                f"from 0 to below 1 are expected, got {self}"
            )


def pretrain_autoencoder(
    encoder: keras.Model,
    decoder: keras.Model,
    tiles: Tiles,
    config: AutoencoderConfig,
    rng: np.random.Generator,
    draw: Draw | None = None,
    state: Path | None = None,
) -> list[float]:
    """Train both on the mean squared error and return the mean loss of each epoch.

    With `draw` the input is an augmented view of the tile, and that view is reconstructed.

    Args:
        encoder: item to embedding `(D,)`.
        decoder: embedding to item.
        tiles: the training set.
        config: the schedule.
        rng: draws order, noise and views.
        draw: gives the views.
        state: checkpoint, written between epochs; an existing one is resumed.

    Raises:
        InputError: the loss is no longer finite.
    """
    steps = -(-len(tiles) // config.batch_size)
    inputs = keras.Input(tiles.shape)
    model = keras.Model(inputs, decoder(encoder(inputs)))
    decay_steps = max(steps * config.epochs, 1)
    rate = keras.optimizers.schedules.CosineDecay(config.learning_rate, decay_steps)
    model.compile(optimizer=keras.optimizers.Adam(rate), loss="mse")
    model.optimizer.build(model.trainable_variables)
    settings = f"{len(tiles)} items {tiles.shape}, {config}, views: {draw}"
    found = resume_run(state, model, rng, settings)
    losses: list[float] = found[1]["losses"] if found else []
    bar = progress_bar("autoencoder", config.epochs * steps, "step")
    bar.update(len(losses) * steps)
    timer = Timer(SAVE_SECONDS)

    def plain(rows: Ints, rng: np.random.Generator) -> Floats:
        return tiles.take(rows)

    view = draw or plain
    for _ in range(len(losses), config.epochs):
        losses.append(_epoch(model, view, len(tiles), config, rng, bar))
        if not np.isfinite(losses[-1]):
            raise InputError(
                f"the autoencoder's loss became {losses[-1]} in epoch {len(losses)}; lower the "
                f"learning rate ({config.learning_rate:g}), or standardise the input"
            )
        if timer.due() or len(losses) == config.epochs:
            save_run(state, model, rng, settings, {"losses": losses})
    bar.close()
    return losses


def _epoch(
    model: keras.Model,
    draw: Draw,
    count: int,
    config: AutoencoderConfig,
    rng: np.random.Generator,
    bar: Bar,
) -> float:
    order, total = rng.permutation(count), 0.0
    for first in range(0, count, config.batch_size):
        chosen = order[first : first + config.batch_size]
        clean = draw(chosen, rng)
        loss = model.train_on_batch(_masked(clean, config.noise, rng), clean)
        total += float(np.asarray(loss)) * len(chosen)
        model.reset_metrics()
        bar.update()
    return total / count


def _masked(clean: Floats, share: float, rng: np.random.Generator) -> NDArray[np.float32]:
    if not share:
        return clean
    return np.asarray(clean * (rng.random(clean.shape, np.float32) >= share), np.float32)
