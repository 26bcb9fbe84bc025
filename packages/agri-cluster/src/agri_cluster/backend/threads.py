"""How many threads compute: part of the seed, as sums are added up in another order."""

from __future__ import annotations

import os


def thread_counts() -> dict[str, int]:
    """Return the threads of TensorFlow's operations and of OpenMP (scikit-learn, torch).

    Two fits of the same seed are equal to the bit only where these are equal.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "operations": _asked("TF_NUM_INTRAOP_THREADS") or cores or 1,
        "openmp": _asked("OMP_NUM_THREADS") or cores or 1,
    }


def _asked(variable: str) -> int:
    # OpenMP takes a list, a number for each level of nesting.
    text = os.environ.get(variable, "").split(",")[0].strip()
    return int(text) if text.isdecimal() else 0
