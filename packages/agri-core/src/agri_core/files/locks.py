"""Locks on folders, held by a running process and released by the system when it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agri_core.files.errors import InputError


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder` for the time of the block, after waiting for others."""
    handle = lock(folder, wait=True)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


@contextmanager
def sole_run(path: Path, wait: bool = False) -> Iterator[None]:
    """Hold `path`, an output that is made over hours, for this run alone.

    With `wait`, another run that holds it is waited for.

    The lock is that of a hidden folder next to it, which is there while the run lives; what a
    killed run leaves of it is taken over by the next.

    Raises:
        InputError: another run holds it, and `wait` is false.
    """
    whole = path.resolve()
    mark = whole.with_name(f".{whole.name}.running")
    handle = _take(mark, wait)
    try:
        yield
    finally:
        with suppress(OSError):
            mark.rmdir()
        if handle is not None:
            os.close(handle)


def _take(mark: Path, wait: bool) -> int | None:
    """Make and lock the folder `mark`; None where there are no locks."""
    while True:
        with suppress(FileExistsError):  # it was there, and is removed while mkdir looks
            mark.mkdir(parents=True, exist_ok=True)
        try:
            handle = _locked_handle(mark, wait)
        except FileNotFoundError:  # the run before removed it since
            continue
        except BlockingIOError as error:
            name = mark.name.removeprefix(".").removesuffix(".running")
            raise InputError(
                f"another run is writing {mark.with_name(name)}; wait for it, or choose another "
                "output"
            ) from error
        # The run before may have removed the folder in between, and a third made another.
        if handle is None or _is_at(handle, mark):
            return handle
        os.close(handle)


def _is_at(handle: int, path: Path) -> bool:
    """Whether the open folder is still the one at `path`."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def lock(folder: Path, wait: bool) -> int | None:
    """Lock a folder for this process.

    Returns:
        None when another has it, where there is no such folder, or where there are no locks.
    """
    try:
        return _locked_handle(folder, wait)
    except (BlockingIOError, FileNotFoundError):
        return None


def _locked_handle(folder: Path, wait: bool) -> int | None:
    """Lock a folder; None where there are no locks.

    Raises:
        BlockingIOError: another run has it, and `wait` is false.
        FileNotFoundError: there is no such folder.
    """
    if sys.platform == "win32":
        return None
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        # The system lets go of it when the process ends, however it ends.
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(handle)
        raise
    except OSError:  # a file system that knows no locks
        os.close(handle)
        return None
    return handle
