"""Encoders trained from scratch: a perceptron for rows, two convolutional ones for tiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agri_cluster.backend.framework import keras

MLP_WIDTHS = (500, 500, 2000)
"""Widths of the hidden layers of Xie et al. 2016 (arXiv:1511.06335)."""

# Four halvings of a tile of this side leave a map of one pixel.
MIN_SIDE = 16
# A leak keeps a gradient for negative units, so that none is dead for good.
SLOPE = 0.1

_STEM, _BLOCKS = 24, (48, 96, 192)
_MOMENTUM = 0.9


def mlp(x: Any, widths: Sequence[int] = MLP_WIDTHS) -> Any:
    """Return the last hidden layer of a perceptron on rows, or on flattened tiles."""
    if len(x.shape) > 2:
        x = keras.layers.Flatten(name="flat")(x)
    for number, width in enumerate(widths, 1):
        x = keras.layers.Dense(
            width, activation="relu", kernel_initializer=fan_in(), name=f"dense{number}"
        )(x)
    return x


def convae(x: Any) -> Any:
    """Return the flattened map of strided convolutions 32-64-128-..., of 2 to 8 pixels a side."""
    layers = keras.layers
    for number in range(stages(min(x.shape[1:3]))):
        # The width doubles where the side halves.
        filters = min(32 * 2**number, 512)
        x = layers.Conv2D(filters, 3, strides=2, padding="same", name=f"conv{number + 1}")(x)
        x = layers.LeakyReLU(SLOPE, name=f"leak{number + 1}")(x)
    return layers.Flatten(name="features")(x)


def small(x: Any) -> Any:
    """Return the 192 features of a residual network of 0.7 million weights."""
    layers = keras.layers
    x = _normal(_convolve(x, _STEM, 2, "stem"), "stem")
    x = layers.ReLU(name="stem_relu")(x)
    for number, width in enumerate(_BLOCKS, 1):
        x = _residual(x, width, f"block{number}")
    return layers.GlobalAveragePooling2D(name="features")(x)


def stages(side: int) -> int:
    """Return how many times `convae` halves a tile: to a map of 2 to 4 pixels, 5 times at most."""
    return min(max(side.bit_length() - 3, 3), 5)


def fan_in() -> Any:
    """Return the initialiser of dense layers: uniform, of variance 1 / (3 fan-in)."""
    # The default of PyTorch's linear layers: uniform within 1 / sqrt(fan-in).
    return keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")


def _residual(x: Any, width: int, name: str) -> Any:
    layers = keras.layers
    path = _normal(_convolve(x, width, 2, f"{name}_a"), f"{name}_a")
    path = layers.ReLU(name=f"{name}_a_relu")(path)
    path = _normal(_convolve(path, width, 1, f"{name}_b"), f"{name}_b")
    skip = layers.Conv2D(width, 1, strides=2, padding="same", name=f"{name}_skip")(x)
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([path, skip]))


def _convolve(x: Any, width: int, stride: int, name: str) -> Any:
    layer = keras.layers.Conv2D(
        width, 3, strides=stride, padding="same", use_bias=False, name=f"{name}_conv"
    )
    return layer(x)


def _normal(x: Any, name: str) -> Any:
    # 0.9 and not Keras's 0.99, whose averages lag behind in a training of some hundred steps.
    layer = keras.layers.BatchNormalization(momentum=_MOMENTUM, epsilon=1e-5, name=f"{name}_norm")
    return layer(x)
