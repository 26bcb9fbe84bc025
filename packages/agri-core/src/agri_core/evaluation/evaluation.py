"""The record of an evaluation: confusion counts by place, and the scores that follow from them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from agri_core import confusion
from agri_core.confusion import Counts, Scores
from agri_core.evaluation.interval import accuracy_interval, metric_interval
from agri_core.legend import Legend


@dataclass(frozen=True)
class Evaluation:
    """Confusion counts of each place on one split.

    Attributes:
        legend: the classes.
        split: `train`, `val` or `test`; the name of the data where they are not split.
        places: counts `(P, K, K)`, rows = truth. A place is the unit that intervals resample,
            because neighbouring pixels are alike.
        unit: what a place is, such as "block of 640 m".
    """

    legend: Legend
    split: str
    places: Counts
    unit: str

    @cached_property
    def matrix(self) -> Counts:
        """Counts of the whole split, `(K, K)`."""
        return np.asarray(self.places.sum(axis=0), np.int64)

    @property
    def accuracy(self) -> float:
        """Share of all counts that are right."""
        return confusion.accuracy(self.matrix)

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """The 95 % CI of the accuracy, see `interval.accuracy_interval`; NaN with one place."""
        return accuracy_interval(self.places)

    @property
    def majority(self) -> tuple[float, str]:
        """The majority baseline: accuracy of always answering one class, and that class."""
        share, most_frequent = confusion.majority(self.matrix)
        return share, self.legend.names[most_frequent]

    def by_class(self, metric: Callable[[Counts], Scores]) -> dict[str, float | None]:
        """Return a metric of each class by name; None where it is undefined."""
        values = metric(self.matrix).tolist()
        return dict(zip(self.legend.names, map(plain, values), strict=True))

    @cached_property
    def scores(self) -> dict[str, Any]:
        """All scores as rounded values for JSON; None where undefined.

        IoU, F1, precision and recall are of hard classes, pooled over the split; `miou_low` and
        `miou_high` are the 95 % CI of the mean IoU, None where the places do not tell.
        """
        cm = self.matrix
        low, high = metric_interval(self.places, confusion.mean_iou)
        share, majority_class = self.majority
        single = {
            "miou": confusion.mean_iou(cm), "miou_low": low, "miou_high": high,
            "mf1": confusion.mean_f1(cm), "accuracy": self.accuracy, "majority_accuracy": share,
        }  # fmt: skip
        return {
            **{name: rounded(value) for name, value in single.items()},
            "majority_class": majority_class,
            "kappa": rounded(confusion.kappa(cm)),
            "pixels": int(cm.sum()),
            "places": len(self.places),
            **{
                metric.__name__: {
                    name: rounded(value) for name, value in self.by_class(metric).items()
                }
                for metric in (confusion.iou, confusion.f1, confusion.precision, confusion.recall)
            },
        }


def plain(value: float) -> float | None:
    """Return a number for JSON: None in place of NaN and infinities."""
    return float(value) if math.isfinite(value) else None


def rounded(value: float | None) -> float | None:
    """Return a score with six decimals, as reports hold it; None where it is undefined."""
    return None if value is None or plain(value) is None else round(float(value), 6)
