"""The place of each chip: the unit that confidence intervals resample (neighbours are alike)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agri_data.splits.places import blocks, default_side, locate
from agri_data.store.store import ChipStore


@dataclass(frozen=True, slots=True)
class Places:
    """The place of each chip.

    Attributes:
        numbers: place number of every chip of the store, `(N,)`.
        kind: what a place is, in words.
    """

    numbers: NDArray[np.int64]
    kind: str

    def sum_by_place(self, rows: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Add up the counts `(len(rows), ...)` of the chips `rows` to `(places, ...)`.

        Such as their confusion matrices, for `agri_core.confusion.bootstrap`.
        """
        found, place = np.unique(self.numbers[rows], return_inverse=True)
        sums = np.zeros((len(found), *counts.shape[1:]), np.int64)
        np.add.at(sums, place, counts)
        return sums


def find_places(store: ChipStore) -> Places:
    """Use the blocks or groups the store was split by; else groups, ground, sources or chips."""
    split = store.info.split or {}
    table = store.table
    if split.get("unit") == "block":
        return _blocks(store, float(split["block"]))
    if (table["group"] != "").all():
        return _numbered(table["group"], "group")
    if table["source"].nunique() in (1, len(table)) and not (table["transform"] != "").all():
        return Places(np.arange(len(table), dtype=np.int64), "chip (nothing is known of its place)")
    boxes = locate(table, store.info.chip_size)
    return _blocks(store, default_side(boxes))


def _blocks(store: ChipStore, side: float) -> Places:
    boxes = locate(store.table, store.info.chip_size)
    unit = "m" if bool(boxes.metric.all()) else "pixels"
    return Places(blocks(boxes, side), f"block of {side:g} {unit}")


def _numbered(names: pd.Series[str], kind: str) -> Places:
    return Places(np.asarray(pd.factorize(names, sort=True)[0], np.int64), kind)
