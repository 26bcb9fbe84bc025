"""Scores of classified patches: conformal sets, and the table of classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from agri_core import confusion as counts
from agri_core.evaluation.evaluation import Evaluation
from numpy.typing import NDArray

from agri_classify.prediction.answer import possible

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


def set_scores(kept: NDArray[np.bool_], truth: Ints) -> dict[str, float]:
    """Return coverage and mean size of the sets `(N, K)` for the truth `(N,)`."""
    held = kept[np.arange(len(truth)), truth]
    return {"coverage": float(held.mean()), "size": float(kept.sum(axis=1).mean())}


def coverage(probabilities: Doubles, truth: Ints, least: float) -> dict[str, float]:
    """Return coverage and mean size of the conformal sets."""
    return set_scores(possible(probabilities, least), truth)


def class_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return precision, recall, F1 and number of patches of each class; n/a is None."""
    parts = {
        m.__name__: evaluation.by_class(m) for m in (counts.precision, counts.recall, counts.f1)
    }
    patches = evaluation.matrix.sum(axis=1).tolist()
    return [
        {"class": name, **{part: values[name] for part, values in parts.items()}, "patches": count}
        for name, count in zip(evaluation.legend.names, patches, strict=True)
    ]
