"""NT-Xent, the contrastive loss of SimCLR (Chen et al. 2020, equation 1), in `keras.ops`."""

from __future__ import annotations

from typing import Any

from agri_cluster.backend.framework import ops

# Subtracted from the similarity of a row with itself: exp() of it is exactly 0 in float32, while
# minus infinity could give NaN gradients.
HIDDEN = 1e9


def nt_xent(z: Any, temperature: float) -> Any:
    """Return the mean loss of projections `(2B, D)`, row i and row B + i being one item's views.

        l_i = -log( exp(s_ij / T) / sum over k != i of exp(s_ik / T) )

    with s the cosine of two projections and j the other view of i. Computed in float32.
    """
    # float32 also under mixed precision: bfloat16 has 8 bits, too few to tell close cosines
    # apart.
    z = ops.normalize(ops.cast(z, "float32"), axis=-1)
    half = z.shape[0] // 2
    likeness = ops.matmul(z, ops.transpose(z)) / temperature
    others = ops.logsumexp(likeness - HIDDEN * ops.eye(2 * half, dtype="float32"), axis=1)
    same = ops.sum(z[:half] * z[half:], axis=-1) / temperature
    # The positive pair's similarity is symmetric, so the mean over B pairs is that over 2B rows.
    return ops.mean(others) - ops.mean(same)
