"""Checkpoint of a training run: one `.npz` of plain arrays, replaced atomically.

A resumed run gives the same bits as one that was never stopped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from agri_core.files.atomic import replacing_file
from agri_core.files.errors import InputError
from numpy.typing import NDArray

from agri_cluster.backend.framework import keras, ops

Arrays = dict[str, NDArray[Any]]

SAVE_SECONDS = 20.0
"""Seconds between two checkpoints of a run: writing costs little, and a kill loses no more."""


class Timer:
    """A timer that is due every so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._last = seconds, time.monotonic()

    def due(self) -> bool:
        """Return whether the interval has passed, and restart it if so."""
        now = time.monotonic()
        if now - self._last < self._seconds:
            return False
        self._last = now
        return True


def variables_of(model: keras.Model) -> list[Any]:
    """Return all variables of a compiled model, the optimizer's and the metrics' last."""
    return [*model.variables, *model.optimizer.variables]


def read_variables(model: keras.Model) -> Arrays:
    """Return copies of all variables of a compiled model, by position."""
    return {f"v{n}": np.array(ops.convert_to_numpy(v)) for n, v in enumerate(variables_of(model))}


def write_variables(model: keras.Model, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Set all variables of a compiled model.

    Raises:
        InputError: the arrays are those of another model.
    """
    variables = variables_of(model)
    # All shapes are compared before the first variable is set, or a refusal would leave a model
    # that is half of one run and half of another.
    shapes = [tuple(arrays[f"v{n}"].shape) for n in range(len(variables)) if f"v{n}" in arrays]
    if shapes != [tuple(v.shape) for v in variables]:
        raise InputError(
            "the saved state belongs to a model of another shape; start afresh, without resuming"
        )
    for number, variable in enumerate(variables):
        variable.assign(arrays[f"v{number}"])


def save_state(path: Path, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
    """Write arrays and JSON-able facts as one file."""
    # As bytes of JSON: object arrays would need pickle, which runs code when a file is read.
    text = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    # Written to a temporary file and renamed: a kill in between leaves the former checkpoint whole.
    with replacing_file(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, allow_pickle=False, facts=text, **arrays)


def load_state(path: Path) -> tuple[Arrays, dict[str, Any]] | None:
    """Read what `save_state` wrote; None when there is no such file.

    Raises:
        InputError: the file is damaged.
    """
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files}
        facts = json.loads(arrays.pop("facts").tobytes())
    except (ValueError, KeyError, BadZipFile) as error:
        raise InputError(f"{path} is damaged ({error}); delete it and start afresh") from error
    return arrays, facts


def generator_state(rng: np.random.Generator) -> dict[str, Any]:
    """Return the state of a generator as JSON-able facts."""
    return dict(rng.bit_generator.state)


def set_generator(rng: np.random.Generator, state: Mapping[str, Any]) -> None:
    """Put a generator into a state of `generator_state`."""
    rng.bit_generator.state = dict(state)
