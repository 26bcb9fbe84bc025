"""Keras, loaded once and quietly; `KERAS_BACKEND` names the framework beneath it.

Every module takes `keras` and `ops` from here. TensorFlow is the default; nothing else in this
package imports a framework by its own name, so torch and JAX run it too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LEVEL = "TF_CPP_MIN_LOG_LEVEL"


@contextmanager
def quietly() -> Iterator[None]:
    """Keep what C++ libraries write to stderr as they load from a user's terminal.

    Python's own errors pass. Whoever sets TF_CPP_MIN_LOG_LEVEL to less than 3 sees everything.
    """
    if os.environ.setdefault(LEVEL, "3") != "3":
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


with quietly():
    import keras
    from keras import ops

__all__ = ["backend_name", "keras", "make_deterministic", "ops", "set_seed"]


def backend_name() -> str:
    """Return "tensorflow", "torch" or "jax"."""
    return str(keras.config.backend())


def set_seed(seed: int) -> None:
    """Seed Python, NumPy and the framework."""
    keras.utils.set_random_seed(seed)


def make_deterministic(seed: int) -> None:
    """Seed everything and use only deterministic operations; on a CPU results repeat to the bit."""
    set_seed(seed)
    if backend_name() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
