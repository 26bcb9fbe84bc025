"""A fitted clustering on disk: what `fit` writes and every other command reads.

    OUT/model.keras      tile -> embedding, one Keras model
    OUT/centres.npy      (K, D) float32
    OUT/cluster.json     settings, alpha, scale, input, stop reason, balance, warnings, versions
    OUT/clusters.csv     chip_id, cluster, confidence, margin, distance, initial; a row per tile
    OUT/embedding.npy    (N, D) float32, rows as in clusters.csv, already divided by the scale
    OUT/features.npy     (N, F) of a frozen encoder, rows as in clusters.csv; else missing
    OUT/history.csv      a row per target update (COLUMNS)
    OUT/pretrain.csv     epoch, loss
    OUT/series/          rows.npy (M,); per update labels-NNN.npy (M,), embedding-NNN.npy (M, D)

The series holds at most `SERIES` tiles, drawn once, which keeps it small.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from agri_core.files.console import warn
from agri_core.files.errors import InputError, MissingError

from agri_cluster.artifact.arrays import check_rows, open_floats, read_centres
from agri_cluster.artifact.balance import Balance
from agri_cluster.artifact.info import read_info
from agri_cluster.data.rows import RowFile
from agri_cluster.data.tiles import Floats, Ints

INFO, TABLE, CENTRES, EMBEDDING = "cluster.json", "clusters.csv", "centres.npy", "embedding.npy"
HISTORY, PRETRAIN, MODEL, SERIES_DIR = "history.csv", "pretrain.csv", "model.keras", "series"
SERIES = 2000
TABLE_COLUMNS = ("chip_id", "cluster", "confidence", "margin", "distance")
WHOLE = ("cluster", "initial")
"""Columns of clusters.csv that are numbers of clusters; a DeepCluster has no initial ones."""

ROUNDING = 1e-5
"""What a share may be above 1, as it is written with six digits."""

COLUMNS = (
    "refresh", "iteration", "changed", "used", "largest", "smallest",
    "confidence", "kl", "reconstruction", "reseeded",
)  # fmt: skip
"""Of history.csv. refresh: number of the target update. changed: share of labels changed since the
previous update, 0..1. used: clusters with at least one tile. largest, smallest: share of tiles in
that cluster. confidence: mean largest soft label. kl: KL(P||Q) per tile over the full set.
reconstruction: mean squared error since the previous update, empty for DEC. reseeded: centres moved
by the guard."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted clustering.

    Attributes:
        path: the folder.
        info: the content of cluster.json.
        table: clusters.csv, a row per tile.
        centres: `(K, D)`.
    """

    path: Path
    info: dict[str, Any]
    table: pd.DataFrame
    centres: Floats

    @classmethod
    def open(cls, path: Path) -> Fitted:
        """Open the clustering in folder `path`.

        Raises:
            MissingError: there is none.
            InputError: a file of it is damaged.
        """
        for name in (INFO, TABLE, CENTRES, EMBEDDING):
            if not (path / name).is_file():
                raise MissingError(
                    f"there is no fitted clustering at {path} ({name} is missing); "
                    "make one with 'agri-cluster fit'"
                )
        info = read_info(path / INFO)
        centres = read_centres(path / CENTRES)
        table = _read_table(path / TABLE, len(centres))
        check_rows(path / EMBEDDING, len(table), centres.shape[1])
        return cls(path, info, table, centres)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def clusters(self) -> int:
        """The number of clusters K, with or without tiles."""
        return len(self.centres)

    @property
    def labels(self) -> Ints:
        """The cluster of each tile, `(N,)`."""
        return np.asarray(self.table["cluster"], np.int64)

    @property
    def balance(self) -> Balance:
        """How evenly the tiles are spread over the clusters."""
        return Balance.of(self.labels, self.clusters)

    def warn_dominated(self) -> None:
        """Warn where most tiles lie in few clusters."""
        if self.balance.warning:
            warn(self.balance.warning)

    @property
    def embedding(self) -> RowFile:
        """The embedding as a set of rows `(N, D)`."""
        return RowFile(self.path / EMBEDDING, list(self.table["chip_id"]))

    @property
    def history(self) -> pd.DataFrame:
        """A row per target update."""
        return read_csv(self.path / HISTORY)

    def series(self) -> list[tuple[Ints, Floats]]:
        """Return labels `(M,)` and embedding `(M, D)` of the sampled tiles at each update."""
        folder = self.path / SERIES_DIR
        return [
            (
                _load(file, self.clusters),
                np.array(open_floats(folder / f"embedding-{file.stem[-3:]}.npy")),
            )
            for file in sorted(folder.glob("labels-???.npy"))
        ]

    def series_rows(self) -> Ints:
        """Return the positions of the sampled tiles, `(M,)`."""
        return _load(self.path / SERIES_DIR / "rows.npy", len(self))


def read_csv(path: Path) -> pd.DataFrame:
    """Read a table of a clustering.

    Raises:
        InputError: it is no CSV in UTF-8, or a row has too many cells.
    """
    try:
        return pd.read_csv(path, dtype={"chip_id": str}, keep_default_na=False, na_values=[""])
    except (ValueError, OSError, OverflowError) as error:
        raise InputError(f"{path} is damaged ({error}); fit again") from error


def _read_table(path: Path, clusters: int) -> pd.DataFrame:
    table = read_csv(path)
    missing = [name for name in TABLE_COLUMNS if name not in table]
    if missing or not len(table):
        what = f"lacks the columns {', '.join(missing)}" if missing else "holds no tile"
        raise InputError(f"{path} {what}; the clustering is damaged, fit again")
    if table["chip_id"].isna().any() or table["chip_id"].duplicated().any():
        raise InputError(f"{path} has tiles without an id, or an id twice; fit again")
    for name in WHOLE:
        if name in table and not _are_clusters(table[name], clusters):
            raise InputError(
                f"{path}: {name} is a number from 0 to {clusters - 1}, the rows of centres.npy, in "
                "every row; the clustering is damaged, fit again"
            )
    for name in TABLE_COLUMNS[2:]:
        values = pd.to_numeric(table[name], errors="coerce").to_numpy(np.float64)
        most = 1.0 + ROUNDING if name != "distance" else np.inf
        # NaN fails both comparisons.
        if not ((values >= 0) & (values <= most) & np.isfinite(values)).all():
            raise InputError(
                f"{path}: {name} is {'0 to 1' if most < np.inf else '0 or more'} in every row; the "
                "clustering is damaged, fit again"
            )
    return table


def _are_clusters(column: pd.Series[Any], clusters: int) -> bool:
    return column.dtype.kind in "iu" and bool(column.between(0, clusters - 1).all())


def _load(path: Path, most: int) -> Ints:
    """Read whole numbers `(M,)` from 0 to below `most`."""
    try:
        found = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError, EOFError, TypeError, OverflowError) as error:
        raise InputError(f"{path} is not an .npy array ({error}); fit again") from error
    if found.ndim != 1 or found.dtype.kind not in "iu" or (len(found) and found.max() >= most):
        raise InputError(f"{path} holds numbers that are not below {most}; fit again")
    return found.astype(np.int64)
