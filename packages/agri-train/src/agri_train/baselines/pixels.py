"""Baselines of segmentation: the majority class, and per-pixel logistic regression.

Both see one pixel at a time and are fitted on the training split, so what a network adds to them is
what it learned from shape and context.
"""

from typing import Any

import numpy as np
from agri_core.files.console import progress
from agri_core.files.errors import InputError
from agri_core.legend import IGNORE
from agri_data.store.stats import scale
from agri_data.store.store import ChipStore
from agri_map.bundle.chips import read_labelled
from agri_map.bundle.spec import BundleSpec
from numpy.typing import NDArray

from agri_train.baselines.baseline import Baseline, Majority
from agri_train.baselines.features import pixel_values
from agri_train.baselines.logistic import fit_logistic

CAP = 5000
"""Maximum number of pixels per class to fit the logistic regression on."""

BATCH = 32


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


def fit_pixel_majority(store: ChipStore) -> Baseline:
    """Find the majority class of the training split."""
    choice = int(class_pixels(store).argmax())
    spec = store_spec(store, "majority")
    return Baseline(spec, pixel_values, Majority(choice, len(spec.legend)))


def fit_pixel_logistic(store: ChipStore, seed: int = 0, cap: int = CAP) -> Baseline:
    """Fit on at most `cap` random pixels of each class of the training split.

    Classes have equal total weight, because mean IoU weights them equally.
    """
    spec = store_spec(store, "logistic")
    pixels, classes = _sample(store, spec, np.random.default_rng(seed), cap)
    classifier = fit_logistic(
        pixels, classes, len(spec.legend), max_iter=1000, class_weight="balanced"
    )
    return Baseline(spec, pixel_values, classifier)


def class_pixels(store: ChipStore, split: str = "train") -> NDArray[np.int64]:
    """Return the number of labelled pixels of each class in a split, `(K,)`."""
    rows = store.indices(split)
    if len(rows) == 0:
        raise InputError(f"{store.path} has no chip in {split}; split it with `agri-data split`")
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
        images, truth = read_labelled(spec, store, rows[start : start + BATCH])
        kept = rng.random(truth.shape) < chances[truth]
        pixels.append(np.moveaxis(images, 1, -1)[kept])
        classes.append(truth[kept])
    return np.concatenate(pixels), np.concatenate(classes)
