"""The log of a run: one row an epoch, and the curves drawn from it."""

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from agri_core.files.atomic import replacing_file, write_text
from agri_core.files.csvfile import csv_text

from agri_train.engine.task import METRICS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = (
    "epoch",
    "lr",
    *(f"train_{name}" for name in METRICS),
    *(f"val_{name}" for name in METRICS),
    "seconds",
    "rate",
)
Row = dict[str, float]
_PANELS = {
    "loss": ("train_loss", "val_loss"),
    "mean IoU": ("train_iou", "val_iou"),
    "accuracy": ("train_accuracy", "val_accuracy", "val_majority"),
    "learning rate": ("lr",),
}


def read_history(path: Path) -> list[Row]:
    """Read the rows, oldest first; no file is no rows, a score that is n/a is NaN."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream)
        return [{name: float(row[name] or "nan") for name in COLUMNS} for row in rows]


def write_history(path: Path, rows: list[Row]) -> None:
    """Write all rows, atomically; NaN becomes an empty cell."""
    cells = [[_cell(name, row[name]) for name in COLUMNS] for row in rows]
    write_text(path, csv_text(COLUMNS, cells))


def _cell(name: str, value: float) -> str:
    if name == "epoch":
        return str(int(value))
    return "" if math.isnan(value) else f"{value:.8g}"


def describe(row: Mapping[str, float], epochs: int, best: bool) -> str:
    """One line about an epoch, baseline included."""
    return (
        f"epoch {int(row['epoch']):3d}/{epochs}  lr {row['lr']:.2g}  "
        f"train loss {row['train_loss']:.4f} iou {row['train_iou']:.3f}  "
        f"val loss {row['val_loss']:.4f} iou {row['val_iou']:.3f} f1 {row['val_f1']:.3f} "
        f"accuracy {row['val_accuracy']:.3f} (majority {row['val_majority']:.3f})  "
        f"{row['seconds']:.1f} s  {row['rate']:.1f} images/s{'  *' if best else ''}"
    )


def draw_curves(rows: list[Row], path: Path, title: str) -> None:
    """Draw the log of a run to a picture."""
    figure = curves_figure(rows, title)
    with replacing_file(path) as temporary:
        figure.savefig(temporary, dpi=110)


def curves_figure(rows: list[Row], title: str) -> "Figure":
    """Draw loss, IoU, accuracy beside its baseline, and learning rate over the epochs."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(10, 6.5), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    epochs = [row["epoch"] for row in rows]
    for axis, (name, columns) in zip(figure.subplots(2, 2).flat, _PANELS.items(), strict=True):
        for column in columns:
            style = "--" if column == "val_majority" else "-"
            axis.plot(epochs, [row[column] for row in rows], style, marker=".", label=column)
        axis.set(title=name, xlabel="epoch")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.3)
        axis.legend(fontsize="small")
    return figure
