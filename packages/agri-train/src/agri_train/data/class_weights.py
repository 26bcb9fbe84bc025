"""Class weights, given or from the class frequencies of the training split."""

import numpy as np
from agri_core.legend import IGNORE
from agri_data.store.store import ChipStore

from agri_train.config import TrainConfig
from agri_train.data.dataset import Task
from agri_train.data.sampler import Rows

CHIPS_AT_ONCE = 256
"""Chips whose masks are read together; 256 masks of 256 px are 16 MB."""


def class_weights(
    config: TrainConfig, store: ChipStore, rows: Rows, task: Task
) -> tuple[float, ...] | None:
    """Return one weight per class, None for equal weights.

    `inverse` gives each class total / (classes * count), so that every class has the same total
    weight; a class without a pixel in the training split gets weight 0.
    """
    if isinstance(config.class_weights, tuple):
        return config.class_weights
    if config.class_weights == "none":
        return None
    counts = class_counts(store, rows, task)
    with np.errstate(divide="ignore"):
        weights = counts.sum() / (len(counts) * counts.astype(np.float64))
    return tuple(float(w) if np.isfinite(w) else 0.0 for w in weights)


def class_counts(
    store: ChipStore, rows: Rows, task: Task
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Count the pixels (or patches) of each class."""
    classes = len(store.legend)
    counts = np.zeros(IGNORE + 1, np.int64)
    for start in range(0, len(rows), CHIPS_AT_ONCE):
        part = rows[start : start + CHIPS_AT_ONCE]
        found = store.masks(part) if task == "segment" else store.labels(part)
        counts += np.bincount(found.ravel(), minlength=IGNORE + 1)
    return counts[:classes]
