"""Soft assignment of embeddings to centres by Student's t kernel, in log space.

    q_ij = (1 + d_ij² / α)^(-(α+1)/2), normalised over the centres j       (van der Maaten 2009;
                                                                            Xie et al. 2016, eq. 1)

In linear space the power underflows once α is near the width of a wide embedding, and every row
becomes 0/0; the logarithm stays finite for any α and any distance.
"""

from __future__ import annotations

from typing import Any

from agri_core.files.errors import SettingError

from agri_cluster.backend.framework import keras, ops


def check_alpha(alpha: float) -> float:
    """Return `alpha` if it is a number of degrees of freedom.

    Raises:
        InputError: it is not above 0 and finite.
    """
    if not 0 < alpha < float("inf"):
        raise SettingError("alpha", f"is a number above 0, or 'auto', got {alpha!r}")
    return float(alpha)


@keras.saving.register_keras_serializable(package="agri_cluster")
class StudentAssignment(keras.layers.Layer):  # type: ignore[misc]
    """Embedding `(B, D)` to log soft assignment `(B, K)`; always in float32.

    The squared distances come from |z|² + |c|² - 2 z·c, so that nothing of size B x K x D is ever
    made; both are first moved by the mean centre, which keeps the difference exact enough.
    """

    def __init__(self, clusters: int, alpha: float = 1.0, **settings: Any) -> None:
        super().__init__(**(settings | {"dtype": "float32"}))
        self.clusters, self.alpha = clusters, check_alpha(alpha)

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the centres, `(K, D)`."""
        self.centres = self.add_weight(
            shape=(self.clusters, shape[-1]), initializer="glorot_uniform", name="centres"
        )

    def call(self, z: Any) -> Any:
        """Return log q, `(B, K)`; each row's exponentials sum to 1."""
        # Distances do not change by the shift, but |z|² and |c|² become small: their difference
        # cancels fewer digits of float32.
        middle = ops.mean(self.centres, axis=0, keepdims=True)
        moved, centres = z - middle, self.centres - middle
        square = (
            ops.sum(ops.square(moved), axis=1, keepdims=True)
            + ops.sum(ops.square(centres), axis=1)
            - 2.0 * ops.matmul(moved, ops.transpose(centres))
        )
        return log_kernel(ops.maximum(square, 0.0), self.alpha)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        """Return `(B, K)`."""
        return shape[0], self.clusters

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer, alpha included."""
        return {**super().get_config(), "clusters": self.clusters, "alpha": self.alpha}


def log_kernel(square: Any, alpha: float) -> Any:
    """Return log q of squared distances `(B, K)`.

    Each row's logarithms are taken relative to its nearest centre, which changes no q and keeps
    float32 exact where q is large.
    """
    # (1 + d²/a) / (1 + m²/a) = 1 + (d² - m²) / (a + m²), m being the nearest distance. Dividing
    # by the nearest centre's term cancels in the normalisation.
    least = ops.min(square, axis=-1, keepdims=True)
    ratio = ops.log1p((square - least) / (alpha + least))
    # log q and not q: the KL loss takes it as it is, and q of far centres underflows in float32.
    return ops.log_softmax(-0.5 * (alpha + 1.0) * ratio, axis=-1)
