"""Temporary mixed precision of a model; its weights stay float32."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import get_args

from agri_core.files.errors import InputError

from agri_cluster.backend.framework import keras
from agri_cluster.choices import Precision

PRECISIONS = get_args(Precision)


def check_precision(precision: str) -> str:
    """Return `precision` if it is one of `PRECISIONS`.

    Raises:
        InputError: it is none of them.
    """
    if precision not in PRECISIONS:
        raise InputError(f"precision is one of {', '.join(PRECISIONS)}, got {precision!r}")
    return precision


@contextlib.contextmanager
def computing(model: keras.Model, precision: str) -> Iterator[None]:
    """Compute in `precision` in every layer of `model` until the end of the block.

    Layers that are not float32 were made so on purpose and are kept.
    """
    check_precision(precision)
    changed = [
        layer
        for layer in _layers(model)
        if precision != "float32" and layer.dtype_policy.name == "float32"
    ]
    try:
        _change(changed, precision)
        _retrace(model, changed)
        yield
    finally:
        _change(changed, "float32")
        _retrace(model, changed)


def _change(layers: list[keras.layers.Layer], precision: str) -> None:
    for layer in layers:
        layer.dtype_policy = precision


def _retrace(model: keras.Model, changed: list[keras.layers.Layer]) -> None:
    """Recompile `predict`, which would keep the precision it was traced in."""
    if changed:
        # The traced function holds the casts of its layers; a new dtype policy alone changes
        # nothing.
        model.make_predict_function(force=True)


def _layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    yield model
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
        else:
            yield layer
