"""Sets of equal and near-duplicate chips, which a fair split keeps together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agri_data.splits.near_duplicates import find_near_duplicates
from agri_data.splits.perceptual_hash import greys, spectra

if TYPE_CHECKING:
    from agri_data.store.store import ChipStore

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def duplicate_sets(store: ChipStore) -> Ints:
    """Return a number per chip, `(N,)`, the same for equal and near-duplicate chips."""
    digests, low = read_signs(store)
    assert low is not None
    pairs = [(pair.first, pair.second) for pair in find_near_duplicates(low, None, viewer(store))]
    seen: dict[str, int] = {}
    pairs += [(seen.setdefault(digest, i), i) for i, digest in enumerate(digests) if digest]
    return join(len(store), pairs)


def join(count: int, pairs: list[tuple[int, int]]) -> Ints:
    """Return the set number of each of `count` items after joining the pairs (union-find).

    Example:
        >>> join(5, [(0, 3), (3, 4)]).tolist()
        [0, 1, 2, 0, 0]
    """
    parent = list(range(count))

    def root(item: int) -> int:
        while parent[item] != item:
            # Path halving keeps the chains short.
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for first, second in pairs:
        parent[root(second)] = root(first)
    roots = np.array([root(item) for item in range(count)], np.int64)
    return np.unique(roots, return_inverse=True)[1].ravel().astype(np.int64)


def keep_together(splits: Ints, sets: Ints, strata: Ints, rng: np.random.Generator) -> Ints:
    """Return `splits` with the members of each set in one split and the sizes as they were.

    Each member joins the first one, and a single chip of that split takes its old place, one of
    the same stratum where there is any.
    """
    kept = splits.copy()
    sizes = np.bincount(sets)
    single = sizes[sets] == 1
    for number in np.flatnonzero(sizes > 1):
        first, *others = np.flatnonzero(sets == number)
        for other in others:
            if kept[other] != kept[first]:
                _exchange(kept, int(other), int(kept[first]), single, strata, rng)
    return kept


def read_signs(store: ChipStore, near: bool = True) -> tuple[list[str], Floats | None]:
    """Return each chip's digest ("" for a chip of one value) and, if `near`, its spectrum."""
    from agri_core.files.console import progress

    digests: list[str] = []
    low: list[Floats] = []
    every, step = store.indices(), store.info.batch
    for start in progress(range(0, len(store), step), "comparing"):
        chips = store.images(every[start : start + step])
        digests += [_digest(chip) for chip in chips]
        if near:
            low.append(spectra(greys(chips, store.info.nodata)))
    return digests, np.concatenate(low) if near else None


def viewer(store: ChipStore) -> Callable[[int], Floats]:
    """Return a function that gives one chip of the store in grey."""

    def look(position: int) -> Floats:
        return np.asarray(greys(store.images([position]), store.info.nodata)[0], np.float32)

    return look


def _exchange(
    splits: Ints,
    member: int,
    home: int,
    single: NDArray[np.bool_],
    strata: Ints,
    rng: np.random.Generator,
) -> None:
    free = single & (splits == home)
    same = np.flatnonzero(free & (strata == strata[member]))
    choice = same if len(same) else np.flatnonzero(free)
    if len(choice):
        splits[rng.choice(choice)] = splits[member]
    splits[member] = home


def _digest(chip: NDArray[Any]) -> str:
    # Two corners differ in most chips, which saves comparing all pixels.
    if (chip[0, 0] == chip[-1, -1]).all() and (chip == chip[:1, :1]).all():
        return ""
    return hashlib.sha256(np.ascontiguousarray(chip).data).hexdigest()
