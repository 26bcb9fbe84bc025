"""Pretrained weights of a Keras model: `none`, `imagenet` (downloads), or a file.

Files are read as tables of numbers under layer names, in any of Keras's three layouts: the HDF5 of
Keras 1 and 2, `.weights.h5` and `.keras`. No configuration in them is followed and no code run.

A first convolution made for three colours is fitted to other bands: a band that is red, green or
blue takes the filter of its colour, every other band the mean of the three, and all are scaled by
3 / bands so that activations keep their size. Names decide, not the order in the file. Three bands
of which none is a colour by its name keep the filters in their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.errors import InputError, MissingError
from numpy.typing import NDArray

from agri_cluster.backend.framework import keras
from agri_cluster.encoders.photograph import colour_of
from agri_cluster.encoders.weightfile import Stored, read_weights

APPLICATIONS = {"resnet50": "ResNet50", "vgg16": "VGG16"}


def load_weights(
    model: Any, source: str, bands: Sequence[str], order: Sequence[str] = ("red", "green", "blue")
) -> int:
    """Fill `model` from `source` and return how many layers were set.

    Args:
        model: a Keras model whose layers carry the names of the file's.
        source: "none", "imagenet", or the path of a `.keras`, `.weights.h5` or `.h5` file.
        bands: names in channel order.
        order: of the colours in a first convolution made for three.

    Raises:
        MissingError: there is no such file, or no weights by that name.
        InputError: it lacks a layer, or one has another shape; the message gives both shapes.
    """
    if source == "none":
        return 0
    stored = _imagenet(model) if source == "imagenet" else read_weights(Path(source))
    layers = [layer for layer in model.layers if layer.weights]
    found = [_match(layer, stored, source) for layer in layers]
    first = next((n for n, layer in enumerate(layers) if _is_convolution(layer)), None)
    if first is not None:
        found[first][0] = adapt_input(found[first][0], bands, order)
    for layer, arrays in zip(layers, found, strict=True):
        _check(layer, arrays, source)
    for layer, arrays in zip(layers, found, strict=True):
        layer.set_weights(arrays)
    return len(layers)


def adapt_input(
    kernel: NDArray[np.float32], bands: Sequence[str], order: Sequence[str]
) -> NDArray[np.float32]:
    """Fit a first kernel `(kh, kw, 3, out)` to bands; see the rule in the module's head."""
    if kernel.ndim != 4 or kernel.shape[2] != 3:
        return kernel
    colours = [colour_of(band) for band in bands]
    if len(bands) == 3 and not any(colours):
        return kernel
    mean = kernel.mean(axis=2)
    filters = [kernel[:, :, order.index(colour)] if colour else mean for colour in colours]
    return np.asarray(np.stack(filters, axis=2) * (3 / len(bands)), np.float32)


def _match(layer: Any, stored: Stored, source: str) -> list[NDArray[np.float32]]:
    if layer.name in stored:
        return list(stored[layer.name])
    raise InputError(
        f"{source} has no layer {layer.name}, which is of shape {_shapes(layer)}; it has "
        f"{', '.join(list(stored)[:6])}{', ...' if len(stored) > 6 else ''}. Is it made for "
        "another encoder?"
    )


def _check(layer: Any, arrays: Sequence[NDArray[np.float32]], source: str) -> None:
    found = [tuple(array.shape) for array in arrays]
    if found != _shapes(layer):
        raise InputError(
            f"{source}: layer {layer.name} has weights of shape {found}, this encoder expects "
            f"{_shapes(layer)}. Is it made for another encoder or other bands?"
        )
    if not all(np.isfinite(array).all() for array in arrays):
        raise InputError(f"{source}: layer {layer.name} holds NaN or infinity")


def _imagenet(model: Any) -> Mapping[str, Sequence[NDArray[np.float32]]]:
    if model.name not in APPLICATIONS:
        raise MissingError(
            f"Keras has no ImageNet weights for {model.name}; give 'none' or the path of a file"
        )
    make = getattr(keras.applications, APPLICATIONS[model.name])
    try:
        published = make(include_top=False, weights="imagenet", input_shape=(64, 64, 3))
    # Keras raises a bare Exception when there is no network; the cause is kept.
    except Exception as error:
        raise MissingError(
            f"the ImageNet weights of {model.name} could not be fetched "
            f"({str(error).splitlines()[0][:200]}); give 'none' or the path of a file you have"
        ) from error
    return {layer.name: layer.get_weights() for layer in published.layers if layer.weights}


def _is_convolution(layer: Any) -> bool:
    return len(layer.weights[0].shape) == 4


def _shapes(layer: Any) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in layer.weights]
