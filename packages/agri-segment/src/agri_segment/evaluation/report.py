"""Tables of scores, for Markdown, CSV and the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from agri_core.files.csvfile import csv_text
from agri_core.legend import Legend
from numpy.typing import NDArray

NONE = "n/a"


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a Markdown table, aligned as plain text."""
    cells = [[show(value) for value in row] for row in rows]
    widths = [max(len(line[i]) for line in [list(header), *cells]) for i in range(len(header))]
    lines = [list(header), ["-" * width for width in widths], *cells]
    return "\n".join(
        "| "
        + " | ".join(
            text.ljust(width) if i == 0 else text.rjust(width)
            for i, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        + " |"
        for line in lines
    )


def show(value: Any) -> str:
    """Format a value for a table: scores with three decimals, None as n/a."""
    if value is None:
        return NONE
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def interval(low: float | None, high: float | None) -> str:
    """Format a 95 % CI."""
    return NONE if low is None or high is None else f"{low:.3f}..{high:.3f}"


def headline(scores: Mapping[str, Any], split: str) -> str:
    """Return the main scores with their baselines in one or two lines."""
    span = interval(scores["miou_low"], scores["miou_high"])
    return (
        f"mean IoU {show(scores['miou'])} (95 % CI {span}), mean F1 {show(scores['mf1'])}, "
        f"accuracy {show(scores['accuracy'])} (majority class '{scores['majority_class']}': "
        f"{show(scores['majority_accuracy'])}), kappa {show(scores['kappa'])}; "
        f"{split} split, {scores['pixels']:,} pixels in {scores['places']} places"
    )


def class_table(scores: Mapping[str, Any], matrix: NDArray[np.int64], legend: Legend) -> str:
    """Return a table of the scores of each class and its pixels in the truth."""
    rows = [
        [
            name,
            int(matrix[i].sum()),
            *(scores[m][name] for m in ("iou", "f1", "precision", "recall")),
        ]
        for i, name in enumerate(legend.names)
    ]
    return table(["class", "true pixels", "IoU", "F1", "precision", "recall"], rows)


def confusions(matrix: NDArray[np.int64], legend: Legend, count: int = 5) -> str:
    """Return a table of the most frequent confusions."""
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:count]
    rows = []
    for true, found in zip(*np.unravel_index(order, wrong.shape), strict=True):
        if wrong[true, found]:
            share = float(wrong[true, found] / matrix[true].sum())
            pixels = int(wrong[true, found])
            rows.append([legend.names[true], legend.names[found], pixels, share])
    return table(["truth", "predicted", "pixels", "share of the true class"], rows)


def matrix_csv(matrix: NDArray[np.generic], legend: Legend) -> str:
    """Return a matrix as CSV with class names; rows = truth, columns = prediction."""
    rows = [[name, *line] for name, line in zip(legend.names, matrix.tolist(), strict=True)]
    return csv_text(["truth / predicted", *legend.names], rows)
