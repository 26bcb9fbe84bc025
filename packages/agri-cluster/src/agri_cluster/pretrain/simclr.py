"""Contrastive pretraining of an encoder (SimCLR, Chen et al. 2020): no labels, no downloads.

Two augmented views of a tile are drawn together and away from the views of all other tiles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from math import cos, pi
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.console import Bar, progress_bar
from agri_core.files.errors import InputError

from agri_cluster.backend.framework import keras
from agri_cluster.backend.precision import computing
from agri_cluster.backend.prefetch import prefetch
from agri_cluster.backend.resume import resume_run, save_run
from agri_cluster.data.tiles import Floats, Tiles
from agri_cluster.encoders.jitter import measure_level
from agri_cluster.encoders.registry import build_encoder
from agri_cluster.encoders.views import Views, resized
from agri_cluster.pretrain.contrast import ContrastConfig
from agri_cluster.pretrain.nt_xent import nt_xent

OnEpoch = Callable[[int, float], None]


class Contrast(keras.Model):  # type: ignore[misc]
    """Views `(2B, H, W, C)` to projections `(2B, width)`; its loss needs no targets."""

    def __init__(
        self, encoder: keras.Model, config: ContrastConfig, rng: np.random.Generator
    ) -> None:
        super().__init__()
        self.encoder, self.temperature = encoder, config.temperature
        seeds = rng.integers(2**31, size=2).tolist()
        self.head = keras.Sequential(
            [
                keras.Input(encoder.output_shape[1:]),
                _dense(config.hidden_dim, "relu", seeds[0]),
                _dense(config.projection_dim, None, seeds[1]),
            ]
        )

    def call(self, views: Any, training: bool = False) -> Any:
        """Project the views."""
        return self.head(self.encoder(views, training=training))

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return NT-Xent of the projections."""
        return nt_xent(y_pred, self.temperature)


def pretrain_contrastive(
    encoder: keras.Model,
    tiles: Tiles,
    config: ContrastConfig,
    rng: np.random.Generator,
    on_epoch: OnEpoch | None = None,
    state: Path | None = None,
) -> list[float]:
    """Train `encoder` in place and return the mean loss of each epoch.

    Args:
        encoder: tile to features `(F,)`.
        tiles: the training set.
        config: the schedule and the views.
        rng: draws order, views and the head's first weights.
        on_epoch: called with the number of epochs done and the loss of the last.
        state: checkpoint, written after each epoch; an existing one is resumed.

    Raises:
        InputError: there are no two tiles, the encoder does not take the views, `state` is of
            another run, or the loss is no longer finite.
    """
    _check(encoder, tiles, config)
    views = config.views(measure_level(tiles, rng))
    learner = _of_shape(encoder, _view_shape(tiles, config))
    model = Contrast(learner, config, rng)
    optimizer = keras.optimizers.AdamW(config.learning_rate, weight_decay=config.weight_decay)
    model.compile(optimizer, jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    settings = f"{len(tiles)} tiles, {config}"
    found = resume_run(state, model, rng, settings)
    losses: list[float] = found[1]["losses"] if found else []
    steps = len(tiles) // min(config.batch_size, len(tiles))
    with (
        closing(progress_bar("contrast", config.epochs * steps, "step")) as bar,
        computing(learner, config.precision),
    ):
        bar.update(len(losses) * steps)
        while len(losses) < config.epochs:
            pairs = prefetch(_pairs(tiles, views, config.batch_size, rng))
            losses.append(_epoch(model, pairs, config, len(losses) * steps, steps, bar))
            _check_loss(losses, config)
            save_run(state, model, rng, settings, {"losses": losses})
            if on_epoch is not None:
                on_epoch(len(losses), losses[-1])
    if learner is not encoder:
        encoder.set_weights(learner.get_weights())
    return losses


def _epoch(
    model: Contrast,
    pairs: Iterator[Floats],
    config: ContrastConfig,
    done: int,
    steps: int,
    bar: Bar,
) -> float:
    total = 0.0
    for step, pair in enumerate(pairs, start=done):
        model.optimizer.learning_rate = one_cycle(
            step, steps * config.epochs, config.learning_rate, config.warmup
        )
        total += float(np.asarray(model.train_on_batch(pair)))
        bar.update()
    return total / steps


def _pairs(tiles: Tiles, views: Views, size: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Yield two views of each tile of each full batch, `(2B, H, W, C)`, in a new order."""
    order, size = rng.permutation(len(tiles)), min(size, len(tiles))
    for first in range(0, len(tiles) - size + 1, size):
        batch = tiles.take(order[first : first + size])
        yield np.concatenate([views(batch, rng), views(batch, rng)])


def one_cycle(step: int, steps: int, peak: float, warmup: float) -> float:
    """Return the learning rate of a step: a 25th of `peak`, up to it, and down to nearly nothing.

    Half cosines, as in the "1cycle" policy of Smith and Topin (2018).
    """
    rising, start, end = warmup * steps - 1, peak / 25, peak / 250_000
    if step <= rising:
        return _between(start, peak, step / rising if rising else 1.0)
    return _between(peak, end, (step - rising) / max(steps - 1 - rising, 1))


def _between(first: float, last: float, share: float) -> float:
    return last + (first - last) * (1 + cos(pi * share)) / 2


def _dense(width: int, activation: str | None, seed: int) -> keras.layers.Layer:
    first = keras.initializers.GlorotUniform(seed)
    return keras.layers.Dense(width, activation, kernel_initializer=first, dtype="float32")


def _check(encoder: keras.Model, tiles: Tiles, config: ContrastConfig) -> None:
    if len(tiles) < 2:
        raise InputError(f"contrastive pretraining needs 2 tiles or more, got {len(tiles)}")
    if len(tiles.shape) != 3:
        raise InputError(
            f"contrastive pretraining is for tiles (H, W, C), got items of shape {tiles.shape}; "
            "pretrain features as an autoencoder instead"
        )
    build_encoder(encoder, tiles.shape)


def _view_shape(tiles: Tiles, config: ContrastConfig) -> tuple[int, ...]:
    return resized(np.zeros((1, *tiles.shape), np.float32), config.size).shape[1:]


def _of_shape(encoder: keras.Model, shape: tuple[int, ...]) -> keras.Model:
    """Return an encoder with the same weights for items of `shape`; itself where it takes them."""
    own = tuple(encoder.input_shape[1:])
    if all(side in (None, wanted) for side, wanted in zip(own, shape, strict=True)):
        return encoder
    resized_encoder = keras.models.clone_model(encoder, input_tensors=keras.Input(shape))
    weights = encoder.get_weights()
    if [value.shape for value in resized_encoder.get_weights()] != [
        value.shape for value in weights
    ]:
        raise InputError(
            f"{encoder.name} has weights for items of {own}, so its views cannot be {shape}; use "
            "size=None, or an encoder that pools over the whole tile"
        )
    resized_encoder.set_weights(weights)
    return resized_encoder


def _check_loss(losses: list[float], config: ContrastConfig) -> None:
    if not np.isfinite(losses[-1]):
        raise InputError(
            f"the contrastive loss became {losses[-1]} in epoch {len(losses)}; lower the learning "
            f"rate ({config.learning_rate:g}), or standardise the input"
        )
