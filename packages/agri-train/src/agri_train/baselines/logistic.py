"""Multinomial logistic regression, fitted by scikit-learn and applied by NumPy."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agri_train.baselines.baseline import Floats

Scaling = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Logistic:
    """Multinomial logistic regression of K classes on F features.

    Attributes:
        weights: `(K, F)`.
        bias: `(K,)`; minus infinity for a class that the training data lack.
        scaling: mean and deviation of the features, `(F,)`, that standardise them first.
    """

    weights: Floats
    bias: Floats
    scaling: Scaling | None = None

    def predict(self, features: Floats) -> Floats:
        """Return probabilities `(N, K, ...)` of features `(N, F, ...)`."""
        shape = (-1, *(1,) * (features.ndim - 2))
        if self.scaling is not None:
            mean, deviation = (values.reshape(shape) for values in self.scaling)
            # Rounded to single precision after each step, as scikit-learn's scaler does.
            features = ((features - mean).astype(np.float32) / deviation).astype(np.float32)
        scores = np.einsum("kf,nf...->nk...", self.weights, features) + self.bias.reshape(shape)
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(scores / scores.sum(axis=1, keepdims=True), np.float32)


def fit_logistic(
    features: Floats,
    classes: NDArray[np.integer],
    count: int,
    *,
    standardise: bool = False,
    **settings: Any,
) -> Logistic:
    """Fit on features `(N, F)` of known classes `(N,)`.

    Args:
        features: of the training data.
        classes: ids of their classes.
        count: K, the number of classes, of which some may not occur.
        standardise: whether each feature is brought to mean 0 and deviation 1 first.
        settings: of scikit-learn's `LogisticRegression`.
    """
    present = np.unique(classes)
    weights = np.zeros((count, features.shape[1]), np.float32)
    bias = np.full(count, -np.inf, np.float32)
    if len(present) == 1:
        bias[present] = 0
        return Logistic(weights, bias)
    scaling = None
    if standardise:
        features, scaling = _standardised(features)
    model = _regression(features, classes, settings)
    if len(present) == 2:
        # scikit-learn returns one row, the score of the second class against the first.
        bias[present[0]] = 0
        present = present[1:]
    weights[present], bias[present] = model.coef_, model.intercept_
    return Logistic(weights, bias, scaling)


def _standardised(features: Floats) -> tuple[Floats, Scaling]:
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(features)
    return scaler.transform(features), (scaler.mean_, scaler.scale_)


def _regression(features: Floats, classes: NDArray[np.integer], settings: dict[str, Any]) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        # Not fully converged is good enough for a baseline, and users cannot change it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(**settings).fit(features, classes)
