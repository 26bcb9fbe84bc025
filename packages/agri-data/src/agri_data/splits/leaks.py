"""Leaks between splits: places, groups, pixels and near duplicates that two of them share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agri_data.splits.duplicate_groups import read_signs, viewer
from agri_data.splits.near_duplicates import find_near_duplicates
from agri_data.splits.overlap import crossing
from agri_data.splits.places import locate, windows
from agri_data.store.table import SPLITS

if TYPE_CHECKING:
    from agri_data.store.store import ChipStore

Kind = Literal["overlap", "group", "exact", "near"]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Leak:
    """Two chips of different splits, and what they share.

    `kind` is "overlap" (common ground or pixels of a scene), "group", "exact" (equal pixels) or
    "near" (near duplicates, which may be mirrored).
    """

    kind: Kind
    chip_a: str
    split_a: str
    chip_b: str
    split_b: str
    detail: str

    def __str__(self) -> str:
        return (
            f"{self.kind}: {self.chip_a} ({self.split_a}) and {self.chip_b} ({self.split_b}): "
            f"{self.detail}"
        )


def find_leaks(store: ChipStore, *, near: bool = True) -> list[Leak]:
    """Return every leak between the splits of a store; reads all chips once.

    Groups count unless the split kept blocks of ground whole, which cuts through large groups on
    purpose. Chips of one single value carry nothing that could leak and are not compared.

    Args:
        store: a store that has been split.
        near: whether to look for near duplicates too.
    """
    table, splits = store.table, split_numbers(store.table)
    split = store.info.split or {}
    leaks = overlap_leaks(table, splits, store.info.chip_size)
    if split.get("unit") != "block":
        leaks += group_leaks(table, splits)
    digests, low = read_signs(store, near)
    exact = exact_leaks(table, splits, digests)
    leaks += exact
    if low is not None:
        same = {(leak.chip_a, leak.chip_b) for leak in exact}
        found = near_leaks(store, splits, low)
        leaks += [leak for leak in found if (leak.chip_a, leak.chip_b) not in same]
    return leaks


def split_numbers(table: pd.DataFrame) -> Ints:
    """Return 0, 1, 2 for train, val, test and -1 for chips in no split, `(N,)`."""
    numbers = {name: number for number, name in enumerate(SPLITS)}
    return np.array([numbers.get(name, -1) for name in table["split"]], np.int64)


def overlap_leaks(table: pd.DataFrame, splits: Ints, size: int) -> list[Leak]:
    """Return the pairs that share ground on the map or pixels of one source."""
    ground = crossing(locate(table, size), splits)
    pixels = crossing(windows(table, size), splits)
    pairs = np.unique(np.concatenate([ground, pixels]), axis=0)
    sources = table["source"].to_numpy()
    return [_leak("overlap", table, i, j, _where(sources[i], sources[j])) for i, j in pairs]


def group_leaks(table: pd.DataFrame, splits: Ints) -> list[Leak]:
    """Return, for each group in several splits, one pair of chips for each pair of splits."""
    named = pd.DataFrame({"group": table["group"].to_numpy(), "split": splits})
    named = named[(named["group"] != "") & (named["split"] >= 0)]
    spread = named.groupby("group", sort=True)["split"].nunique()
    leaks = []
    for group in spread.index[spread > 1]:
        rows = named[named["group"] == group]
        firsts = [int(chips.index[0]) for _, chips in rows.groupby("split", sort=True)]
        detail = f"both belong to group {group}"
        leaks += [_leak("group", table, firsts[0], other, detail) for other in firsts[1:]]
    return leaks


def exact_leaks(table: pd.DataFrame, splits: Ints, digests: list[str]) -> list[Leak]:
    """Return the pairs of equal digests in different splits; an empty digest equals none."""
    members: dict[str, list[int]] = defaultdict(list)
    for position, digest in enumerate(digests):
        if digest and splits[position] >= 0:
            members[digest].append(position)
    pairs = [pair for group in members.values() for pair in _across(group, splits)]
    return [_leak("exact", table, i, j, "their pixels are equal") for i, j in sorted(pairs)]


def near_leaks(store: ChipStore, splits: Ints, low: NDArray[np.float32]) -> list[Leak]:
    """Return the near duplicates in different splits, from the spectra of all chips."""
    leaks = []
    for pair in find_near_duplicates(low, splits, viewer(store)):
        how = "mirrored or rotated, they" if pair.pose else "they"
        detail = f"{how} correlate by {pair.score:.3f}"
        leaks.append(_leak("near", store.table, pair.first, pair.second, detail))
    return leaks


def _across(group: list[int], splits: Ints) -> Iterator[tuple[int, int]]:
    """Yield the first member with every later member of another split."""
    for position, i in enumerate(group):
        others = [j for j in group[position + 1 :] if splits[j] != splits[i]]
        if others:
            yield from ((i, j) for j in others)
            return


def _leak(kind: Kind, table: pd.DataFrame, i: int, j: int, detail: str) -> Leak:
    chips, splits = table["chip_id"], table["split"]
    return Leak(kind, chips.iloc[i], splits.iloc[i], chips.iloc[j], splits.iloc[j], detail)


def _where(first: str, second: str) -> str:
    return f"same ground in {first}" if first == second else f"same ground in {first} and {second}"
