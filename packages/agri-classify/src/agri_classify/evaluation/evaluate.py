"""Evaluates a bundle on labelled patches: the exported model itself is scored."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from agri_core import confusion as counts
from agri_core.files.console import progress_bar
from agri_core.files.errors import MissingError
from agri_map.bundle.preprocess import normalise

from agri_classify.evaluation import scores
from agri_classify.patches.labelled import Batch, Labelled
from agri_classify.patches.reading import BATCH_SIZE
from agri_classify.prediction.answer import threshold
from agri_classify.prediction.predict import check_task

if TYPE_CHECKING:
    from agri_map.bundle.spec import BundleSpec
    from agri_map.inference.engine import Engine
    from numpy.typing import NDArray

MISTAKES = 12


@dataclass(frozen=True, slots=True)
class Mistake:
    """A misclassified patch."""

    name: str
    image: NDArray[Any]
    truth: int
    found: int
    probability: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The predictions of a bundle for labelled patches.

    Attributes:
        spec: of the bundle.
        names: of the patches.
        places: number of the place of each patch, `(N,)`.
        probabilities: `(N, K)`.
        truth: class ids, `(N,)`.
        mistakes: the most confident misclassifications, worst first.
        rate: patches per second, with reading and decoding.
        errors: unreadable files.
    """

    spec: BundleSpec
    names: Sequence[str]
    places: scores.Ints
    probabilities: scores.Doubles
    truth: scores.Ints
    mistakes: Sequence[Mistake]
    rate: float
    errors: Sequence[str] = field(default_factory=tuple)

    @property
    def found(self) -> scores.Ints:
        """The most probable class of each patch, `(N,)`."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)

    @property
    def matrix(self) -> scores.Ints:
        """The confusion matrix `(K, K)`, rows = truth."""
        return counts.confusion(self.truth, self.found, len(self.spec.legend))


def evaluate(engine: Engine, data: Labelled, batch_size: int = BATCH_SIZE) -> Evaluation:
    """Run a bundle over labelled patches.

    Raises:
        InputError: the bundle does not classify patches.
        MissingError: no patch could be read.
    """
    check_task(engine.spec)
    names: list[str] = []
    parts, truths, places = [], [], []
    worst: list[Mistake] = []
    bar, began = progress_bar("patches", data.count, "patch"), time.perf_counter()
    for part in data.batches(batch_size):
        found = engine.run(normalise(part.images, engine.spec, part.valid))
        worst = _worst([*worst, *_mistakes(part, found)])
        names += part.names
        places.append(part.places)
        parts.append(found)
        truths.append(part.truth)
        bar.update(len(part.names))
    bar.close()
    if not parts:
        raise MissingError(f"no patch of {data.path} could be read: {data.errors[0]}")
    seconds = time.perf_counter() - began
    return Evaluation(
        engine.spec, names, np.concatenate(places), np.concatenate(parts).astype(np.float64),
        np.concatenate(truths), worst, len(names) / max(seconds, 1e-9), tuple(data.errors),
    )  # fmt: skip


def metrics(result: Evaluation, part: str) -> dict[str, Any]:
    """Return all scores for JSON; n/a is None."""
    spec, truth, cm = result.spec, result.truth, result.matrix
    before = scores.without_temperature(result.probabilities, spec.temperature)
    least = threshold(spec)
    return {
        "part": part,
        "patches": len(truth),
        "failed": len(result.errors),
        "accuracy": counts.accuracy(cm),
        "interval": [
            _plain(end) for end in scores.interval(result.found == truth, result.places)
        ],
        "majority": counts.majority(cm)[0],
        "mean_f1": counts.mean_f1(cm),
        "kappa": _plain(counts.kappa(cm)),
        "likelihood": scores.likelihood(result.probabilities, truth),
        "ece": scores.reliability(result.probabilities, truth).error,
        "ece_before": scores.reliability(before, truth).error,
        "temperature": spec.temperature,
        "conformal": None if least is None else scores.coverage(
            result.probabilities, truth, least
        ),
        "classes": scores.class_rows(cm, spec.legend.names),
        "matrix": cm.tolist(),
        "rate": round(result.rate, 1),
    }  # fmt: skip


def _mistakes(part: Batch, found: NDArray[np.float32]) -> list[Mistake]:
    best = found.argmax(axis=1)
    return [
        Mistake(
            part.names[i], part.images[i], int(part.truth[i]), int(best[i]), float(found[i].max())
        )
        for i in np.flatnonzero(best != part.truth)
    ]


def _worst(found: list[Mistake]) -> list[Mistake]:
    return sorted(found, key=lambda item: (-item.probability, item.name))[:MISTAKES]


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else value
