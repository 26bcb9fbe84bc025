"""A fitted clustering to disk (`agri_cluster.fitted` says what lies where), and back to use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from agri_data.atomic import write_json, write_text
from agri_data.csvfile import csv_text
from agri_data.errors import InputError, MissingError
from numpy.typing import NDArray

from agri_cluster.fitted import (
    CENTRES,
    COLUMNS,
    EMBEDDING,
    HISTORY,
    INFO,
    MODEL,
    PRETRAIN,
    SERIES_DIR,
    TABLE,
)
from agri_cluster.framework import backend_name, keras
from agri_cluster.rows import RowWriter
from agri_cluster.series import Series
from agri_cluster.student import log_assignment, squared_distances
from agri_cluster.tiles import Floats, Tiles, batches

SCHEMA = 1
HEADER = ("chip_id", "cluster", "confidence", "margin", "distance")
PACKAGES = ("agri-cluster", "keras", "numpy", "scikit-learn")


def save(
    folder: Path,
    model: keras.Model,
    tiles: Tiles,
    centres: Floats,
    alpha: float,
    *,
    info: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]],
    pretrain: Sequence[float],
    series: Series,
) -> None:
    """Write a clustering into the empty `folder`."""
    model.save(folder / MODEL)
    np.save(folder / CENTRES, np.float32(centres))
    rows = _embed(folder, model, tiles, centres, alpha)
    write_text(folder / TABLE, csv_text(HEADER, rows))
    lines = [[row.get(name) for name in COLUMNS] for row in history]
    write_text(folder / HISTORY, csv_text(COLUMNS, lines))
    losses = [[epoch, loss] for epoch, loss in enumerate(pretrain, start=1)]
    write_text(folder / PRETRAIN, csv_text(("epoch", "loss"), losses))
    _write_series(folder / SERIES_DIR, series)
    versions = {name: version(name) for name in PACKAGES} | {"backend": backend_name()}
    head = {"schema": SCHEMA, "alpha": alpha, "versions": versions}
    write_json(folder / INFO, head | dict(info))


def load_model(folder: Path) -> keras.Model:
    """Read the model of a clustering, running no code that its file may hold.

    Raises:
        MissingError: there is none.
        InputError: the file is damaged, or holds what is not read from outside.
    """
    # The layers it is made of register themselves when their modules are imported.
    import agri_cluster.photograph
    import agri_cluster.squeezenet
    import agri_cluster.whitening  # noqa: F401

    path = folder / MODEL
    if not path.is_file():
        raise MissingError(f"there is no model {path}; fit again")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise InputError(f"{path} cannot be read ({error}); fit again") from error


def assignments(model: keras.Model, tiles: Tiles, centres: Floats, alpha: float) -> Any:
    """Yield per batch: embedding `(n, D)` and the table's rows after the id."""
    for indices, items in batches(tiles):
        z = np.asarray(model.predict_on_batch(items), np.float32)
        square = squared_distances(z, centres)
        yield indices, z, _columns(square, np.exp(log_assignment(z, centres, alpha)))


def _columns(square: NDArray[np.float64], q: NDArray[np.float64]) -> list[list[object]]:
    labels = square.argmin(axis=1)
    top = -np.sort(-q, axis=1)[:, :2]
    far = np.sqrt(square.min(axis=1))
    return [
        [int(label), f"{first:.6g}", f"{first - second:.6g}", f"{distance:.6g}"]
        for label, (first, second), distance in zip(labels, top, far, strict=True)
    ]


def _embed(
    folder: Path, model: keras.Model, tiles: Tiles, centres: Floats, alpha: float
) -> list[list[object]]:
    rows: list[list[object]] = []
    with RowWriter(folder / EMBEDDING, len(tiles), centres.shape[1]) as writer:
        for indices, z, columns in assignments(model, tiles, centres, alpha):
            writer.add(z)
            rows += [[tiles.ids[i], *row] for i, row in zip(indices, columns, strict=True)]
    return rows


def _write_series(folder: Path, series: Series) -> None:
    folder.mkdir()
    np.save(folder / "rows.npy", series.rows)
    for refresh, labels, z in series.shots:
        np.save(folder / f"labels-{refresh:03d}.npy", labels.astype(np.uint16))
        np.save(folder / f"embedding-{refresh:03d}.npy", z)
