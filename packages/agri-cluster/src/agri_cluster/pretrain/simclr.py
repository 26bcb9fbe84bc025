"""Contrastive pretraining of an encoder (SimCLR, Chen et al. 2020): no labels, no downloads.

Two views of a tile shall lie together and apart from the views of all other tiles of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from math import cos, pi
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.console import Bar, progress_bar
from agri_core.files.errors import InputError
from agri_data.augment.augment import Augment

from agri_cluster.backend.framework import keras
from agri_cluster.backend.precision import check_precision, computing
from agri_cluster.backend.prefetch import ahead
from agri_cluster.backend.resume import go_on, keep
from agri_cluster.data.tiles import Floats, Tiles
from agri_cluster.encoders.jitter import Jitter, Level, measure_level
from agri_cluster.encoders.registry import build_encoder
from agri_cluster.encoders.views import Views, resized
from agri_cluster.pretrain.nt_xent import nt_xent

OnEpoch = Callable[[int, float], None]


@dataclass(frozen=True, slots=True)
class ContrastConfig:
    """How the encoder is trained and how far the views of a tile may differ.

    Attributes:
        epochs: passes over the tiles.
        batch: tiles a step, each in two views; 2 or more.
        lr: peak of AdamW's learning rate, which rises and falls along half cosines.
        decay: weight decay.
        warmup: share of the steps over which the rate rises.
        temperature: T of the loss; smaller attends more to the likest of the other tiles.
        hidden: width of the projection head's inner layer.
        width: width of its output.
        size: side of the views; None keeps the tile's.
        crop: largest share of the side cut away before enlarging back.
        flip: mirror both ways.
        quarter: quarter turns; square tiles only.
        brightness: see `Jitter`, as `contrast`, `channel` and `grey`.
        contrast: see `Jitter`.
        channel: see `Jitter`.
        grey: see `Jitter`.
        precision: "float32", or "mixed_bfloat16": faster where the processor has it.
    """

    epochs: int = 30
    batch: int = 512
    lr: float = 0.002
    decay: float = 0.0001
    warmup: float = 0.1
    temperature: float = 0.5
    hidden: int = 256
    width: int = 64
    size: int | None = None
    crop: float = 0.5
    flip: bool = True
    quarter: bool = True
    brightness: float = 0.4
    contrast: float = 0.3
    channel: float = 0.2
    grey: float = 0.1
    precision: str = "float32"

    def __post_init__(self) -> None:
        if self.epochs < 0 or self.batch < 2 or self.hidden < 1 or self.width < 1:
            raise InputError(
                "epochs of 0 or more, a batch of 2 or more and a head of 1 or more are expected, "
                f"got {self}"
            )
        if not (self.lr > 0 and self.temperature > 0 and self.decay >= 0 and 0 <= self.warmup <= 1):
            raise InputError(
                "lr and temperature above 0, decay of 0 or more and warmup from 0 to 1 are "
                f"expected, got {self}"
            )
        check_precision(self.precision)
        self.views(Level())

    def views(self, level: Level) -> Views:
        """Return the maker of views of tiles whose bands have this level."""
        light = Jitter(self.brightness, self.contrast, self.channel, self.grey, level)
        warp = Augment(flip=self.flip, quarter=self.quarter, crop=self.crop)
        return Views(warp, self.size, light)


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
                _dense(config.hidden, "relu", seeds[0]),
                _dense(config.width, None, seeds[1]),
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
        tiles: what to learn from.
        config: the schedule and the views.
        rng: draws order, views and the head's first weights.
        on_epoch: called with the number of epochs done and the loss of the last.
        state: file kept up to date after each epoch; when it is there, the run goes on from it.

    Raises:
        InputError: there are no two tiles, the encoder does not take the views, `state` is of
            another run, or the loss is no longer finite.
    """
    _check(encoder, tiles, config)
    views = config.views(measure_level(tiles, rng))
    learner = _of_shape(encoder, _view_shape(tiles, config))
    model = Contrast(learner, config, rng)
    model.compile(keras.optimizers.AdamW(config.lr, weight_decay=config.decay), jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    settings = f"{len(tiles)} tiles, {config}"
    found = go_on(state, model, rng, settings)
    losses: list[float] = found[1]["losses"] if found else []
    steps = len(tiles) // min(config.batch, len(tiles))
    with (
        closing(progress_bar("contrast", config.epochs * steps, "step")) as bar,
        computing(learner, config.precision),
    ):
        bar.update(len(losses) * steps)
        while len(losses) < config.epochs:
            pairs = ahead(_pairs(tiles, views, config.batch, rng))
            losses.append(_epoch(model, pairs, config, len(losses) * steps, steps, bar))
            _check_loss(losses, config)
            keep(state, model, rng, settings, {"losses": losses})
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
            step, steps * config.epochs, config.lr, config.warmup
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
    twin = keras.models.clone_model(encoder, input_tensors=keras.Input(shape))
    weights = encoder.get_weights()
    if [value.shape for value in twin.get_weights()] != [value.shape for value in weights]:
        raise InputError(
            f"{encoder.name} has weights for items of {own}, so its views cannot be {shape}; use "
            "size=None, or an encoder that pools over the whole tile"
        )
    twin.set_weights(weights)
    return twin


def _check_loss(losses: list[float], config: ContrastConfig) -> None:
    if not np.isfinite(losses[-1]):
        raise InputError(
            f"the contrastive loss became {losses[-1]} in epoch {len(losses)}; lower the learning "
            f"rate ({config.lr:g}), or standardise the input"
        )
