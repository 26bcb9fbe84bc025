"""Train, validation and test by place: whole blocks or groups, no pixel shared between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from agri_core.files.errors import InputError
from numpy.typing import NDArray

from agri_data.choices import Method
from agri_data.splits.balance import balance, deal
from agri_data.splits.duplicate_groups import keep_together
from agri_data.splits.overlap import crossing
from agri_data.splits.places import Boxes, blocks, default_side, locate
from agri_data.splits.plan import SplitPlan
from agri_data.store.table import SPLITS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TRAIN, VAL, TEST, DROPPED = 0, 1, 2, -1


@dataclass(frozen=True, slots=True)
class Split:
    """A finished split.

    Attributes:
        splits: the split of each chip by the table's own index; "" for chips that were left out.
        plan: the settings asked for.
        unit: what was kept whole: "block", "group" or "chip".
        units: how many units there were.
        side: of a block, None for other units.
        shares: what share of each split each column of `contents` makes up, `(3, K)`.
        duplicate_sets: number of sets kept together; None if none were looked for.
    """

    splits: pd.Series
    plan: SplitPlan
    unit: str
    units: int
    side: float | None
    shares: Floats
    duplicate_sets: int | None = None

    @property
    def counts(self) -> dict[str, int]:
        """Chips per split, and how many were left out."""
        found = self.splits.value_counts()
        return {split: int(found.get(split, 0)) for split in SPLITS} | {
            "dropped": int(found.get("", 0))
        }

    def to_dict(self, classes: Sequence[str]) -> dict[str, Any]:
        """Return what `dataset.json` records of the split."""
        content = self.plan.to_dict() | {"unit": self.unit, "units": self.units}
        if self.side is not None:
            content["block"] = self.side
        if self.duplicate_sets is not None:
            content["alike"] = self.duplicate_sets
        content["counts"] = self.counts
        if classes:
            rounded = np.nan_to_num(np.round(self.shares, 4))
            content["shares"] = {
                split: dict(zip(classes, map(float, row), strict=True))
                for split, row in zip(SPLITS, rounded, strict=True)
            }
        return content


def assign(
    table: pd.DataFrame,
    method: Method = "block",
    fractions: tuple[float, float, float] = (0.7, 0.15, 0.15),
    seed: int = 0,
    *,
    size: int = 1,
    block: float | None = None,
    buffer: float = 0.0,
    folds: int = 5,
    fold: int = 0,
    contents: Floats | None = None,
) -> pd.Series:
    """Return "train", "val", "test" or "" for each chip; see `SplitPlan` and `make_split`."""
    plan = SplitPlan(method, fractions, seed, block, buffer, folds, fold)
    return make_split(table, plan, size=size, contents=contents).splits


def make_split(
    table: pd.DataFrame,
    plan: SplitPlan,
    *,
    size: int,
    contents: Floats | None = None,
    sets: Ints | None = None,
) -> Split:
    """Split the chips of `table` by `plan`.

    A random split is exact to one item, and each class has its share in each split. Blocks
    and groups stay whole and are balanced as far as they allow. Where chips of two splits still
    share pixels (or are nearer than the buffer) the one in train gives way, then the one in val:
    it belongs to no split.

    Args:
        table: the chip table; its row order does not matter.
        plan: the settings.
        size: chip side in pixels.
        contents: how much of each class each chip holds, `(N, K)`; by default its label.
        sets: numbers of sets of near duplicates, `(N,)`; where single chips are dealt, those of one
            set stay together.

    Raises:
        InputError: too few units for the splits, no groups, or no places to cut into blocks.
    """
    if len(table) == 0:
        raise InputError("there is no chip to split")
    # By id, so that the result does not depend on the order of the rows.
    order = np.argsort(table["chip_id"].to_numpy().astype(str), kind="stable")
    ordered = table.iloc[order]
    content = contents[order] if contents is not None else label_contents(ordered)
    rng = np.random.default_rng(plan.seed)
    unit, numbers, side, boxes = _units(ordered, plan, size)
    folds = _share_out(numbers, content, plan, unit, rng)
    pairs = None
    if sets is not None and unit == "chip":
        folds = keep_together(folds, sets[order], content.argmax(axis=1), rng)
        pairs = int((np.bincount(sets) > 1).sum())
    splits = _fold_splits(folds, plan) if plan.method == "kfold" else folds
    if boxes is not None:
        splits = set_apart(boxes, splits, plan.buffer)
    # DROPPED is -1 and picks the "" at the end.
    names = np.array([*SPLITS, ""], dtype=object)[splits]
    series = pd.Series(names, index=ordered.index, name="split", dtype=object).reindex(table.index)
    held = np.stack([content[splits == split].sum(0) for split in (TRAIN, VAL, TEST)])
    total = held.sum(1, keepdims=True)
    shares = np.divide(held, total, out=np.full_like(held, np.nan), where=total > 0)
    count = int(numbers.max()) + 1
    return Split(series, plan, unit, count, side, shares, pairs)


def label_contents(table: pd.DataFrame) -> Floats:
    """Return one-hot labels `(N, K)`, K sorted label names; one column of ones without labels."""
    codes, names = pd.factorize(table["label"], sort=True)
    return np.eye(len(names), dtype=np.float64)[np.asarray(codes, np.int64)]


def set_apart(boxes: Boxes, splits: Ints, buffer: float = 0.0) -> Ints:
    """Return `splits` with -1 for the chips that must go so that no two splits share a pixel."""
    kept = splits.copy()
    # Val gives way to test, then train to both.
    for split in (VAL, TRAIN):
        pairs = crossing(boxes, kept, buffer)
        later = (kept[pairs] > split).any(axis=1) & (kept[pairs] == split).any(axis=1)
        touched = pairs[later].ravel()
        kept[touched[kept[touched] == split]] = DROPPED
    return kept


def _units(
    table: pd.DataFrame, plan: SplitPlan, size: int
) -> tuple[str, Ints, float | None, Boxes | None]:
    """Return the kind of unit, each chip's unit number, the block side and the chips' boxes."""
    grouped = bool((table["group"] != "").any())
    by_block = plan.method == "block" or (plan.method == "kfold" and plan.block is not None)
    if by_block:
        boxes = _placed(table, size)
        side = plan.block or default_side(boxes)
        return "block", blocks(boxes, side), side, boxes
    if plan.method == "group" or (plan.method == "kfold" and grouped):
        return "group", _groups(table), None, locate(table, size)
    if plan.buffer:
        raise InputError(f"a buffer needs blocks or groups; the {plan.method} split has neither")
    return "chip", np.arange(len(table), dtype=np.int64), None, None


def _groups(table: pd.DataFrame) -> Ints:
    missing = table.loc[table["group"] == "", "chip_id"]
    if len(missing):
        raise InputError(
            f"a split by group needs a group for every chip, {len(missing)} of {len(table)} have "
            f"none (first: {missing.iloc[0]}); use --method block or random"
        )
    return np.asarray(pd.factorize(table["group"], sort=True)[0], np.int64)


def _placed(table: pd.DataFrame, size: int) -> Boxes:
    boxes = locate(table, size)
    if boxes.metric.any() and not boxes.metric.all():
        raise InputError(
            f"{int((~boxes.metric).sum())} of {len(table)} chips have no coordinates, the others "
            "do, so they cannot be cut into blocks together; use --method group"
        )
    if not boxes.metric.any() and not table["source"].duplicated().any():
        raise InputError(
            "blocks need to know where chips lie, but these have no coordinates and each comes "
            "from its own file; use --method group, or random if there are no groups"
        )
    return boxes


def _share_out(
    numbers: Ints, content: Floats, plan: SplitPlan, unit: str, rng: np.random.Generator
) -> Ints:
    shares = plan.shares
    count, wanted = int(numbers.max()) + 1, int((shares > 0).sum())
    if count < wanted:
        advice = "a smaller --block" if unit == "block" else "fewer splits or --method block"
        raise InputError(
            f"{wanted} splits need at least {wanted} {unit}s, got {count}; use {advice}"
        )
    if unit == "chip":
        return deal(content.argmax(axis=1), shares, rng)
    held = np.zeros((count, content.shape[1]))
    np.add.at(held, numbers, content)
    return balance(held, shares, rng)[numbers]


def _fold_splits(folds: Ints, plan: SplitPlan) -> Ints:
    splits = np.full(len(folds), TRAIN, np.int64)
    if plan.folds > 2:
        splits[folds == (plan.fold + 1) % plan.folds] = VAL
    splits[folds == plan.fold] = TEST
    return splits
