"""The learning curves of a run."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agri_data.figures.figure import LINE, new_figure, save, style

from agri_train.run.history import Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PANELS = {
    "loss": ("train_loss", "val_loss"),
    "mean IoU": ("train_iou", "val_iou"),
    "accuracy": ("train_accuracy", "val_accuracy", "val_majority"),
    "learning rate": ("lr",),
}


def draw_curves(rows: Sequence[Row], path: Path, title: str) -> Path:
    """Draw the learning curves to a picture file."""
    return save(curves_figure(rows, title), path)


def curves_figure(rows: Sequence[Row], title: str) -> "Figure":
    """Draw loss, IoU, accuracy with the majority baseline, and learning rate over the epochs."""
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(10, 6.5, title)
    epochs = [row["epoch"] for row in rows]
    for axes, (name, columns) in zip(figure.subplots(2, 2).flat, _PANELS.items(), strict=True):
        for column in columns:
            dash = "--" if column == "val_majority" else "-"
            axes.plot(epochs, [row[column] for row in rows], dash, marker=".", label=column)
        axes.set(title=name, xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(color=LINE)
        axes.legend(fontsize=8, frameon=False)
        style(axes)
    return figure
