"""Baselines: majority class, and logistic regression of band statistics and of random filters.

All are fitted on the training split. They know little of shapes, so what a network adds to them is
what it learned from shapes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from agri_core.files.console import progress
from agri_data.store.stats import valid_pixels
from agri_data.store.store import ChipStore
from agri_map.bundle.preprocess import normalise
from agri_map.bundle.spec import BundleSpec
from numpy.typing import NDArray
from torch.nn.functional import conv2d

BATCH_SIZE = 256
FILTERS, SIDE = 256, 5
Rows = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Baseline:
    """A baseline and its accuracy on the evaluated split."""

    name: str
    accuracy: float


def baselines(
    store: ChipStore, spec: BundleSpec, part: str = "val", seed: int = 0
) -> list[Baseline]:
    """Fit every baseline on the training split and score it on `part`, the weakest first."""
    train, judged = store.indices("train"), store.indices(part)
    truth, known = store.labels(judged), store.labels(train)
    majority = int(np.bincount(known).argmax())
    found = [Baseline("majority class", float((truth == majority).mean()))]
    filters = random_filters(len(spec.bands), np.random.default_rng(seed))
    ways: dict[str, Callable[[Rows], Rows]] = {
        "band statistics, logistic regression": statistics,
        "random filters, logistic regression": lambda batch: responses(batch, filters),
    }
    for name, way in ways.items():
        rows = [
            np.concatenate([way(batch) for batch in _batches(store, spec, indices, name)])
            for indices in (train, judged)
        ]
        found.append(Baseline(name, _logistic(rows[0], known, rows[1], truth)))
    return found


def statistics(batch: Rows) -> Rows:
    """Return mean, deviation, minimum and maximum of each band of `(N, C, H, W)`, `(N, 4C)`."""
    flat = batch.reshape(*batch.shape[:2], -1)
    parts = (flat.mean(axis=2), flat.std(axis=2), flat.min(axis=2), flat.max(axis=2))
    return np.concatenate(parts, axis=1)


def random_filters(bands: int, rng: np.random.Generator, count: int = FILTERS) -> Rows:
    """Draw `count` filters `(count, bands, 5, 5)` of mean 0 and length 1."""
    drawn = rng.standard_normal((count, bands, SIDE, SIDE))
    drawn -= drawn.mean(axis=(2, 3), keepdims=True)
    length = np.sqrt(np.square(drawn).sum(axis=(1, 2, 3), keepdims=True))
    return np.asarray(drawn / length, np.float32)


def responses(batch: Rows, filters: Rows) -> Rows:
    """Return the mean responses of a patch to each filter, by sign, and its band means.

    The mean over the patch of the positive and of the negative part of the convolution: random
    convolutional features (Rahimi and Recht 2007; for imagery Rolf et al. 2021, MOSAIKS).
    """
    with torch.no_grad():
        found = conv2d(torch.from_numpy(batch), torch.from_numpy(filters))
        parts = [found.clamp_min(0).mean(dim=(2, 3)), (-found).clamp_min(0).mean(dim=(2, 3))]
    means = batch.mean(axis=(2, 3))
    return np.concatenate([*(part.numpy() for part in parts), means], axis=1)


def _batches(store: ChipStore, spec: BundleSpec, indices: Ints, name: str) -> Iterator[Rows]:
    for first in progress(range(0, len(indices), BATCH_SIZE), name):
        images = store.images(indices[first : first + BATCH_SIZE], spec.bands)
        yield normalise(images, spec, valid_pixels(images, store.info.nodata))


def _logistic(rows: Rows, known: Ints, judged: Rows, truth: Ints) -> float:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=10.0, max_iter=300, tol=1e-3))
    with warnings.catch_warnings():
        # Not fully converged is good enough for a baseline, and users cannot change it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return float(model.fit(rows, known).score(judged, truth))
