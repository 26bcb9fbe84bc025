"""Training on pseudo-labels: clusters taken as classes."""

from __future__ import annotations

import numpy as np

from agri_cluster.backend.framework import keras, ops
from agri_cluster.data.tiles import Floats, Ints

HEAD = "pseudo_labels"
INITIAL_STD = 0.01
"""Standard deviation of the last layer's initial weights, as in the authors' code."""


class Classifier:
    """An encoder under one linear layer; training it trains the encoder.

    Attributes:
        model: item to K logits, compiled.
    """

    def __init__(
        self,
        encoder: keras.Model,
        clusters: int,
        *,
        learning_rate: float,
        momentum: float,
        weight_decay: float,
    ) -> None:
        inputs = keras.Input(encoder.input_shape[1:])
        self._head = keras.layers.Dense(clusters, name=HEAD, dtype="float32")
        self.model = keras.Model(inputs, self._head(encoder(inputs)))
        self.model.compile(
            optimizer=keras.optimizers.SGD(
                learning_rate, momentum=momentum, weight_decay=weight_decay or None
            ),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=False,
        )
        self.model.optimizer.build(self.model.trainable_variables)

    def reset(self, rng: np.random.Generator) -> None:
        """Reset the last layer and its momentum: cluster numbers change from epoch to epoch."""
        kernel, bias = self._head.kernel, self._head.bias
        kernel.assign(rng.normal(0.0, INITIAL_STD, tuple(kernel.shape)).astype(np.float32))
        bias.assign(np.zeros(tuple(bias.shape), np.float32))
        for variable in self.model.optimizer.variables:
            if HEAD in variable.path:
                variable.assign(ops.zeros_like(variable))

    def step(self, items: Floats, labels: Ints) -> float:
        """Take one step and return the cross-entropy, in nats."""
        return float(np.asarray(self.model.train_on_batch(items, labels)))


def even_draw(labels: Ints, count: int, rng: np.random.Generator) -> Ints:
    """Return `count` positions, as many of each cluster that has any, in random order.

    Small clusters repeat; large ones are sampled. Without it the encoder learns to predict the
    largest cluster for everything (the paper's "trivial parametrization").
    """
    used = np.unique(labels)
    # Rounded up, then cut to `count`: rounded down, the last batch of an epoch would be missing.
    each = -(-count // len(used))
    drawn = [_draw(np.flatnonzero(labels == cluster), each, rng) for cluster in used]
    return rng.permutation(np.concatenate(drawn))[:count]


def _draw(members: Ints, count: int, rng: np.random.Generator) -> Ints:
    return rng.choice(members, count, replace=count > len(members))
