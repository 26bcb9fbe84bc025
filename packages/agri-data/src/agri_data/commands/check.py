"""`agri-data check`: whether a chip store can be trusted, and whether its splits leak."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from agri_core.files.commands import OUTPUT
from agri_core.files.console import echo, warn

from agri_data.choices import Near

if TYPE_CHECKING:
    from agri_data.splits.audit import Audit
    from agri_data.store.store import ChipStore

FAILED = 1
SHOWN = 20


def check(
    store: Annotated[Path, typer.Argument(help="Chip store to check.")],
    near: Annotated[
        Near,
        typer.Option(help="What near duplicates across splits are; off skips the search."),
    ] = "warn",
    json: Annotated[
        Path | None, OUTPUT, typer.Option(help="Write the full report to this JSON file.")
    ] = None,
) -> None:
    """Check checksums, class ids, labels and the split, and search the splits for leaks.

    Shared ground, shared groups and equal chips in two splits always fail. The exit code is 1 if
    anything failed.

    Example: agri-data check data/chips --json reports/chips/check.json
    """
    from agri_core.files.atomic import write_json

    from agri_data.splits.audit import audit
    from agri_data.store.store import ChipStore

    opened = ChipStore.open(store)
    outcome = audit(opened, near)
    if json is not None:
        write_json(json, outcome.to_dict(opened))
    _report(opened, outcome)
    if not outcome.passed:
        raise typer.Exit(FAILED)


def _report(store: ChipStore, outcome: Audit) -> None:
    for item in outcome.findings:
        line = f"{item.check}: {item.detail}"
        if item.level == "fail":
            echo(f"FAIL {line}")
        else:
            warn(line)
    for kind, count in outcome.leak_counts.items():
        found = [leak for leak in outcome.leaks if leak.kind == kind]
        for leak in found[:SHOWN]:
            echo(f"{outcome.level(leak).upper()} {leak}")
        if count > SHOWN:
            echo(f"     and {count - SHOWN} more of kind {kind} (--json lists all)")
    leaks = ", ".join(f"{count} {kind}" for kind, count in outcome.leak_counts.items())
    verdict = "passed" if outcome.passed else "FAILED"
    echo(f"{verdict}: {len(store)} chips of {store.info.name}; leaks: {leaks}")
