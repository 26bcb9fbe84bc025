"""The learning curves of a run."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agri_core.files.atomic import replacing_file

from agri_train.run.history import Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PANELS = {
    "loss": ("train_loss", "val_loss"),
    "mean IoU": ("train_iou", "val_iou"),
    "accuracy": ("train_accuracy", "val_accuracy", "val_majority"),
    "learning rate": ("lr",),
}


def draw_curves(rows: Sequence[Row], path: Path, title: str) -> None:
    """Draw the learning curves to a picture file."""
    figure = curves_figure(rows, title)
    with replacing_file(path) as temporary:
        figure.savefig(temporary, dpi=110)


def curves_figure(rows: Sequence[Row], title: str) -> "Figure":
    """Draw loss, IoU, accuracy with the majority baseline, and learning rate over the epochs."""
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
