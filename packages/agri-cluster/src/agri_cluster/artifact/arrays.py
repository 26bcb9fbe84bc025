"""Arrays of a clustering that a stranger may have written: the header first, then the values."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from agri_core.files.errors import InputError

from agri_cluster.data.tiles import BATCH, Floats

MAX_VALUES = 1 << 26
"""Values of a table of centres: 65,536 clusters of 1,024 dimensions, 256 MiB."""

HEADER = 1 << 16
"""Longest header of an `.npy` that is read."""


def read_centres(path: Path) -> Floats:
    """Read centres `(K, D)`, float32 and finite.

    Raises:
        InputError: the file is another array, is cut short, or holds NaN or infinity.
    """
    centres = open_floats(path)
    if not 0 < centres.size <= MAX_VALUES:
        raise InputError(
            f"{path} holds an array {centres.shape}, centres (K, D) are expected; fit again"
        )
    if not np.isfinite(centres).all():
        raise InputError(f"{path} holds NaN or infinity; the clustering is damaged, fit again")
    return np.array(centres)


def check_rows(path: Path, count: int, width: int) -> None:
    """Refuse an embedding that is not `(count, width)`, float32 and finite.

    Raises:
        InputError: the message says what it holds and what is expected.
    """
    rows = open_floats(path)
    if rows.shape != (count, width):
        raise InputError(
            f"{path} is of shape {rows.shape}, {(count, width)} is expected, a row per tile of "
            "clusters.csv and a column per dimension of centres.npy; fit again"
        )
    for start in range(0, count, BATCH):
        if not np.isfinite(rows[start : start + BATCH]).all():
            raise InputError(f"{path} holds NaN or infinity; the clustering is damaged, fit again")


def open_floats(path: Path) -> Floats:
    """Map an `.npy` of two axes and float32, whatever its size, without pickle.

    Raises:
        InputError: it is another array, or cut short.
    """
    try:
        with path.open("rb") as stream:
            version = np.lib.format.read_magic(stream)
            if version != (1, 0):
                raise ValueError(f"version {version} is not (1, 0)")
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream, HEADER)
            size = os.fstat(stream.fileno()).st_size - stream.tell()
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path} is not an .npy array ({error}); fit again") from error
    if fortran or dtype != np.float32 or len(shape) != 2 or min(shape) < 0:
        raise InputError(
            f"{path} holds an array of {dtype} {shape}, float32 in rows is expected; fit again"
        )
    # Python's numbers: those of a header may be larger than an int64.
    if size != 4 * shape[0] * shape[1]:
        raise InputError(f"{path} holds {size} bytes for an array {shape}; fit again")
    if not size:
        return np.empty(shape, np.float32)
    mapped: Floats = np.load(path, mmap_mode="r", allow_pickle=False)
    return mapped
