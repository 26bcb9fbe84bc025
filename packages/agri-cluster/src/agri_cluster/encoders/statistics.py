"""Band statistics as an encoder: a strong choice where classes differ by their spectrum."""

from __future__ import annotations

from typing import Any

from agri_cluster.backend.framework import keras, ops


@keras.saving.register_keras_serializable(package="agri_cluster")
class BandStatistics(keras.layers.Layer):  # type: ignore[misc]
    """Tiles `(N, H, W, C)` to mean, deviation, minimum and maximum of each band, `(N, 4 C)`."""

    def call(self, inputs: Any) -> Any:
        """Return the statistics, those of one kind side by side."""
        kinds = (ops.mean, ops.std, ops.min, ops.max)
        return ops.concatenate([kind(inputs, axis=(1, 2)) for kind in kinds], axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        """Return `(N, 4 C)`."""
        return input_shape[0], 4 * int(input_shape[-1] or 0)


def statistics(x: Any) -> Any:
    """Apply `BandStatistics`."""
    return BandStatistics(name="statistics")(x)
