"""The decoder of the autoencoder: from the embedding back to the item."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from agri_cluster.backend.framework import keras
from agri_cluster.encoders.trunk import MLP_WIDTHS, SLOPE, fan_in

FILTERS = (512, 256, 128, 64)


def build_decoder(
    shape: tuple[int, ...],
    width: int,
    *,
    filters: Sequence[int] = FILTERS,
    widths: Sequence[int] = MLP_WIDTHS,
) -> Any:
    """Return a model from the embedding `(N, width)` to items `(N, *shape)`, its output linear.

    Tiles: a dense layer to a map of 1/32 of the tile (never under 2 pixels), then a stage per
    doubling: transposed convolution, LeakyReLU, batch normalisation, convolution, LeakyReLU, batch
    normalisation. Small tiles have fewer stages, the first being left out.

    Args:
        shape: of an item, `(H, W, C)` or `(F,)`.
        width: of the embedding.
        filters: of the stages; the last stage ends in C.
        widths: of the encoder's hidden layers, mirrored, for rows.
    """
    inputs = keras.Input((width,), name="embedding")
    build = _tile if len(shape) == 3 else _row
    outputs = build(inputs, shape, filters if len(shape) == 3 else widths)
    return keras.Model(inputs, outputs, name="decoder")


def _row(x: Any, shape: tuple[int, ...], widths: Sequence[int]) -> Any:
    for number, size in enumerate(reversed(widths), 1):
        x = keras.layers.Dense(
            size, activation="relu", kernel_initializer=fan_in(), name=f"back{number}"
        )(x)
    return keras.layers.Dense(shape[0], kernel_initializer=fan_in(), name="item")(x)


def _tile(x: Any, shape: tuple[int, ...], filters: Sequence[int]) -> Any:
    layers = keras.layers
    height, width, channels = shape
    count = min(max(min(height, width).bit_length() - 2, 1), len(filters) + 1)
    rows, columns = (math.ceil(side / 2**count) for side in (height, width))
    x = layers.Dense(rows * columns * filters[0], name="unfold")(x)
    x = layers.Reshape((rows, columns, filters[0]), name="map")(x)
    pairs = [(size, size) for size in filters] + [(filters[-1], channels)]
    for number, (inner, outer) in enumerate(pairs[-count:], 1):
        x = _up(x, inner, f"up{number}")
        last = number == count
        x = layers.Conv2D(outer, 3, padding="same", name="picture" if last else f"mix{number}")(x)
        x = x if last else _settle(x, f"mix{number}")
    spare = (rows * 2**count - height, columns * 2**count - width)
    crop = [(extra // 2, extra - extra // 2) for extra in spare]
    return layers.Cropping2D(crop, name="item")(x) if any(spare) else x


def _up(x: Any, filters: int, name: str) -> Any:
    layer = keras.layers.Conv2DTranspose(filters, 3, strides=2, padding="same", name=name)
    return _settle(layer(x), name)


def _settle(x: Any, name: str) -> Any:
    x = keras.layers.LeakyReLU(SLOPE, name=f"{name}_leak")(x)
    return keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
