"""Writing so that a killed run leaves nothing that looks whole: beside, then rename.

Everything begins in a hidden folder beside its place, held by a lock while its run lives. What a
killed run left is removed by the next run that writes to the same place.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agri_data.errors import InputError

PARTIAL = ".partial-"
REPLACED = ".replaced-"


@contextlib.contextmanager
def scratch_dir(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside `path`, removed at the end with all it then holds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    folder, lock = _hold(path)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


@contextlib.contextmanager
def replacing_file(path: Path) -> Iterator[Path]:
    """Yield the path of a file to write, of the same name, that replaces `path` on success."""
    with scratch_dir(path) as folder:
        temporary = folder / path.name
        yield temporary
        temporary.replace(path)


@contextlib.contextmanager
def replacing_dir(path: Path, marker: str) -> Iterator[Path]:
    """Yield a temporary folder beside `path` that takes its place on success.

    An existing `path` is replaced only when it holds the file `marker` (our own earlier output)
    or is empty.

    Raises:
        InputError: `path` exists and is something else.
    """
    check_replaceable(path, marker)
    with scratch_dir(path) as folder:
        temporary = folder / path.name
        temporary.mkdir()
        yield temporary
        _swap(temporary, path)


@contextlib.contextmanager
def adding_files(path: Path, marker: str) -> Iterator[Path]:
    """Yield a temporary folder whose files are put into the folder `path` on success.

    Files of the same name are replaced only when `path` holds the file `marker`, which is put
    there last; whatever else is in `path` stays.

    Raises:
        InputError: `path` is no folder, or holds a file of the same name and no `marker`.
    """
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} exists and is not a folder; choose another output folder")
    with scratch_dir(path) as folder:
        yield folder
        names = sorted((item.name for item in folder.iterdir()), key=lambda name: name == marker)
        taken = [name for name in names if (path / name).exists()]
        if taken and not (path / marker).is_file():
            raise InputError(
                f"{path / taken[0]} exists and {path} holds no {marker}, so it is not an earlier "
                "output of this command; choose another output folder"
            )
        path.mkdir(exist_ok=True)
        for name in names:
            (folder / name).replace(path / name)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with replacing_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write `content` as indented JSON, atomically; NaN is refused, since it is not JSON."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def beside(path: Path, word: str) -> Path:
    """Name a folder beside `path` for what is needed while it is made."""
    whole = path.resolve()
    return whole.with_name(f"{whole.name}-{word}")


def check_replaceable(path: Path, marker: str) -> None:
    """Refuse to replace what is no earlier output: a folder that is not empty and has no `marker`.

    Raises:
        InputError: `path` is such a folder, or a file.
    """
    if not path.exists():
        return
    if not path.is_dir():
        raise InputError(f"{path} exists and is not a folder; choose another output folder")
    if (path / marker).exists() or not any(path.iterdir()):
        return
    raise InputError(
        f"{path} exists, is not empty and holds no {marker}, so it is not an earlier output of "
        "this command; choose another output folder or remove it yourself"
    )


def _swap(new: Path, path: Path) -> None:
    if not path.exists():
        new.replace(path)
        return
    # Not in the scratch folder: a kill here must not leave the old one where it is swept away.
    old = Path(tempfile.mkdtemp(prefix=f"{REPLACED}{path.name}-", dir=path.parent))
    path.replace(old / path.name)
    new.replace(path)
    shutil.rmtree(old, ignore_errors=True)


def _hold(path: Path) -> tuple[Path, int | None]:
    """Make a scratch folder and lock it; a sweep that comes between the two may take it away."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"{PARTIAL}{path.name}-", dir=path.parent))
        lock = _lock(folder, wait=True)
        if folder.exists():
            return folder, lock
        if lock is not None:
            os.close(lock)


def _sweep(path: Path) -> None:
    """Remove the scratch folders that killed runs left beside `path`."""
    if sys.platform == "win32":  # without `flock` nobody can tell which run still lives
        return
    for folder in path.parent.glob(f"{PARTIAL}*"):
        if not folder.name.startswith(f"{PARTIAL}{path.name}-") or not folder.is_dir():
            continue
        lock = _lock(folder, wait=False)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _lock(folder: Path, wait: bool) -> int | None:
    """Lock a folder for this process; None when another has it, or where there are no locks."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        handle = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # held by a living run, or a file system that knows no locks
        os.close(handle)
        return None
    return handle
