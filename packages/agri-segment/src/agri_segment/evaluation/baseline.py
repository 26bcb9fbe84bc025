"""Baselines: majority class, and per-pixel logistic regression of the bands.

Neither sees more than one pixel, and both are fitted on the training split, so what a network adds
to them is what it learned from shape and context.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from agri_core.files.console import progress
from agri_core.files.errors import InputError
from agri_core.legend import IGNORE
from agri_data.store.stats import scale
from agri_data.store.store import ChipStore
from agri_map.bundle.spec import BundleSpec
from numpy.typing import NDArray

from agri_segment.evaluation.score import read_chips

CAP = 5000
"""Maximum number of pixels per class to fit the logistic regression on."""

BATCH = 32


@dataclass(frozen=True, slots=True)
class Majority:
    """Predicts the majority class of the training split everywhere."""

    spec: BundleSpec
    choice: int

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probability 1 for the majority class."""
        count, _, height, width = batch.shape
        out = np.zeros((count, len(self.spec.legend), height, width), np.float32)
        out[:, self.choice] = 1
        return out


@dataclass(frozen=True, slots=True)
class Logistic:
    """Multinomial logistic regression of a pixel's class on its bands.

    Attributes:
        weights: `(K, C)`, for normalised bands.
        bias: `(K,)`; minus infinity for a class that the training split lacks.
    """

    spec: BundleSpec
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the softmax of the linear scores."""
        scores = np.einsum("kc,nchw->nkhw", self.weights, batch) + self.bias[:, None, None]
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        result: NDArray[np.float32] = scores / scores.sum(axis=1, keepdims=True)
        return result


def store_spec(store: ChipStore, name: str, bands: tuple[str, ...] | None = None) -> BundleSpec:
    """Return a spec that normalises by the statistics of the training split of a store."""
    bands = bands or store.bands
    stats = store.info.stats
    if not stats:
        raise InputError(f"{store.path} has no statistics; split it first with `agri-data split`")
    return BundleSpec(
        name=name,
        task="segment",
        bands=bands,
        unit=store.info.bands[0].unit,
        mean=tuple(stats[band].mean for band in bands),
        std=tuple(scale(stats[band]) for band in bands),
        legend=store.legend,
        dataset=store.fingerprint,
        split=store.split_fingerprint,
        arch=name,
    )


def fit_majority(store: ChipStore) -> Majority:
    """Find the majority class of the training split."""
    return Majority(store_spec(store, "majority"), int(class_pixels(store).argmax()))


def fit_logistic(store: ChipStore, seed: int = 0, cap: int = CAP) -> Logistic:
    """Fit on at most `cap` random pixels of each class of the training split.

    Classes have equal total weight, because mean IoU weights them equally.
    """
    from sklearn.linear_model import LogisticRegression

    spec = store_spec(store, "logistic")
    pixels, classes = _sample(store, spec, np.random.default_rng(seed), cap)
    present = np.unique(classes)
    weights = np.zeros((len(spec.legend), len(spec.bands)), np.float32)
    bias = np.full(len(spec.legend), -np.inf, np.float32)
    if len(present) == 1:
        bias[present] = 0
        return Logistic(spec, weights, bias)
    model = LogisticRegression(max_iter=1000, class_weight="balanced").fit(pixels, classes)
    if len(present) == 2:
        # scikit-learn returns one row, the score of the second class against the first.
        bias[present[0]] = 0
        present = present[1:]
    weights[present], bias[present] = model.coef_, model.intercept_
    return Logistic(spec, weights, bias)


def class_pixels(store: ChipStore, part: str = "train") -> NDArray[np.int64]:
    """Return the number of labelled pixels of each class in a split, `(K,)`."""
    rows = store.indices(part)
    if len(rows) == 0:
        raise InputError(f"{store.path} has no chip in {part}; split it with `agri-data split`")
    total = np.zeros(IGNORE + 1, np.int64)
    for start in range(0, len(rows), BATCH):
        total += np.bincount(store.masks(rows[start : start + BATCH]).ravel(), minlength=len(total))
    return total[: len(store.legend)]


def _sample(
    store: ChipStore, spec: BundleSpec, rng: np.random.Generator, cap: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Sample about `cap` pixels of each class, with one batch in memory at a time."""
    chances = np.zeros(IGNORE + 1)
    chances[: len(spec.legend)] = cap / np.maximum(class_pixels(store), 1)
    rows = store.indices("train")
    pixels, classes = [], []
    for start in progress(range(0, len(rows), BATCH), "logistic baseline"):
        images, truth = read_chips(spec, store, rows[start : start + BATCH])
        kept = rng.random(truth.shape) < chances[truth]
        pixels.append(np.moveaxis(images, 1, -1)[kept])
        classes.append(truth[kept])
    return np.concatenate(pixels), np.concatenate(classes)
