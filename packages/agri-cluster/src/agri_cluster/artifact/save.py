"""Write a fitted clustering to a folder (files: `agri_cluster.artifact.fitted`), load its model."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.atomic import write_json, write_text
from agri_core.files.csvfile import csv_text
from agri_core.files.errors import InputError, MissingError

from agri_cluster.artifact.fitted import (
    CENTRES,
    COLUMNS,
    EMBEDDING,
    HISTORY,
    INFO,
    MODEL,
    PRETRAIN,
    SERIES_DIR,
    TABLE,
    TABLE_COLUMNS,
)
from agri_cluster.artifact.modelfile import check_model_file
from agri_cluster.artifact.series import Series
from agri_cluster.backend.framework import backend_name, keras
from agri_cluster.data.distances import log_assignment, squared_distances
from agri_cluster.data.rows import RowFile
from agri_cluster.data.tiles import Floats, Ints, batches

SCHEMA = 1
INITIAL = "initial"
READ = 4096
PACKAGES = ("agri-cluster", "keras", "numpy", "scikit-learn")


@dataclass(frozen=True, slots=True)
class FitOutput:
    """The output of a fit.

    Attributes:
        model: tile to embedding.
        rows: the embedding of all tiles, `(N, D)`.
        centres: `(K, D)`.
        alpha: degrees of freedom of the soft assignment.
        initial: the initial cluster of each tile, `(N,)`; None where there is none.
        history: a row per target update.
        pretrain: loss per epoch.
        series: snapshots of some tiles.
        facts: for cluster.json.
    """

    model: keras.Model
    rows: RowFile
    centres: Floats
    alpha: float
    initial: Ints | None
    history: Sequence[Mapping[str, Any]]
    pretrain: Sequence[float]
    series: Series
    facts: Mapping[str, Any]


def save(folder: Path, output: FitOutput, info: Mapping[str, Any]) -> None:
    """Write a clustering into the empty `folder`."""
    output.model.save(folder / MODEL)
    np.save(folder / CENTRES, output.centres)
    shutil.copyfile(output.rows.path, folder / EMBEDDING)
    _write_table(folder / TABLE, output)
    lines = [[row.get(name) for name in COLUMNS] for row in output.history]
    write_text(folder / HISTORY, csv_text(COLUMNS, lines))
    losses = [[epoch, loss] for epoch, loss in enumerate(output.pretrain, start=1)]
    write_text(folder / PRETRAIN, csv_text(("epoch", "loss"), losses))
    _write_series(folder / SERIES_DIR, output.series)
    versions = {name: version(name) for name in PACKAGES} | {"backend": backend_name()}
    head = {"schema": SCHEMA, "alpha": output.alpha, "versions": versions}
    write_json(folder / INFO, head | dict(info) | dict(output.facts))


def load_model(folder: Path) -> keras.Model:
    """Load the model of a clustering without running any code of its file.

    Raises:
        MissingError: there is none.
        InputError: the file is damaged, or holds layers that are not loaded from files.
    """
    # Importing these modules registers the layers that the model is made of.
    import agri_cluster.encoders.photograph
    import agri_cluster.encoders.rotations
    import agri_cluster.encoders.squeezenet
    import agri_cluster.encoders.statistics
    import agri_cluster.encoders.whitening  # noqa: F401

    path = folder / MODEL
    if not path.is_file():
        raise MissingError(f"there is no model {path}; fit again")
    check_model_file(path)
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, KeyError, OSError, AttributeError, RuntimeError) as error:
        raise InputError(f"{path} cannot be read ({error}); fit again") from error


def columns(z: Floats, centres: Floats, alpha: float) -> list[list[object]]:
    """Return the table's columns after the id for a batch of embeddings `(B, D)`."""
    square = squared_distances(z, centres)
    q = np.exp(log_assignment(z, centres, alpha))
    top = -np.sort(-q, axis=1)[:, :2]
    margin = top[:, 0] - top[:, 1] if len(centres) > 1 else top[:, 0]
    distance = np.sqrt(square.min(axis=1))
    found = zip(square.argmin(axis=1), top[:, 0], margin, distance, strict=True)
    return [[int(k), f"{q:.6g}", f"{gap:.6g}", f"{d:.6g}"] for k, q, gap, d in found]


def _write_table(path: Path, output: FitOutput) -> None:
    more = () if output.initial is None else (INITIAL,)
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow((*TABLE_COLUMNS, *more))
        for indices, z in batches(output.rows, READ):
            lines = columns(z, output.centres, output.alpha)
            for i, line in zip(indices, lines, strict=True):
                extra = [] if output.initial is None else [int(output.initial[i])]
                table.writerow((output.rows.ids[i], *line, *extra))


def _write_series(folder: Path, series: Series) -> None:
    folder.mkdir()
    np.save(folder / "rows.npy", series.rows)
    for refresh, labels, z in series.shots:
        np.save(folder / f"labels-{refresh:03d}.npy", labels.astype(np.uint16))
        np.save(folder / f"embedding-{refresh:03d}.npy", z)
