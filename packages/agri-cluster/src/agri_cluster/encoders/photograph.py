"""The first layer of an encoder made for photographs: resize, order and centre the channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agri_core.bands import canonical_name

from agri_cluster.backend.framework import keras, ops

COLOURS = {"B04": "red", "B03": "green", "B02": "blue", "R": "red", "G": "green", "B": "blue"}
MEAN = {"blue": 103.939, "green": 116.779, "red": 123.68}
"""ImageNet's channel means on 0..255, as Caffe's and Keras's networks subtract them."""

ORDER = ("blue", "green", "red")
"""The channel order those networks were trained on."""


@keras.saving.register_keras_serializable(package="agri_cluster")
class Photograph(keras.layers.Layer):  # type: ignore[misc]
    """Tiles of 0..255, `(N, H, W, C)`, to a network's input `(N, size, size, C)`.

    Bilinear; channels are put into `order` and `mean` is subtracted.
    """

    def __init__(
        self, size: int, order: Sequence[int], mean: Sequence[float], **options: Any
    ) -> None:
        super().__init__(**options)
        self.size, self.order, self.mean = size, list(order), [float(m) for m in mean]

    def call(self, inputs: Any) -> Any:
        """Return the network's input."""
        picture = ops.image.resize(
            inputs, (self.size, self.size), interpolation="bilinear", data_format="channels_last"
        )
        if self.order != sorted(self.order):
            picture = ops.take(picture, self.order, axis=-1)
        return picture - ops.convert_to_tensor(self.mean, dtype=picture.dtype)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return `(N, size, size, C)`."""
        return (input_shape[0], self.size, self.size, len(self.order))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "size": self.size, "order": self.order, "mean": self.mean}


def colour_of(band: str) -> str:
    """Return "red", "green" or "blue" for a band of that colour, else ""."""
    name = COLOURS.get(canonical_name(band).upper(), band.strip().lower())
    return name if name in MEAN else ""


def photograph(size: int, bands: Sequence[str]) -> Photograph:
    """Return the layer for `bands`.

    Red, green and blue are put into the order blue, green, red of the network by their names, and
    so are three bands without a colour, as if they were red, green and blue. Others keep their
    order, as their filters go by name (`agri_cluster.encoders.weights`).
    """
    colours = [colour_of(band) for band in bands]
    if len(bands) == 3 and sorted(colours) == sorted(ORDER):
        order = [colours.index(colour) for colour in ORDER]
    elif len(bands) == 3 and not any(colours):
        return Photograph(size, [2, 1, 0], [MEAN[colour] for colour in ORDER])
    else:
        order = list(range(len(bands)))
    grey = sum(MEAN.values()) / 3
    return Photograph(size, order, [MEAN.get(colours[place], grey) for place in order])
