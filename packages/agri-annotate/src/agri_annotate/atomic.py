"""Writing so that a killed run leaves nothing that looks whole: beside, then rename.

Everything begins in a hidden folder beside its place, held by a lock while its run lives. What a
killed run left is removed by the next run that writes to the same place.
"""

import contextlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agri_annotate.errors import InputError

PARTIAL = ".partial-"
REPLACED = ".replaced-"


@contextlib.contextmanager
def replacing_file(path: Path) -> Iterator[Path]:
    """Yield the path of a file to write, of the same name, that replaces `path` on success."""
    with _scratch(path) as folder:
        temporary = folder / path.name
        yield temporary
        temporary.replace(path)


@contextlib.contextmanager
def replacing_dir(path: Path, marker: str) -> Iterator[Path]:
    """Yield a folder that takes the place of `path` on success.

    An existing `path` is replaced only when it is empty or holds the file `marker`, so that it is
    an earlier output.

    Raises:
        InputError: `path` exists and is something else.
    """
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} exists and is not a folder; choose another output folder")
    if path.exists() and any(path.iterdir()) and not (path / marker).is_file():
        raise InputError(
            f"{path} is not empty and holds no {marker}, so it is not an earlier output of this "
            "command; choose another output folder or remove it yourself"
        )
    with _scratch(path) as folder:
        new = folder / "new"
        new.mkdir()
        yield new
        _swap(new, path)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with replacing_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write `content` as indented JSON, atomically; NaN is refused, since it is not JSON."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def _swap(new: Path, path: Path) -> None:
    """Put `new` in the place of `path`; an interruption between leaves one or the other."""
    if not path.exists():
        new.replace(path)
        return
    # Not in the scratch folder: a kill here must not leave the old one where it is swept away.
    home = Path(tempfile.mkdtemp(prefix=f"{REPLACED}{path.name}-", dir=path.parent))
    old = home / path.name
    try:
        path.replace(old)
        new.replace(path)
    finally:
        if old.exists() and not path.exists():
            old.replace(path)
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def _scratch(path: Path) -> Iterator[Path]:
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
    left = re.compile(re.escape(f"{PARTIAL}{path.name}-") + "[a-z0-9_]{8}")
    for folder in [item for item in path.parent.iterdir() if left.fullmatch(item.name)]:
        lock = _lock(folder, wait=False) if folder.is_dir() else None
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
