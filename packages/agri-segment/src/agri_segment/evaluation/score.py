"""Scores a predictor on chips: one confusion matrix per chip, and metrics of their sums."""

import math
import time
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from agri_core import confusion as counts
from agri_core.files.console import progress
from agri_core.files.errors import InputError, MissingError
from agri_core.legend import IGNORE
from agri_data.store.store import ChipStore
from agri_map.bundle.chips import read_labelled
from agri_map.bundle.spec import BundleSpec
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Rows = NDArray[np.int64]


class Predictor(Protocol):
    """Predicts class probabilities: an engine with a bundle, or a baseline."""

    @property
    def spec(self) -> BundleSpec:
        """Bands, normalisation and legend."""
        ...

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities `(N, K, H, W)` of normalised images `(N, C, H, W)`."""
        ...


@dataclass(frozen=True, slots=True)
class Scored:
    """The counts of a predictor on chips.

    Attributes:
        rows: positions of the chips in the store, `(N,)`.
        matrices: confusion counts of each chip, `(N, K, K)`, rows = truth.
        soft: sums over all counted pixels of probability times truth, probability, and truth,
            `(3, K)`.
        milliseconds: median prediction time per chip.
    """

    rows: Rows
    matrices: Counts
    soft: NDArray[np.float64]
    milliseconds: float


def run_chips(
    predictor: Predictor, store: ChipStore, rows: Rows, batch_size: int = 8, desc: str = "scoring"
) -> Scored:
    """Predict the chips at `rows` and count; pixels without data are ignored."""
    check_fit(predictor.spec, store)
    classes = len(predictor.spec.legend)
    matrices = np.zeros((len(rows), classes, classes), np.int64)
    soft, times = np.zeros((3, classes)), []
    for start in progress(range(0, len(rows), batch_size), desc):
        part = rows[start : start + batch_size]
        images, truth = read_labelled(predictor.spec, store, part)
        began = time.perf_counter()
        probabilities = predictor.run(images)
        times.append((time.perf_counter() - began) / len(part))
        soft += _soft_sums(probabilities, truth)
        for offset, (mask, found) in enumerate(
            zip(truth, probabilities.argmax(axis=1), strict=True)
        ):
            matrices[start + offset] = counts.confusion(mask, found, classes)
    # The first batch includes the runtime's memory allocation; it is skipped if there are more.
    milliseconds = 1000 * float(np.median(times[1:] or times)) if times else math.nan
    return Scored(rows, matrices, soft, milliseconds)


def check_fit(spec: BundleSpec, store: ChipStore) -> None:
    """Raise if bands, units or classes of a model and a store differ.

    Raises:
        MissingError: The store lacks a band of the model.
        InputError: The unit or the legend differs, or the chips have no masks.
    """
    missing = [band for band in spec.bands if band not in store.bands]
    if missing:
        raise MissingError(
            f"the model '{spec.name}' needs the bands {', '.join(spec.bands)}, but {store.path} "
            f"has no {', '.join(missing)} (it has {', '.join(store.bands)}); "
            "build chips with these bands or use another model"
        )
    units = {band.unit for band in store.info.bands if band.name in spec.bands}
    if units != {spec.unit}:
        raise InputError(
            f"the model '{spec.name}' was trained on {spec.unit} values, {store.path} holds "
            f"{', '.join(sorted(units))}; build the chips in the model's unit"
        )
    if spec.legend.names != store.legend.names:
        raise InputError(
            f"the model '{spec.name}' has the classes {', '.join(spec.legend.names)}, "
            f"{store.path} has {', '.join(store.legend.names)}; the classes must be the same"
        )
    if not store.has_masks:
        raise InputError(f"the chips in {store.path} have no masks, so nothing can be scored")


def soft_iou(soft: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the soft IoU per class from `Scored.soft`; NaN for a class that does not occur.

    It is computed on probabilities, so it is not comparable with the IoU of a map.
    """
    both, found, true = soft
    union = found + true - both
    out = np.full(len(both), np.nan)
    np.divide(both, union, out=out, where=(true > 0) & (union > 0))
    return out


def _soft_sums(probabilities: NDArray[np.float32], truth: NDArray[np.uint8]) -> NDArray[np.float64]:
    classes = probabilities.shape[1]
    counted = truth != IGNORE
    chosen = np.moveaxis(probabilities, 1, -1)[counted].astype(np.float64)
    one_hot = np.eye(classes)[truth[counted]]
    return np.stack([(chosen * one_hot).sum(0), chosen.sum(0), one_hot.sum(0)])
