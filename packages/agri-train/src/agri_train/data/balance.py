"""Class weights, given or from the training counts."""

import numpy as np
from agri_core.legend import IGNORE
from agri_data.store.store import ChipStore

from agri_train.config import TrainConfig
from agri_train.data.data import Rows, Task

STEP = 256


def class_weights(
    config: TrainConfig, store: ChipStore, rows: Rows, task: Task
) -> tuple[float, ...] | None:
    """Return a weight per class, None for equal ones.

    `inverse` gives each class total / (classes * count), so that all weigh the same in sum; a
    class without a pixel in the train part weighs 0.
    """
    if isinstance(config.balance, tuple):
        return config.balance
    if config.balance == "none":
        return None
    counts = class_counts(store, rows, task)
    with np.errstate(divide="ignore"):
        weights = counts.sum() / (len(counts) * counts.astype(np.float64))
    return tuple(float(w) if np.isfinite(w) else 0.0 for w in weights)


def class_counts(
    store: ChipStore, rows: Rows, task: Task
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Count pixels (or patches) a class, reading a few chips at a time."""
    classes = len(store.legend)
    counts = np.zeros(IGNORE + 1, np.int64)
    for start in range(0, len(rows), STEP):
        part = rows[start : start + STEP]
        found = store.masks(part) if task == "segment" else store.labels(part)
        counts += np.bincount(found.ravel(), minlength=IGNORE + 1)
    return counts[:classes]
