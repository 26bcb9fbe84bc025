"""The context of one fit: its settings, its folder, a random generator per stage, its warnings."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

import numpy as np
from agri_core.files.console import warn
from agri_core.files.ownership import remove_file

from agri_cluster.dec.settings import EstimatorSettings

CONTRAST, AUTOENCODER, REFINE = "contrast.npz", "autoencoder.npz", "refine.npz"
CHECKPOINTS = (CONTRAST, AUTOENCODER, REFINE)
EMBEDDING = "rows.npy"


class Stage(IntEnum):
    """Stages of a fit; each has a generator of its own, so that a resumed run can skip earlier."""

    FEATURES = 0
    AUTOENCODER = 1
    INIT = 2
    REFINE = 3
    SNAPSHOTS = 4


@dataclass(frozen=True, slots=True)
class FitContext:
    """What every step of a fit needs.

    Attributes:
        settings: of the estimator.
        folder: for features, embedding and checkpoints.
        warnings: what a reader of the result should know.
    """

    settings: EstimatorSettings
    folder: Path
    warnings: list[str] = field(default_factory=list)

    def rng(self, stage: Stage) -> np.random.Generator:
        """Return the random generator of a stage."""
        return np.random.default_rng([int(self.settings.random_state), int(stage)])

    def note(self, message: str) -> None:
        """Keep a warning for the result and print it."""
        self.warnings.append(message)
        warn(message)


@contextmanager
def work_folder(path: Path | str | None, resume: bool) -> Iterator[Path]:
    """Open the folder of a fit (temporary without a path) and clear checkpoints unless resuming."""
    if path is None:
        # Windows cannot remove the embedding while it is mapped.
        with tempfile.TemporaryDirectory(
            prefix="agri-cluster-", ignore_cleanup_errors=True
        ) as temporary:
            yield Path(temporary)
        return
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    if not resume:
        for name in CHECKPOINTS:
            remove_file(folder / name)
    yield folder
