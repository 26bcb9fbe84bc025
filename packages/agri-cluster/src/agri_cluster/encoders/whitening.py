"""Whitening of features: unit groups, standardisation, PCA, unit rows.

Without it k-means sees only the group, or the few features, of the largest values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from agri_core.files.errors import InputError
from numpy.typing import NDArray

from agri_cluster.backend.framework import keras, ops
from agri_cluster.data.tiles import Floats, Tiles, batches

MAX_FEATURES = 8192
"""Their covariance is F x F in float64: 512 MiB at this width."""

# Lower bound of divisors: a row of zeros stays one. Well within float32, unlike its square.
_TINY = 1e-12
# Relative limit under which a deviation or an eigenvalue is rounding: float32 has 7 digits.
_FLAT = 1e-6

Doubles = NDArray[np.float64]


@keras.saving.register_keras_serializable(package="agri_cluster")
class UnitGroups(keras.layers.Layer):  # type: ignore[misc]
    """Rows whose groups of columns are each divided by their Euclidean length; zeros stay zeros."""

    def __init__(self, groups: Sequence[int], **options: Any) -> None:
        super().__init__(**options)
        self.groups = [int(width) for width in groups]

    def call(self, inputs: Any) -> Any:
        """Return the scaled rows, `(N, F)`."""
        ends = np.cumsum(self.groups).tolist()
        spans = zip([0, *ends], ends, strict=False)
        return ops.concatenate([_unit_tensor(inputs[:, a:b]) for a, b in spans], axis=-1)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return the shape unchanged."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "groups": self.groups}


@dataclass(frozen=True, slots=True)
class Whitening:
    """A map from features `(N, F)` to unit rows `(N, P)`.

    Attributes:
        groups: widths of the groups of features, which sum to F; each group is given length 1, and
            so is the output row. Without groups magnitudes are kept.
        mean: of the features after that, `(F,)`.
        matrix: `(F, P)`; rows are `(x - mean) @ matrix`, then of length 1.
        explained: share of the variance in each of the P components.
        level: root mean square of a row's values; 1 / sqrt(P) gives rows of length 1.
    """

    groups: tuple[int, ...]
    mean: Floats
    matrix: Floats
    explained: Floats
    level: float

    def apply(self, features: Floats) -> Floats:
        """Return the rows of `features`, float32."""
        centred = _unit_groups(features, self.groups) - self.mean
        rows = np.asarray(centred @ self.matrix, np.float32)
        return self._length * _unit(rows) if self.groups else rows

    @property
    def _length(self) -> np.float32:
        return np.float32(self.level * np.sqrt(self.matrix.shape[1]))

    def on(self, model: Any) -> Any:
        """Return a Keras model that ends in this map; `model` gives the features."""
        layer = keras.layers.Dense(self.matrix.shape[1], name="principal")
        x = model.outputs[0]
        if self.groups:
            x = UnitGroups(self.groups, name="groups")(x)
            x = UnitGroups([self.matrix.shape[1]], name="unit")(layer(x))
            x = keras.layers.Rescaling(float(self._length), dtype="float32", name="level")(x)
        else:
            x = layer(x)
        # (x - mean) M = x M - mean M, so that centring costs no layer of its own.
        layer.set_weights([self.matrix, -self.mean @ self.matrix])
        return keras.Model(model.inputs[0], x, name=f"{model.name}_whitened")


def fit_whitening(
    features: Tiles,
    groups: Sequence[int],
    n_components: int = 50,
    *,
    whiten: bool = False,
    level: float | None = None,
) -> Whitening:
    """Fit the map to rows `(N, F)`, which are read twice and never all in memory.

    Args:
        features: the rows.
        groups: widths of the groups of features; none to keep sizes.
        n_components: principal components P to keep; fewer where the features have no more.
        whiten: also divide each component by its standard deviation.
        level: root mean square of a row's values; None = rows of length 1.

    Raises:
        InputError: all rows are equal, or there are too many features.
    """
    width = features.shape[0]
    if groups and sum(groups) != width:
        raise InputError(f"groups of {list(groups)} features do not make up {width}")
    if width > MAX_FEATURES:
        raise InputError(
            f"at most {MAX_FEATURES} features can be whitened, got {width}; use an encoder that "
            "pools them, or train an embedding"
        )
    if n_components < 1:
        raise InputError(f"n_components is 1 or more, got {n_components}")
    mean, covariance = _moments(features, groups)
    deviation = np.sqrt(np.diag(covariance))
    factor = np.where(deviation > _FLAT * deviation.max(), 1 / np.maximum(deviation, _TINY), 0.0)
    if deviation.max() < _FLAT:
        raise InputError(
            f"all {len(features)} items have the same features, so there is nothing to cluster"
        )
    matrix, explained = _principal(covariance * np.outer(factor, factor), n_components, whiten)
    return Whitening(
        tuple(groups),
        mean.astype(np.float32),
        np.asarray(factor[:, None] * matrix, np.float32),
        explained.astype(np.float32),
        level or 1.0 / float(np.sqrt(matrix.shape[1])),
    )


def _moments(features: Tiles, groups: Sequence[int]) -> tuple[Doubles, Doubles]:
    width = features.shape[0]
    mean, covariance = np.zeros(width), np.zeros((width, width))
    for _, rows in batches(features):
        mean += _unit_groups(rows, groups).sum(axis=0, dtype=np.float64) / len(features)
    for _, rows in batches(features):
        centred = _unit_groups(rows, groups) - mean
        covariance += centred.T @ centred / len(features)
    return mean, covariance


def _principal(correlation: Doubles, n_components: int, whiten: bool) -> tuple[Doubles, Doubles]:
    """Return `(F, P)` directions of largest variance, signed so that each one's largest is > 0."""
    values, vectors = np.linalg.eigh(correlation)
    order = np.argsort(values)[::-1][:n_components]
    order = order[values[order] > _FLAT * values.max()]
    chosen = vectors[:, order]
    largest = chosen[np.abs(chosen).argmax(axis=0), np.arange(len(order))]
    chosen = chosen * np.sign(largest)
    explained = values[order] / values.sum()
    return (chosen / np.sqrt(values[order]) if whiten else chosen), explained


def _unit_groups(rows: Floats, groups: Sequence[int]) -> Floats:
    if not groups:
        return rows
    parts = np.split(rows, np.cumsum(groups)[:-1], axis=1)
    return np.concatenate([_unit(part) for part in parts], axis=1)


def _unit(rows: Floats) -> Floats:
    length = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    return np.asarray(rows / np.maximum(length, _TINY), np.float32)


def _unit_tensor(rows: Any) -> Any:
    length = ops.sqrt(ops.sum(ops.square(rows), axis=-1, keepdims=True))
    return rows / ops.maximum(length, _TINY)
