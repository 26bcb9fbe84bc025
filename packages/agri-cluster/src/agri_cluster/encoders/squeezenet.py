"""SqueezeNet v1.1 without its classifier (Iandola et al. 2016, arXiv:1602.07360).

Its layers carry the names of the published weights, `fire2/squeeze1x1` written `fire2_squeeze1x1`.
"""

from __future__ import annotations

from typing import Any

from agri_cluster.backend.framework import keras

# At this side fire9, at 1/16 of it, has 6 x 6 positions to average over.
SIDE = 96
GROUPS = (256, 512)
"""Widths of the two groups of features: fire5 (texture) and fire9 (things)."""

# SqueezeNet 1.1 (Iandola et al. 2016): squeeze widths of fire2 to fire9, the expansion of each 1
# x 1 and 3 x 3 branch, and pooling after fire3 and fire5.
_WIDTHS = {2: 16, 3: 16, 4: 32, 5: 32, 6: 48, 7: 48, 8: 64, 9: 64}
_EXPANSION = 4
_POOL_AFTER = (3, 5)


def squeezenet(x: Any) -> Any:
    """Return the mean of fire5 and of fire9 over the picture, side by side, `(N, 768)`."""
    layers = keras.layers
    x = layers.Conv2D(64, 3, strides=2, activation="relu", name="conv1")(x)
    x = layers.MaxPooling2D(3, 2, name="pool1")(x)
    kept = []
    for number, narrow in _WIDTHS.items():
        x = _fire(x, number, narrow, narrow * _EXPANSION)
        if number in (5, 9):
            kept.append(layers.GlobalAveragePooling2D(name=f"mean{number}")(x))
        if number in _POOL_AFTER:
            x = layers.MaxPooling2D(3, 2, name=f"pool{number}")(x)
    return layers.Concatenate(name="features")(kept)


def _fire(x: Any, number: int, narrow: int, wide: int) -> Any:
    layers, name = keras.layers, f"fire{number}"
    x = layers.Conv2D(narrow, 1, activation="relu", name=f"{name}_squeeze1x1")(x)
    one = layers.Conv2D(wide, 1, activation="relu", name=f"{name}_expand1x1")(x)
    three = layers.Conv2D(wide, 3, padding="same", activation="relu", name=f"{name}_expand3x3")(x)
    return layers.Concatenate(name=f"{name}_concat")([one, three])
