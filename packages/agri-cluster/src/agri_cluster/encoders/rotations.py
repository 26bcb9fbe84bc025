"""The eight rotations and reflections of a square tile: four quarter turns, each also mirrored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from agri_core.files.errors import InputError

from agri_cluster.backend.framework import keras, ops
from agri_cluster.data.tiles import Floats

ROTATIONS = 8


def rotate(items: Floats, number: int) -> Floats:
    """Return tiles `(N, H, W, C)` rotated by `number` % 4 quarters, mirrored first from 4 on."""
    if number == 0:
        return items
    mirrored = items[:, :, ::-1] if number >= 4 else items
    return np.ascontiguousarray(np.rot90(mirrored, number % 4, axes=(1, 2)))


def check_views(shape: tuple[int, ...], views: int) -> None:
    """Check that items of `shape` have `views` rotations and reflections.

    Raises:
        InputError: they cannot.
    """
    if not 1 <= views <= ROTATIONS:
        raise InputError(f"views of a tile are 1 to {ROTATIONS}, got {views}")
    if views > 1 and (len(shape) != 3 or shape[0] != shape[1]):
        raise InputError(f"only square tiles can be rotated, these items are of shape {shape}")


@keras.saving.register_keras_serializable(package="agri_cluster")
class Rotation(keras.layers.Layer):  # type: ignore[misc]
    """Keras layer that rotates and reflects tiles as `rotate` does."""

    def __init__(self, number: int, **options: Any) -> None:
        super().__init__(**options)
        self.number = number

    def call(self, inputs: Any) -> Any:
        """Return the rotated tiles."""
        x = ops.flip(inputs, axis=2) if self.number >= 4 else inputs
        quarters = self.number % 4
        if quarters == 1:
            return ops.flip(ops.transpose(x, (0, 2, 1, 3)), axis=1)
        if quarters == 2:
            return ops.flip(x, axis=(1, 2))
        if quarters == 3:
            return ops.transpose(ops.flip(x, axis=1), (0, 2, 1, 3))
        return x

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return the shape unchanged: tiles are square."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "number": self.number}


def mean_over_rotations(model: Any, views: int) -> Any:
    """Return a Keras model that gives the mean of `model`'s features over `views` rotations."""
    if views == 1:
        return model
    inputs = keras.Input(model.input_shape[1:], name="item")
    rows = [model(Rotation(number, name=f"rotate{number}")(inputs)) for number in range(views)]
    return keras.Model(inputs, keras.layers.Average(name="mean")(rows), name=f"{model.name}_mean")
