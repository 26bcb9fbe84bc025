"""The class contents of each chip, from labels or masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from agri_data.store.store import ChipStore

Floats = NDArray[np.float64]


def class_contents(store: ChipStore) -> tuple[tuple[str, ...], Floats]:
    """Return the class names and the content of each chip `(N, K)`.

    A labelled chip holds 1 of its class; a chip with a mask holds the share of its pixels that
    each class covers (ignored pixels hold nothing). Unlabelled chips all hold 1 of nothing in
    particular: no names, one column.
    """
    if store.has_masks:
        return store.legend.names, _mask_shares(store)
    if (store.table["label"] != "").all() and store.info.legend is not None:
        labels = store.labels(store.indices())
        return store.legend.names, np.eye(len(store.legend), dtype=np.float64)[labels]
    return (), np.ones((len(store), 1))


def _mask_shares(store: ChipStore) -> Floats:
    from agri_core.files.console import progress

    classes = len(store.legend)
    shares = np.zeros((len(store), classes))
    every, step = store.indices(), store.info.batch
    for start in progress(range(0, len(store), step), "classes"):
        part = every[start : start + step]
        masks = store.masks(part).reshape(len(part), -1)
        for k in range(classes):
            shares[part, k] = (masks == k).mean(axis=1)
    return shares
