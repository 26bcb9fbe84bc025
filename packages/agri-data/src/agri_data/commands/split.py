"""`agri-data split`: assign train, val and test, and measure train."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from agri_core.files.console import echo, warn
from agri_core.files.errors import InputError

from agri_data.choices import Method

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agri_data.splits.split import Split


BLOCKS, FOLDS = "Blocks of ground", "Cross-validation"
"""Panels of the help."""


def split(
    store: Annotated[Path, typer.Argument(help="Chip store to split, in place.")],
    method: Annotated[
        Method,
        typer.Option(help="What stays whole; random keeps nothing whole, kfold makes test folds."),
    ] = "block",
    val: Annotated[float, typer.Option(help="Share of val.")] = 0.15,
    test: Annotated[float, typer.Option(help="Share of test; train is the rest.")] = 0.15,
    seed: Annotated[int, typer.Option(help="The same seed gives the same lists.")] = 0,
    block: Annotated[
        float | None,
        typer.Option(
            help="Side of a block in metres (pixels without coordinates).", rich_help_panel=BLOCKS
        ),
    ] = None,
    buffer: Annotated[
        float,
        typer.Option(
            help="Least distance between splits, in the unit of --block.", rich_help_panel=BLOCKS
        ),
    ] = 0.0,
    folds: Annotated[
        int, typer.Option(help="Number of folds of kfold.", rich_help_panel=FOLDS)
    ] = 5,
    fold: Annotated[
        int,
        typer.Option(help="Fold of kfold that is the test split, from 0.", rich_help_panel=FOLDS),
    ] = 0,
    alike: Annotated[
        bool, typer.Option(help="Where single chips are dealt, keep near duplicates in one split.")
    ] = True,
    stats: Annotated[
        bool, typer.Option("--stats/--no-stats", help="Measure the bands of train as well.")
    ] = True,
) -> None:
    """Assign train, val and test by place, and measure the bands of train.

    Blocks of ground or groups stay whole, and no pixel is in two splits: chips that would share
    one are left out. kfold uses blocks if --block is given, else groups, else single chips.
    Where single chips are dealt (random), equal and near-duplicate chips stay together.

    Example: agri-data split data/chips --method block --block 1280 --val 0.15 --test 0.15
    """
    import numpy as np
    from agri_core.files.locks import sole_run

    from agri_data.commands.stats import tell_stats
    from agri_data.splits.duplicate_groups import duplicate_sets
    from agri_data.splits.plan import SplitPlan
    from agri_data.splits.split import make_split
    from agri_data.store.contents import class_contents
    from agri_data.store.stats import compute
    from agri_data.store.store import ChipStore, rewrite_table

    plan = SplitPlan(method, (1 - val - test, val, test), seed, block, buffer, folds, fold)
    ChipStore.open(store)  # before a lock is made next to it
    with sole_run(store, wait=True):
        opened = ChipStore.open(store)
        names, contents = class_contents(opened)
        grouped = bool((opened.table["group"] != "").any())
        sets = duplicate_sets(opened) if alike and plan.singly(grouped) else None
        size = opened.info.chip_size
        done = make_split(opened.table, plan, size=size, contents=contents, sets=sets)
        if stats and not done.counts["train"]:
            raise InputError(
                f"no chip of {store} would be in train, so its bands cannot be measured; choose "
                f"smaller --val ({val:g}) and --test ({test:g}), or pass --no-stats"
            )
        train = np.flatnonzero((done.splits == "train").to_numpy())
        figures = compute(opened, train) if stats else None
        # At once, so that no store looks split that is not measured.
        table = opened.table.assign(split=done.splits)
        rewrite_table(store, table, split=done.to_dict(names), stats=figures)
    _report(done, names)
    if figures is not None:
        tell_stats(figures, len(train))


def _report(done: Split, classes: Sequence[str]) -> None:
    from agri_data.store.table import SPLITS

    unit = f"{done.units} {done.unit}s"
    side = f" of {done.side:g}" if done.side else ""
    echo(f"{done.plan.method} split, seed {done.plan.seed}, {unit}{side}")
    counts = done.counts
    total = sum(counts.values())
    for split in SPLITS:
        echo(f"  {split:<6}{counts[split]:>8}  {counts[split] / total:6.1%}")
    if counts["dropped"]:
        echo(f"  apart {counts['dropped']:>8}  {counts['dropped'] / total:6.1%}  (shared ground)")
    if done.duplicate_sets:
        echo(f"  {done.duplicate_sets} sets of equal or near-duplicate chips were kept together")
    if classes:
        echo("  share of each class per split (train val test):")
        for name, row in zip(classes, done.shares.T, strict=True):
            echo(f"    {name:<24}" + "".join(f"{value:8.1%}" for value in row))
    if done.unit == "chip":
        warn(
            "chips were dealt at random: neighbours fall in different splits, so scores will be "
            "optimistic; use --method block or group where places are known"
        )
