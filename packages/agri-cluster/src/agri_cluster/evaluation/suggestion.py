"""Open the rows of a suggestion for the number of clusters, and write the suggestion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from agri_core.files.atomic import adding_files, write_json, write_text
from agri_core.files.csvfile import csv_text

from agri_cluster.artifact.fitted import INFO, Fitted
from agri_cluster.data.tiles import Tiles
from agri_cluster.evaluation.choose import Suggestion
from agri_cluster.evaluation.curves import draw_suggestion
from agri_cluster.evaluation.spaces import principal, statistics

FILE = "suggestion.json"


def open_rows(source: Path, n_components: int, rng: np.random.Generator) -> Tiles:
    """Return the embedding of a fitted clustering, or components of the statistics of tiles.

    Raises:
        MissingError: there is neither at `source`.
        InputError: it is damaged.
    """
    if (source / INFO).is_file():
        fitted = Fitted.open(source)
        fitted.warn_dominated()
        return principal(fitted.embedding, rng, n_components)
    from agri_cluster.data.sources import open_tiles

    return principal(statistics(open_tiles(source)), rng, n_components)


def write_suggestion(suggestion: Suggestion, out: Path) -> None:
    """Write suggestion.json, curves.csv and curves.png into `out`, all of them or none.

    Raises:
        InputError: `out` holds such files that are not of an earlier suggestion.
    """
    names = list(suggestion.curves)
    columns = zip(*suggestion.curves.values(), strict=True)
    lines = [[k, *values] for k, values in zip(suggestion.candidates, columns, strict=True)]
    with adding_files(out) as folder:
        write_text(folder / "curves.csv", csv_text(["clusters", *names], lines))
        draw_suggestion(suggestion, folder / "curves.png")
        write_json(folder / FILE, suggestion.to_json())


def describe(suggestion: Suggestion) -> str:
    """Return the suggestion in a few lines."""
    votes = ", ".join(f"{rule} {vote or 'none'}" for rule, vote in suggestion.votes.items())
    low, high = suggestion.low, suggestion.high
    told = f"{low}" if low == high else f"{low} to {high}"
    return (
        f"{told} clusters, try {suggestion.best} first\nvotes of {suggestion.rows} tiles: {votes}"
    )
