"""Cross-fitted calibration: scores on places that were not used to fit it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from agri_core.evaluation.calibration import reliability, without_temperature
from agri_train.bundle.calibrate import fit_temperature
from numpy.typing import NDArray

from agri_classify.evaluation.scores import set_scores
from agri_classify.prediction.answer import possible
from agri_classify.training.calibration.conformal import NOMINAL, least_probability

FOLDS = 5
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


def crossfit(
    probabilities: Doubles,
    truth: Ints,
    places: Ints,
    nominal: float = NOMINAL,
    *,
    folds: int = FOLDS,
    seed: int = 0,
) -> dict[str, Any] | None:
    """Return calibration error and conformal coverage by cross-fitting over places.

    Temperature and conformal threshold of a bundle are fitted on the validation split, so their
    scores on it are optimistic. Here each fold of places is scored with those of the other folds.

    Args:
        probabilities: `(N, K)`, with any temperature.
        truth: class ids, `(N,)`.
        places: number of the place of each patch, `(N,)`; a place is never split.
        nominal: nominal coverage of the threshold.
        folds: number of folds, at most one per place.
        seed: of the assignment of places to folds.

    Returns:
        `folds`, `ece`, `coverage` and `size` (mean classes of a set); None for a single place.
    """
    names, place = np.unique(places, return_inverse=True)
    folds = min(folds, len(names))
    if folds < 2:
        return None
    # Whole places are dealt: neighbouring patches look alike, and across folds would leak.
    dealt = np.random.default_rng(seed).permutation(np.arange(len(names)) % folds)[place]
    # log softmax is the logits up to a constant per row, which no temperature changes. The
    # smallest normal number keeps the log of an underflowed probability finite.
    logits = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    found, kept = np.empty_like(probabilities), np.zeros(probabilities.shape, bool)
    for fold in range(folds):
        held, other = dealt == fold, dealt != fold
        one = fit_temperature(
            torch.from_numpy(logits[other]), torch.from_numpy(truth[other]), "multiclass"
        )
        scaled = without_temperature(probabilities, 1 / one)
        least = least_probability(scaled[other], truth[other], nominal)
        found[held], kept[held] = scaled[held], possible(scaled[held], least)
    return {
        "folds": folds,
        "ece": reliability(found, truth).error,
        **set_scores(kept, truth),
    }
