"""Embedding and soft assignment of all tiles, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from agri_core.files.errors import InputError
from numpy.typing import NDArray

from agri_cluster.data.distances import log_assignment
from agri_cluster.data.rows import RowFile, RowWriter
from agri_cluster.data.tiles import Ints, Tiles, batches
from agri_cluster.dec.network import Network
from agri_cluster.dec.target import Frequencies, divergence, sharpened

# Rows per batch: their distances to 1000 centres take 33 MB in float64.
READ = 4096


def write_embedding(network: Network, tiles: Tiles, path: Path, step: int) -> None:
    """Write the embedding of all tiles to `path`, as it is after a number of steps.

    Raises:
        InputError: it is no longer finite.
    """
    width = network.embedder.output_shape[-1]
    with RowWriter(path, len(tiles), width) as writer:
        for _, items in batches(tiles):
            z = network.embed(items)
            # Checked before writing: one NaN row would make every later label argmax's first
            # cluster, which looks like a collapse and hides its cause, a diverged optimiser.
            if not np.isfinite(z).all():
                raise InputError(
                    f"the embedding is no longer finite at step {step}; lower the learning rate"
                )
            writer.add(z)


def log_soft_labels(network: Network, rows: RowFile) -> Iterator[NDArray[np.float64]]:
    """Yield log q `(B, K)` of the embedding, batch by batch."""
    centres, alpha = network.centres, network.head.alpha
    return (log_assignment(z, centres, alpha) for _, z in batches(rows, READ))


def assign(network: Network, rows: RowFile) -> tuple[Ints, Frequencies]:
    """Return the cluster of each row, `(N,)`, and the soft cluster frequencies."""
    frequencies, labels = Frequencies(network.head.clusters), []
    for log_q in log_soft_labels(network, rows):
        frequencies.add(log_q)
        labels.append(log_q.argmax(axis=1))
    return np.concatenate(labels).astype(np.int64), frequencies


def confidence_and_kl(
    network: Network, rows: RowFile, frequencies: Frequencies
) -> tuple[float, float]:
    """Return the mean largest soft label and the mean KL(P||Q), in nats, over all rows."""
    confidence = kl = 0.0
    for log_q in log_soft_labels(network, rows):
        confidence += float(np.exp(log_q.max(axis=1)).sum())
        # The target is formed from the same frequencies as the training's, so that the KL
        # recorded is the one minimised.
        kl += float(divergence(sharpened(log_q, frequencies.total), log_q).sum())
    return confidence / len(rows), kl / len(rows)
