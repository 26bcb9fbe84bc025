"""Reference class of each tile, where a store has labels; used only by scores and names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from agri_core.files.errors import InputError
from agri_core.legend import IGNORE
from agri_data.store.store import ChipStore
from agri_data.store.writer import INFO_FILE
from numpy.typing import ArrayLike

from agri_cluster.data.ground import find_rows
from agri_cluster.data.tiles import BATCH, Ints

UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Truth:
    """The class of each tile.

    Attributes:
        classes: `(N,)`, ids of the legend, `UNKNOWN` where there is none.
        names: of the classes, by id.
        source: description of where they come from.
    """

    classes: Ints
    names: tuple[str, ...]
    source: str


def read_truth(store: ChipStore, indices: ArrayLike) -> Truth | None:
    """Return the classes of the chips at `indices`, None where the store has no labels.

    A chip with a mask has the majority class of its labelled pixels (of two equal ones the first in
    the legend).

    Raises:
        StoreError: a label is not in the legend.
    """
    rows = np.asarray(indices, np.int64)
    if store.info.legend is None:
        return None
    if store.has_masks:
        parts = [_majority(store, rows[i : i + BATCH]) for i in range(0, len(rows), BATCH)]
        return Truth(np.concatenate(parts), store.legend.names, "majority class of the mask")
    labelled = (store.table["label"] != "").to_numpy()[rows]
    if not labelled.any():
        return None
    classes = np.full(len(rows), UNKNOWN, np.int64)
    classes[labelled] = store.labels(rows[labelled])
    return Truth(classes, store.legend.names, "label of the chip")


def find_truth(path: Path, ids: Sequence[str], wanted: bool | None = None) -> Truth | None:
    """Return the classes of the tiles named `ids` in the chips at `path`.

    Args:
        path: a chip store; a folder of pictures has no classes.
        ids: of the tiles.
        wanted: False = do not look; True = there must be some.

    Raises:
        InputError: there are none though they were asked for, or a tile is not in the store.
    """
    if wanted is False:
        return None
    found = None
    if (path / INFO_FILE).is_file():
        store = ChipStore.open(path)
        found = read_truth(store, find_rows(store, ids))
    if wanted and (found is None or not (found.classes != UNKNOWN).any()):
        raise InputError(f"{path} has no labels to score against; leave out --truth")
    return found


def _majority(store: ChipStore, rows: Ints) -> Ints:
    found = np.full(len(rows), UNKNOWN, np.int64)
    for position, mask in enumerate(store.masks(rows)):
        counts = np.bincount(mask[mask != IGNORE], minlength=1)
        if counts.any():
            found[position] = counts.argmax()
    return found
