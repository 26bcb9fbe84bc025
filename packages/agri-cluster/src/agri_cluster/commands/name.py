"""`agri-cluster name`: a file of cluster names, to be filled in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from agri_core.files.commands import OUTPUT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agri_cluster.data.tiles import Ints
    from agri_cluster.selection.naming import Majority


HEADING = "A name for each cluster; several may share a name, and clusters without one are skipped."


def name(
    fitted: Annotated[Path, typer.Argument(help="A fitted clustering (`agri-cluster fit`).")],
    out: Annotated[
        Path,
        OUTPUT,
        typer.Option(help="The names file to write, a .yaml; edited ones are never replaced."),
    ],
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="CHIPS", help="Chips with labels: name each cluster by its majority class."
        ),
    ] = None,
    groups: Annotated[
        int | None, typer.Option(min=1, help="Merge the clusters into so many groups first.")
    ] = None,
) -> None:
    """Write a names file with a line per cluster to fill in, or fill it from known labels.

    Look at the page of `agri-cluster report` to name the clusters. Clusters of the same class get
    the same name; those that you do not want get none.

    Example: agri-cluster name data/cluster --out names.yaml
    """
    import numpy as np
    from agri_core.files.atomic import write_text
    from agri_core.files.console import echo

    from agri_cluster.artifact.fitted import Fitted
    from agri_cluster.selection.choice import grouped
    from agri_cluster.selection.naming import names_text

    opened = Fitted.open(fitted)
    opened.warn_dominated()
    labels, count = grouped(opened, groups)
    sizes = np.bincount(labels, minlength=count)
    found: dict[int, Majority] = {}
    heading = HEADING
    if truth is not None:
        found, heading = _by_truth(list(opened.table["chip_id"]), labels, truth)
        echo(heading)
    write_text(out, names_text(sizes, found, heading))
    used = int(np.count_nonzero(sizes))
    named = ", ".join(sorted({item.name for item in found.values()}))
    echo(f"{out}: {used} clusters, {f'named {named}' if found else 'to be named in this file'}")


def _by_truth(ids: Sequence[str], labels: Ints, chips: Path) -> tuple[dict[int, Majority], str]:
    from agri_core.files.errors import InputError

    from agri_cluster.data.truth import find_truth
    from agri_cluster.selection.naming import name_by_truth

    truth = find_truth(chips, ids)
    found = {} if truth is None else name_by_truth(labels, truth)
    if truth is None or not found:
        raise InputError(
            f"the clustered chips in {chips} have no labels to name clusters by; "
            "look at the clusters and name them yourself, without --truth"
        )
    return found, f"named from known labels ({truth.source} in {chips}), not by a person"
