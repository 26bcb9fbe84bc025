"""The figure of a confusion matrix: the share of each true class, and the counts below it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from agri_core.confusion import shares_of_truth
from agri_core.legend import Legend
from numpy.typing import NDArray

from agri_data.figures.figure import INK, name_classes, new_figure, save, style

CELL = 0.72
DARK = 0.4
"""Share above which a cell is so dark that its text is white."""


def draw_confusion(matrix: NDArray[np.int64], legend: Legend, path: Path, title: str) -> Path:
    """Draw counts `(K, K)`; rows are the truth, columns the prediction.

    A cell shows its share of the true class and the count. Its shade is the square root of the
    share, so that rare mistakes are seen. A cell without a count is blank.
    """
    side = max(CELL * len(legend) + 2.2, 4.4)
    figure = new_figure(side, side, title)
    axes = figure.add_subplot()
    shares = np.nan_to_num(shares_of_truth(matrix))
    axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(matrix):
        if count:
            share = float(shares[row, column])
            ink = "white" if share > DARK else INK
            text = f"{_percent(share)}\n{count:,}"
            axes.text(column, row, text, ha="center", va="center", fontsize=7, color=ink)
    name_classes(axes, legend.names, both=True)
    axes.set(xlabel="predicted", ylabel="truth")
    style(axes)
    axes.spines[:].set_visible(False)
    return save(figure, path)


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else "<0.1%"
