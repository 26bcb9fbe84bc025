"""Evaluates a bundle on labelled patches: the exported model itself is scored."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from agri_core import confusion as counts
from agri_core.evaluation.calibration import (
    Reliability,
    likelihood,
    reliability,
    without_temperature,
)
from agri_core.evaluation.evaluation import Evaluation, plain
from agri_core.evaluation.familiarity import Familiarity
from agri_core.files.console import progress_bar
from agri_core.files.errors import MissingError
from agri_map.bundle.preprocess import normalise

from agri_classify.evaluation import scores
from agri_classify.evaluation.scores import Doubles, Ints
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


@dataclass(frozen=True)
class PatchEvaluation(Evaluation):
    """The evaluation of a bundle: all that is known after every patch was seen once.

    Attributes:
        spec: of the bundle.
        names: of the patches.
        place_of: number of the place where each lies, `(N,)`.
        probabilities: `(N, K)`.
        truth: class ids, `(N,)`.
        mistakes: the most confident misclassifications, worst first.
        rate: patches per second, with reading and decoding.
        familiarity: whether the patches taught the model.
        errors: unreadable files.
    """

    spec: BundleSpec
    names: Sequence[str]
    place_of: Ints
    probabilities: Doubles
    truth: Ints
    mistakes: Sequence[Mistake]
    rate: float
    familiarity: Familiarity
    errors: Sequence[str] = ()

    @property
    def found(self) -> Ints:
        """The most probable class of each patch, `(N,)`."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)

    @property
    def calibration(self) -> Reliability:
        """Reliability of the probabilities that the bundle gives."""
        return reliability(self.probabilities, self.truth)

    @property
    def uncalibrated(self) -> Reliability:
        """Reliability of the probabilities before the bundle's temperature."""
        raw = without_temperature(self.probabilities, self.spec.temperature)
        return reliability(raw, self.truth)


def evaluate(engine: Engine, data: Labelled, batch_size: int = BATCH_SIZE) -> PatchEvaluation:
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
    probabilities = np.concatenate(parts).astype(np.float64)
    place_of, truth = np.concatenate(places), np.concatenate(truths)
    return PatchEvaluation(
        legend=engine.spec.legend,
        split=data.name,
        places=_count(place_of, truth, probabilities),
        unit=data.unit,
        spec=engine.spec,
        names=names,
        place_of=place_of,
        probabilities=probabilities,
        truth=truth,
        mistakes=worst,
        rate=len(names) / max(seconds, 1e-9),
        familiarity=data.familiarity,
        errors=tuple(data.errors),
    )


def metrics(result: PatchEvaluation) -> dict[str, Any]:
    """Return all scores for JSON; n/a is None."""
    cm, least = result.matrix, threshold(result.spec)
    return {
        "part": result.split,
        "patches": len(result.truth),
        "failed": len(result.errors),
        "fitted_data": result.familiarity.fitted,
        "same_split": result.familiarity.same_split,
        "accuracy": result.accuracy,
        "interval": [plain(end) for end in result.accuracy_interval],
        "majority": result.majority[0],
        "mean_f1": counts.mean_f1(cm),
        "kappa": plain(counts.kappa(cm)),
        "likelihood": likelihood(result.probabilities, result.truth),
        "ece": result.calibration.error,
        "ece_before": result.uncalibrated.error,
        "temperature": result.spec.temperature,
        "conformal": None if least is None else scores.coverage(
            result.probabilities, result.truth, least
        ),
        "classes": scores.class_rows(result),
        "matrix": cm.tolist(),
        "rate": round(result.rate, 1),
        "notes": list(result.familiarity.notes),
    }  # fmt: skip


def _count(place_of: Ints, truth: Ints, probabilities: Doubles) -> Ints:
    """Count true and predicted classes of each place, `(P, K, K)`."""
    found, place = np.unique(place_of, return_inverse=True)
    classes = probabilities.shape[1]
    out = np.zeros((len(found), classes, classes), np.int64)
    np.add.at(out, (place, truth, probabilities.argmax(axis=1)), 1)
    return out


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
