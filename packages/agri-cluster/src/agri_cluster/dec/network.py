"""The clustering network: encoder, scale, soft assignment, and for IDEC the decoder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from agri_core.files.errors import SettingError
from numpy.typing import NDArray

from agri_cluster.backend.framework import keras, ops
from agri_cluster.data.tiles import Floats
from agri_cluster.dec.student import StudentAssignment

Objective = Literal["dec", "idec"]
Balance = Literal["none", "soft"]


@dataclass(frozen=True, slots=True)
class Network:
    """A clustering network; its models share their weights.

    Attributes:
        embedder: item to scaled embedding, `(B, D)`.
        trainer: item to log q `(B, K)` (and the reconstructed item, for IDEC); compiled.
        head: the layer that holds the centres.
        gamma: weight of the KL term relative to the reconstruction, for IDEC.
    """

    embedder: keras.Model
    trainer: keras.Model
    head: StudentAssignment
    gamma: float = 0.1

    def with_optimizer(self, optimizer: Any) -> Network:
        """Return a network with the same weights and another optimizer."""
        inputs, outputs = self.trainer.inputs, self.trainer.outputs
        # Balance 0: the warm-up has labels for a target, and an even spread is not part of them.
        return replace(self, trainer=_compiled(inputs, outputs, optimizer, self.gamma, 0.0))

    @property
    def centres(self) -> Floats:
        """The centres, `(K, D)`."""
        return np.array(ops.convert_to_numpy(self.head.centres), np.float32)

    def embed(self, items: Floats) -> Floats:
        """Return the scaled embedding of items, `(B, D)`."""
        return np.asarray(self.embedder.predict_on_batch(items), np.float32)

    def step(self, items: Floats, target: NDArray[np.floating]) -> float:
        """Take one step towards the target `(B, K)`; return the reconstruction error, or nan."""
        p = np.asarray(target, np.float32)
        if len(self.trainer.outputs) == 1:
            self.trainer.train_on_batch(items, p)
            return float("nan")
        found = self.trainer.train_on_batch(items, [p, items])
        # Keras reports running means of the losses; without a reset this would be the mean since
        # the start.
        self.trainer.reset_metrics()
        return float(np.asarray(found[2]))

    def move_centres(self, rows: NDArray[np.int64], centres: Floats) -> None:
        """Move the centres `rows` and set their momentum to 0."""
        changed = self.centres
        changed[rows] = centres
        self.head.centres.assign(changed)
        # The momentum of a moved centre points from its former place, and would carry it off.
        for variable in self.trainer.optimizer.variables:
            if "centres" in variable.path and tuple(variable.shape) == changed.shape:
                momentum = np.array(ops.convert_to_numpy(variable))
                momentum[rows] = 0.0
                variable.assign(momentum)


def build_network(
    encoder: keras.Model,
    decoder: keras.Model | None,
    centres: Floats,
    *,
    alpha: float,
    scale: float,
    gamma: float = 0.1,
    balance: float = 0.0,
    optimizer: Any = None,
) -> Network:
    """Join encoder and centres, ready to train.

    Args:
        encoder: item to embedding `(D,)`.
        decoder: embedding to item: the loss is then reconstruction + gamma KL (IDEC, Guo et al.
            2017), without it KL alone (DEC).
        centres: first centres in the scaled embedding, `(K, D)`.
        alpha: degrees of freedom of the kernel.
        scale: the embedding is divided by this.
        gamma: weight of the KL term relative to the reconstruction.
        balance: weight of a penalty on uneven cluster shares within a batch.
        optimizer: SGD of rate 0.01 and momentum 0.9 when None.
    """
    inputs = keras.Input(encoder.input_shape[1:])
    raw = encoder(inputs)
    # float32 also under mixed precision: squared distances are differences of large numbers. The
    # decoder takes `raw`, since it was pretrained on the embedding before scaling.
    z = keras.layers.Rescaling(1.0 / scale, dtype="float32", name="scaled")(raw)
    head = StudentAssignment(len(centres), alpha, name="assignment")
    outputs = [head(z)] if decoder is None else [head(z), decoder(raw)]
    head.centres.assign(centres)
    chosen = optimizer or keras.optimizers.SGD(0.01, momentum=0.9)
    trainer = _compiled([inputs], outputs, chosen, gamma, balance)
    return Network(keras.Model(inputs, z), trainer, head, gamma)


def _compiled(
    inputs: list[Any], outputs: list[Any], optimizer: Any, gamma: float, balance: float
) -> keras.Model:
    """Return a model of log q, and of the item again where there are two outputs (IDEC)."""
    losses, weights = ([kl_loss(balance)], [1.0])
    if len(outputs) > 1:
        # Guo et al. 2017 (IDEC): L = reconstruction + gamma clustering, so that the clustering
        # does not distort the embedding that the decoder needs.
        losses, weights = ([*losses, "mse"], [gamma, 1.0])
    model = keras.Model(inputs, outputs)
    model.compile(optimizer=optimizer, loss=losses, loss_weights=weights)
    # Built before the first step: a checkpoint can be restored only into variables that exist.
    model.optimizer.build(model.trainable_variables)
    return model


def kl_loss(balance: float) -> Any:
    """Return the loss KL(P||Q) of targets `(B, K)` and log q `(B, K)`, in nats, mean over tiles.

    With `balance` above 0, that many times the negative entropy of the batch's mean q is added: 0
    when all clusters have the same share, ln K when one has all (SCAN's term, Van Gansbeke et al.
    2020). It makes cluster sizes even, which is wrong where true sizes are not.
    """
    if balance < 0:
        raise SettingError("balance", f"is 0 or more, got {balance}")

    def loss(p: Any, log_q: Any) -> Any:
        # 1e-30 is above float32's smallest normal number, 1.2e-38: the log stays finite, and p =
        # 0 adds 0.
        log_p = ops.log(ops.maximum(p, 1e-30))
        value = ops.mean(ops.sum(p * (log_p - log_q), axis=1))
        if balance:
            mean = ops.mean(ops.exp(log_q), axis=0)
            clusters = ops.cast(ops.shape(mean)[0], mean.dtype)
            entropy = -ops.sum(mean * ops.log(ops.maximum(mean, 1e-30)))
            value = value + balance * (ops.log(clusters) - entropy)
        return value

    return loss
