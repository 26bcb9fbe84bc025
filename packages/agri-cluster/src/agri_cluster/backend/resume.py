"""Going on with a killed training: everything it needs lies in one file of `checkpoint`."""

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


def keep(
    path: Path | None,
    model: keras.Model,
    rng: np.random.Generator,
    settings: str,
    facts: Mapping[str, Any],
    arrays: Arrays | None = None,
) -> None:
    """Write weights, optimizer and generator, and what else the caller needs; nothing to None.

    Args:
        path: the file, replaced whole.
        model: compiled, its optimizer built.
        rng: the generator in use.
        settings: what the run was started with, in words that another run can be compared by.
        facts: JSON-able.
        arrays: further arrays.
    """
    if path is None:
        return
    head = {"rng": generator_state(rng), "settings": settings}
    save_state(path, {**read_variables(model), **(arrays or {})}, {**facts, **head})


def go_on(
    path: Path | None, model: keras.Model, rng: np.random.Generator, settings: str
) -> tuple[Arrays, dict[str, Any]] | None:
    """Put model and generator where `keep` found them; None when there is nothing to go on from.

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
            "delete it, or go on with those"
        )
    write_variables(model, arrays)
    set_generator(rng, facts["rng"])
    return arrays, facts
