"""Locks on folders, held by a running process and released by the system when it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder` for the time of the block, after waiting for others."""
    handle = lock(folder, wait=True)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def lock(folder: Path, wait: bool) -> int | None:
    """Lock a folder for this process; None when another has it, or where there are no locks."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        handle = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        # The system lets go of it when the process ends, however it ends.
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # held by a living run, or a file system that knows no locks
        os.close(handle)
        return None
    return handle
