"""The sampled tiles at several moments of a clustering, from its start to its end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from agri_cluster.artifact.fitted import HISTORY, SERIES, SERIES_DIR, Fitted
from agri_cluster.data.tiles import Floats, Ints, sample
from agri_cluster.report.tsne import chosen

FRAMES = 10
"""Moments that are laid out, the first and the last among them."""


@dataclass(frozen=True, slots=True)
class Moment:
    """M tiles at one moment.

    Attributes:
        title: which moment.
        rows: of the embedding, `(M, D)`.
        labels: the clusters at that moment, `(M,)`.
    """

    title: str
    rows: Floats
    labels: Ints


def moments(fitted: Fitted, rng: np.random.Generator) -> list[Moment]:
    """Return up to `FRAMES` moments of the series and the end; of no series the end alone."""
    series = fitted.series() if (fitted.path / SERIES_DIR).is_dir() else []
    rows = fitted.series_rows() if series else sample(fitted.embedding, SERIES, rng)
    end = Moment("final", fitted.embedding.take(rows), fitted.labels[rows])
    if not series:
        return [end]
    titles = _titles(fitted, len(series))
    found = [Moment(titles[k], series[k][1], series[k][0]) for k in chosen(len(series), FRAMES)]
    return found if _same(found[-1], end) else [*found, end]


def _same(last: Moment, end: Moment) -> bool:
    return np.array_equal(last.labels, end.labels) and np.allclose(last.rows, end.rows)


def _titles(fitted: Fitted, count: int) -> list[str]:
    if not (fitted.path / HISTORY).is_file() or len(fitted.history) < count:
        return [f"refresh {number}" for number in range(count)]
    return [_title(fitted.history.iloc[number]) for number in range(count)]


def _title(row: pd.Series) -> str:
    text = f"iteration {int(row['iteration']):,} · {int(row['used'])} used"
    changed = pd.to_numeric(row["changed"], errors="coerce")
    return text if pd.isna(changed) else f"{text} · {changed:.1%} changed"
