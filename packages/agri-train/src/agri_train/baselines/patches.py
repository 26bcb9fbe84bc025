"""Baselines of classified patches: majority class, band statistics, random filters.

All are fitted on the training split. They know little of shapes, so what a network adds to them is
what it learned from shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from agri_core.files.console import progress
from agri_data.store.store import ChipStore
from agri_map.bundle.chips import read_chips
from agri_map.bundle.spec import BundleSpec
from numpy.typing import NDArray

from agri_train.baselines.baseline import Baseline, Floats
from agri_train.baselines.features import band_statistics, filter_responses, random_filters
from agri_train.baselines.logistic import fit_logistic

BATCH = 256
Features = Callable[[Floats], Floats]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BaselineScore:
    """The name and the accuracy of a baseline."""

    name: str
    accuracy: float


def score_baselines(
    store: ChipStore, spec: BundleSpec, split: str = "val", seed: int = 0
) -> list[BaselineScore]:
    """Fit every baseline on the training split and score it on `split`, the simplest first."""
    truth = store.labels(store.indices(split))
    majority = int(np.bincount(store.labels(store.indices("train"))).argmax())
    found = [BaselineScore("majority class", float((truth == majority).mean()))]
    filters = random_filters(len(spec.bands), np.random.default_rng(seed))
    ways: dict[str, Features] = {
        "band statistics, logistic regression": band_statistics,
        "random filters, logistic regression": partial(filter_responses, filters=filters),
    }
    for name, features in ways.items():
        baseline = fit_features(store, spec, features, name)
        right = [
            baseline.run(batch).argmax(axis=1) == classes
            for batch, classes in _batches(store, spec, split, name)
        ]
        found.append(BaselineScore(name, float(np.concatenate(right).mean())))
    return found


def fit_features(
    store: ChipStore, spec: BundleSpec, features: Features, desc: str = "baseline"
) -> Baseline:
    """Fit a logistic regression on features of the patches of the training split."""
    rows, known = [], []
    for batch, classes in _batches(store, spec, "train", desc):
        rows.append(features(batch))
        known.append(classes)
    classifier = fit_logistic(
        np.concatenate(rows), np.concatenate(known), len(spec.legend),
        standardise=True, C=10.0, max_iter=300, tol=1e-3,
    )  # fmt: skip
    return Baseline(spec, features, classifier)


def _batches(
    store: ChipStore, spec: BundleSpec, split: str, desc: str
) -> Iterator[tuple[Floats, Ints]]:
    """Yield normalised patches and their classes."""
    indices = store.indices(split)
    for first in progress(range(0, len(indices), BATCH), desc):
        rows = indices[first : first + BATCH]
        yield read_chips(spec, store, rows)[0], store.labels(rows)
