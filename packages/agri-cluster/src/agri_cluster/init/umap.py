"""UMAP in a process of its own: TensorFlow and numba crash when loaded together."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from agri_core.files.errors import AgriError, InputError, MissingError
from numpy.typing import NDArray

from agri_cluster.data.tiles import Floats

COMPONENTS, NEIGHBOURS = 10, 30
CHILD = "agri_cluster.init.umap_child"


class UmapError(AgriError, RuntimeError):
    """The process that runs UMAP failed."""


def installed() -> bool:
    """Return whether umap-learn is installed, without loading it."""
    return importlib.util.find_spec("umap") is not None


def umap_layout(
    rows: NDArray[np.floating],
    *,
    seed: int,
    n_components: int = COMPONENTS,
    n_neighbors: int = NEIGHBOURS,
    min_dist: float = 0.0,
) -> Floats:
    """Return the UMAP layout of rows `(N, F)`, `(N, n_components)`.

    One thread, because UMAP is reproducible on one only. The same seed can still give another
    layout on another operating system.

    Args:
        rows: finite numbers.
        seed: of the layout, 0 to 2**32 - 1.
        n_components: dimensions of the layout; for clustering ten keep more than two.
        n_neighbors: of each row, at most N - 1; more of them show less detail.
        min_dist: minimum distance between points; 0 packs clusters tightly.

    Raises:
        MissingError: umap-learn is not installed.
        InputError: there are too few rows.
        UmapError: UMAP failed.
    """
    if not installed():
        raise MissingError(
            "UMAP is not installed; install it with 'pip install agri-cluster[umap]'"
        )
    if len(rows) < n_components + 3:
        raise InputError(
            f"UMAP in {n_components} dimensions needs {n_components + 3} rows or more, got "
            f"{len(rows)}"
        )
    with tempfile.TemporaryDirectory(prefix="umap-") as folder:
        source, target = Path(folder) / "rows.npy", Path(folder) / "layout.npy"
        np.save(source, np.asarray(rows, np.float32), allow_pickle=False)
        settings = (n_components, min(n_neighbors, len(rows) - 1), min_dist, seed)
        _run([str(source), str(target), *map(str, settings)])
        layout: Floats = np.load(target, allow_pickle=False)
    return layout


def _run(arguments: list[str]) -> None:
    # -P: a umap.py in the working folder is not the package.
    command = [sys.executable, "-P", "-m", CHILD, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["nothing on stderr"]
        raise UmapError(f"UMAP ended with exit status {done.returncode}: {lines[-1]}")
