"""Keras, loaded once and quietly; `KERAS_BACKEND` names the framework beneath it.

Every module takes `keras` and `ops` from here. TensorFlow is the default; nothing in this package
imports a framework by its own name, so torch and JAX run it too.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from keras import ops

__all__ = ["backend_name", "keras", "make_deterministic", "ops"]


def backend_name() -> str:
    """Return "tensorflow", "torch" or "jax"."""
    return str(keras.config.backend())


def make_deterministic(seed: int) -> None:
    """Seed Python, NumPy and the framework; on a CPU the same seed then gives the same bits."""
    keras.utils.set_random_seed(seed)
    if backend_name() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
