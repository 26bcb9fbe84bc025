"""Save and resume a training run: weights, optimizer, generator and progress in one checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.errors import InputError

from agri_cluster.backend.checkpoint import (
    Arrays,
    generator_state,
    load_state,
    read_variables,
    save_state,
    set_generator,
    write_variables,
)
from agri_cluster.backend.framework import keras


def save_run(
    path: Path | None,
    model: keras.Model,
    rng: np.random.Generator,
    settings: str,
    facts: Mapping[str, Any],
    arrays: Arrays | None = None,
) -> None:
    """Write weights, optimizer, generator and the caller's progress; do nothing without a path.

    Args:
        path: the checkpoint, replaced atomically; None to keep none.
        model: compiled, its optimizer built.
        rng: the generator in use.
        settings: of the run, as text; a run with other settings does not resume.
        facts: progress as JSON-able values.
        arrays: further arrays.
    """
    if path is None:
        return
    head = {"rng": generator_state(rng), "settings": settings}
    save_state(path, {**read_variables(model), **(arrays or {})}, {**facts, **head})


def resume_run(
    path: Path | None, model: keras.Model, rng: np.random.Generator, settings: str
) -> tuple[Arrays, dict[str, Any]] | None:
    """Restore model and generator from a checkpoint; return None where there is none.

    Raises:
        InputError: the file is damaged or of a run with other settings.
    """
    found = load_state(path) if path else None
    if found is None:
        return None
    arrays, facts = found
    if facts.get("settings") != settings:
        raise InputError(
            f"{path} is of a run with other settings ({facts.get('settings')}; now {settings}); "
            "delete it, or use those settings"
        )
    # The weights first: they are what can be refused, and the generator must then be untouched.
    write_variables(model, arrays)
    set_generator(rng, facts["rng"])
    return arrays, facts
