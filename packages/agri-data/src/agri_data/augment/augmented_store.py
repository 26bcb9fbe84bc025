"""A chip store with N augmented copies of each training chip, made after the split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.console import progress
from agri_core.files.errors import InputError

from agri_data.augment.augment import Augment, augment, check_count
from agri_data.store.store import ChipStore
from agri_data.store.table import ChipRecord
from agri_data.store.writer import StoreWriter


def augmented_store(
    store: ChipStore,
    out: Path,
    count: int,
    config: Augment,
    *,
    seed: int = 0,
    splits: Sequence[str] = ("train",),
    originals: bool = True,
) -> None:
    """Write `store` again with `count` augmented copies of each chip in the splits `splits`.

    A copy has the split, group, label and source of the chip it was made from, so no source is
    in two splits; its id is that chip's id and `+1`, `+2`, ... Its place is the source's, its
    pixels are not, so it has no transform. Chips of other splits, and those in none, are copied as
    they are. The statistics are dropped: measure them again.

    Args:
        store: a store that has been split.
        out: the folder to write, not that of `store`.
        count: augmented copies of each chip.
        config: what may be drawn; its `nodata` is taken from the store.
        seed: the same seed gives the same copies, chip by chip, whatever else is in the store.
        splits: the splits in which copies are made.
        originals: whether the chips in `splits` are kept as well.

    Raises:
        InputError: the store has not been split, or `out` is the store itself.
    """
    _check(store, out, count, splits)
    rule = replace(config, nodata=store.info.nodata)
    made = {"copies": count, "seed": seed, "parts": list(splits), "originals": originals}
    split = {**(store.info.split or {}), "augmented": made}
    info = replace(store.info, stats=None, split=split, images=(), masks=(), table_sha256="")
    with StoreWriter(out, info) as writer:
        for position in progress(range(len(store)), "augmenting"):
            _write(store, writer, position, count, rule, seed, splits, originals)


def _write(
    store: ChipStore,
    writer: StoreWriter,
    position: int,
    count: int,
    rule: Augment,
    seed: int,
    splits: Sequence[str],
    originals: bool,
) -> None:
    record = ChipRecord(**store.table.iloc[position].to_dict())
    image, mask = store.images([position])[0], None
    if store.has_masks:
        mask = store.masks([position])[0]
    copied = record.split in splits
    if originals or not copied:
        writer.add(record, image, mask)
    for number in range(1, count + 1) if copied else ():
        drawn = augment(image, mask, chip_rng(seed, record.chip_id, number), rule)
        name = f"{record.chip_id}+{number}"
        writer.add(replace(record, chip_id=name, transform="", crs=""), *drawn)


def chip_rng(seed: int, chip: str, number: int) -> np.random.Generator:
    """Return the generator of one copy of one chip, the same whatever else is in the store."""
    # The bytes of the id join the seed, so no draw depends on the chips before.
    letters: list[Any] = list(chip.encode())
    return np.random.default_rng([seed, number, *letters])


def _check(store: ChipStore, out: Path, count: int, splits: Sequence[str]) -> None:
    check_count(count)
    if out.resolve() == store.path.resolve():
        raise InputError(f"{out} is the store itself; write the augmented copies elsewhere")
    if not len(np.concatenate([store.indices(split) for split in splits])):
        raise InputError(
            f"{store.path} has no chip in {', '.join(splits)}; split it first with `agri-data "
            "split`: copies made before a split end up in several splits"
        )
