"""A baseline predicts from simple features of its input, through the interface of an engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from agri_map.bundle.spec import BundleSpec
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Classifier(Protocol):
    """Maps features to class probabilities."""

    def predict(self, features: Floats) -> Floats:
        """Return probabilities `(N, K, ...)` of features `(N, F, ...)`."""
        ...


@dataclass(frozen=True, slots=True)
class Majority:
    """Always predicts one class, the majority class of the training split.

    Attributes:
        choice: id of the class.
        classes: K.
    """

    choice: int
    classes: int

    def predict(self, features: Floats) -> Floats:
        """Return probability 1 for the one class."""
        out = np.zeros((len(features), self.classes, *features.shape[2:]), np.float32)
        out[:, self.choice] = 1
        return out


@dataclass(frozen=True, slots=True)
class Baseline:
    """A classifier of features with the interface of an engine.

    Attributes:
        spec: bands, normalisation and legend, like that of a bundle.
        features: maps normalised images `(N, C, H, W)` into features `(N, F, ...)`.
        classifier: maps features to probabilities.
    """

    spec: BundleSpec
    features: Callable[[Floats], Floats]
    classifier: Classifier

    def run(self, batch: Floats) -> Floats:
        """Return probabilities `(N, K, ...)` of normalised images `(N, C, H, W)`."""
        return self.classifier.predict(self.features(batch))
