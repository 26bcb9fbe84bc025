"""The history of a run: one row of metrics per epoch in `history.csv`."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agri_core.files.atomic import write_text
from agri_core.files.csvfile import csv_text
from lightning.pytorch.loggers import CSVLogger

from agri_train.config import MONITORS, Monitor
from agri_train.engine.accumulator import METRICS

COLUMNS = (
    "epoch",
    "lr",
    *(f"train_{name}" for name in METRICS),
    *(f"val_{name}" for name in METRICS),
    "seconds",
    "rate",
)
Row = dict[str, float]


class HistoryLogger(CSVLogger):
    """Writes one row per epoch to `history.csv`.

    Lightning's CSVLogger deletes an earlier file, then appends to it, a row for each call and with
    the columns in alphabetical order. Exact resume needs more: the rows of an interrupted run are
    restored from its checkpoint, and the whole file is written atomically. Values logged during an
    epoch (the learning rate at its start, the metrics at its end) form one row.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path.parent, name=None, version="")
        self.path, self.rows = path, list[Row]()
        self._row: Row = {}

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Add values to the row of the epoch; a complete row is written to the file."""
        self._row |= {name: float(metrics[name]) for name in COLUMNS if name in metrics}
        if len(self._row) == len(COLUMNS):
            self.rows.append({name: self._row[name] for name in COLUMNS})
            self._row = {}
            self.save()

    def save(self) -> None:
        """Write all rows."""
        if self.rows:
            write_history(self.path, self.rows)


def read_history(path: Path) -> list[Row]:
    """Read the rows of a history file, in order; no file is no rows, an empty cell is NaN."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream)
        return [{name: float(row[name] or "nan") for name in COLUMNS} for row in rows]


def write_history(path: Path, rows: Sequence[Row]) -> None:
    """Write all rows atomically; NaN becomes an empty cell."""
    cells = [[_cell(name, row[name]) for name in COLUMNS] for row in rows]
    write_text(path, csv_text(COLUMNS, cells))


def is_best(rows: Sequence[Row], monitor: Monitor) -> bool:
    """Return whether the last epoch has the best `monitor` so far.

    Example:
        >>> rows = [{"val_loss": 0.5, "val_iou": 0.6}, {"val_loss": 0.4, "val_iou": 0.5}]
        >>> is_best(rows, "loss"), is_best(rows, "iou")
        (True, False)
    """
    sign = 1.0 if MONITORS[monitor] == "min" else -1.0
    values = [sign * row[f"val_{monitor}"] for row in rows]
    earlier = [value for value in values[:-1] if not math.isnan(value)]
    return values[-1] < min(earlier, default=math.inf)


def mean_rate(rows: Sequence[Row]) -> float:
    """Return the training images per second over all epochs; 0 without an epoch."""
    return len(rows) / sum(1 / row["rate"] for row in rows) if rows else 0.0


def describe(row: Mapping[str, float], epochs: int, best: bool) -> str:
    """Return one line about an epoch; `*` marks the best one so far."""
    return (
        f"epoch {int(row['epoch']):3d}/{epochs}  lr {row['lr']:.2g}  "
        f"train loss {row['train_loss']:.4f} iou {row['train_iou']:.3f}  "
        f"val loss {row['val_loss']:.4f} iou {row['val_iou']:.3f} f1 {row['val_f1']:.3f} "
        f"accuracy {row['val_accuracy']:.3f} (majority {row['val_majority']:.3f})  "
        f"{row['seconds']:.1f} s  {row['rate']:.1f} images/s{'  *' if best else ''}"
    )


def _cell(name: str, value: float) -> str:
    if name == "epoch":
        return str(int(value))
    return "" if math.isnan(value) else f"{value:.8g}"
