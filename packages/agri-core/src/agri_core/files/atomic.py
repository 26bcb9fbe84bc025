"""Atomic outputs: everything is made in a hidden folder next to its target, then renamed.

A killed run leaves nothing that looks whole: its hidden folder is locked while it lives, and the
next run that writes to the same target removes it. An existing target is replaced only if this
command wrote it and it was not changed since (`agri_core.files.ownership`).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from agri_core.files.errors import InputError
from agri_core.files.locks import lock
from agri_core.files.ownership import (
    PARTIAL,
    check_added,
    check_file,
    check_folder,
    remove_file,
    sign_folder,
    signing,
)

REPLACED = ".replaced-"


@contextlib.contextmanager
def scratch_dir(path: Path) -> Iterator[Path]:
    """Yield an empty folder next to `path`, removed at the end with all it then holds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    folder, handle = _hold(path)
    try:
        yield folder
    finally:
        _remove_held(folder, handle)


@contextlib.contextmanager
def replacing_file(path: Path) -> Iterator[Path]:
    """Yield the path of a file to write, of the same name, that replaces `path` on success.

    Raises:
        InputError: `path` is an input of this run, or exists and is not this command's own.
    """
    check_file(path)
    with scratch_dir(path) as folder:
        temporary = folder / path.name
        yield temporary
        check_file(path)
        with signing({path: temporary}):
            temporary.replace(path)


@contextlib.contextmanager
def replacing_dir(path: Path) -> Iterator[Path]:
    """Yield a temporary folder next to `path` that takes its place on success.

    Raises:
        InputError: `path` exists, is not empty and is not wholly this command's own.
    """
    named, path = path, _followed(path)
    if path.parent.is_dir():
        _restore(path)
    check_folder(named)
    with scratch_dir(path) as folder:
        temporary = folder / path.name
        temporary.mkdir()
        yield temporary
        check_folder(named)
        # Before the swap, so that the folder is never in place without its record.
        sign_folder(temporary)
        _swap(temporary, path)


@contextlib.contextmanager
def adding_files(path: Path, retired: Iterable[str] = ()) -> Iterator[Path]:
    """Yield a temporary folder whose files are put into the folder `path` on success.

    Whatever else is in `path` stays, but for those of the `retired` names that an earlier run
    wrote and this one did not.

    Raises:
        InputError: `path` is no folder, or a file of the same name is not this command's own.
    """
    check_added(path)
    with scratch_dir(path) as folder:
        yield folder
        made = sorted(item.name for item in folder.iterdir())
        stale = [name for name in sorted({*retired} - {*made}) if (path / name).exists()]
        for name in (*made, *stale):
            check_file(path / name)
        path.mkdir(exist_ok=True)
        with signing({path / name: folder / name for name in made}):
            for name in made:
                (folder / name).replace(path / name)
        for name in stale:
            remove_file(path / name)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with replacing_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write `content` as indented JSON, atomically; NaN is refused, since it is not JSON."""
    write_text(path, json_text(content))


def json_text(content: Any) -> str:
    """Return `content` as indented JSON.

    Raises:
        ValueError: it holds NaN or an infinity, which JSON has no number for.
    """
    return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def sibling_path(path: Path, word: str) -> Path:
    """Return the path of a sibling folder of `path`, for files needed while it is made."""
    whole = path.resolve()
    return whole.with_name(f"{whole.name}-{word}")


def _followed(path: Path) -> Path:
    """Return an output folder's real path, so that a link to another disk stays a link.

    A path through a folder that is itself replaced, such as `out/../out`, would lead nowhere
    half-way. Links to files are replaced themselves: behind them may be an object of a cache.
    """
    return path.resolve()


def _swap(new: Path, path: Path) -> None:
    """Replace `path` by `new`; an interruption leaves one or the other."""
    if not path.exists():
        new.replace(path)
        return
    # Not in the scratch folder: a kill here must not leave the old one where it is swept away.
    home, handle = _hold(path, REPLACED)
    old = home / path.name
    try:
        path.replace(old)
        new.replace(path)
    finally:
        if old.exists() and not path.exists():
            old.replace(path)
        _remove_held(home, handle)


def _remove_held(folder: Path, handle: int | None) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if handle is not None:
        os.close(handle)


def _hold(path: Path, prefix: str = PARTIAL) -> tuple[Path, int | None]:
    """Make a hidden folder and lock it; a sweep that comes between the two may take it away."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"{prefix}{path.name}-", dir=path.parent))
        handle = lock(folder, wait=True)
        if folder.exists():
            return folder, handle
        if handle is not None:
            os.close(handle)


def _sweep(path: Path) -> None:
    """Remove the scratch folders that killed runs left next to `path`."""
    for folder, handle in _leftovers(path, PARTIAL):
        _remove_held(folder, handle)


def _restore(path: Path) -> None:
    """Put the output folder back that a run was killed while replacing; remove it if replaced."""
    for home, handle in _leftovers(path, REPLACED):
        old = home / path.name
        if old.is_dir() and not path.exists():
            old.replace(path)
        with contextlib.suppress(InputError, OSError):
            if old.is_dir():
                check_folder(old)
                shutil.rmtree(old)
            home.rmdir()  # refused by the system while anything is in it
        os.close(handle)


def _leftovers(path: Path, prefix: str) -> Iterator[tuple[Path, int]]:
    """Yield the hidden folders that no living run holds, locked."""
    if sys.platform == "win32":  # without `flock` a running command looks like a killed one
        return
    # mkdtemp draws eight characters of this set; a longer name is of another output, or a person's.
    left = re.compile(re.escape(f"{prefix}{path.name}-") + "[a-z0-9_]{8}")
    for folder in [item for item in path.parent.iterdir() if left.fullmatch(item.name)]:
        ours = folder.is_dir() and not folder.is_symlink()
        handle = lock(folder, wait=False) if ours else None
        if handle is not None:
            yield folder, handle
