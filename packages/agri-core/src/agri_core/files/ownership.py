"""Ownership of outputs: what a command may replace, and that no input is ever an output.

A command may replace or remove a file only if an earlier run of the same command wrote it and
it was not changed since (`agri_core.files.record`). Everything else belongs to the user.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from agri_core.files.errors import InputError
from agri_core.files.hashing import sha256_file, sha256_text
from agri_core.files.junk import is_disposable
from agri_core.files.locks import locked
from agri_core.files.record import (
    RECORD,
    WAITING,
    Written,
    read_record,
    record_text,
    survey,
)

PARTIAL = ".partial-"
"""Prefix of the hidden folders that outputs are made in; nothing in them is an output yet."""


@dataclass(frozen=True, slots=True)
class Run:
    """The command that runs, such as `agri-map predict`, and the files and folders it reads.

    Attributes:
        command: Its name.
        inputs: Paths given on the command line.
        found: Real paths that such an input names in turn, such as the images of a source
            description; grows while the command runs.
    """

    command: str
    inputs: tuple[Path, ...] = ()
    found: set[str] = field(default_factory=set)


# A file that changed twice within the resolution of its times (2 s on FAT) may look unchanged.
CLOCK_TICK = 2_000_000_000

_RUNS = [Run("python")]
"""The running commands, innermost last; one list for all threads, which work for one command."""


@contextmanager
def running(run: Run) -> Iterator[None]:
    """Make `run` the command in whose name outputs are written, for the time of the block."""
    _RUNS.append(run)
    try:
        yield
    finally:
        _RUNS.pop()


def add_input(path: Path) -> None:
    """Count `path`, which an input of the running command names, among its inputs.

    Outside a command nothing is kept: a Python program may read what it wrote, and write it again.
    """
    if len(_RUNS) > 1:
        _RUNS[-1].found.add(os.path.realpath(path))


def check_file(path: Path) -> None:
    """Refuse an output file that is an input, or that this command may not replace.

    Raises:
        InputError: `path` is an input of this run, no regular file, not written by this command,
            or changed since.
    """
    _check_no_input(path)
    if not path.exists():
        return
    if not path.is_file():
        raise InputError(f"{path} exists and is not a file; choose another output file")
    reason = _foreign(path, _entry(path))
    if reason:
        raise InputError(f"{path} {reason}; choose another output, or move it away yourself")


def check_companions(path: Path, suffixes: Iterable[str]) -> None:
    """Refuse an output beside which a file lies that other programs read together with it.

    Args:
        path: the output.
        suffixes: of such files, after the whole name of the output, as in `map.tif.ovr`.

    Raises:
        InputError: there is one that this command did not write: it is about the file that would
            be replaced, and would be taken for the new one's.
    """
    for suffix in suffixes:
        file = path.with_name(path.name + suffix)
        if file.exists() and not is_own(file):
            raise InputError(
                f"{file} belongs to an earlier {path.name}, and other programs would read it with "
                "the new one; move it away, or choose another output"
            )


def is_own(path: Path) -> bool:
    """Whether this command wrote the file `path` and it is unchanged since."""
    return path.is_file() and not _foreign(path, _entry(path))


def check_folder(path: Path) -> None:
    """Refuse an output folder that holds anything this command may not replace.

    Raises:
        InputError: `path` is no folder, holds an input of this run, or holds a file that this
            command did not write, or that was changed since.
    """
    if not path.exists():
        return
    if not path.is_dir():
        raise InputError(f"{path} exists and is not a folder; choose another output folder")
    _check_holds_no_input(path)
    record = read_record(path)
    for file in sorted(path.rglob("*")):
        folder = file.is_dir() and not file.is_symlink()
        if folder or _goes_along(file.name):
            continue
        reason = _foreign(file, record.get(file.relative_to(path).as_posix()))
        if reason:
            raise InputError(
                f"{path} is not replaced: {file} {reason}; choose another output folder, or move "
                "your files away yourself"
            )
    _check_is_elsewhere(path)


def check_added(folder: Path, names: Iterable[str] = ()) -> None:
    """Refuse to add files to `folder` while one this command added before was changed since.

    Args:
        folder: where the files go.
        names: of files that will be added.

    Raises:
        InputError: `folder` is no folder, such a file was changed, or one of `names` is not ours.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} exists and is not a folder; choose another output folder")
    for name, written in read_record(folder).items():
        if written.command == _RUNS[-1].command and (folder / name).is_file():
            check_file(folder / name)
    for name in names:
        check_file(folder / name)


@contextmanager
def signing(new: Mapping[Path, Path]) -> Iterator[None]:
    """Record files that the block moves into place, so that a kill at any moment loses none.

    Before the block the record names both what is to come and what lies there; afterwards only
    what came.

    Args:
        new: Target -> the file that the block moves there, all targets in one folder.
    """
    folder = next((path.parent for path in new), None)
    if folder is None or _in_scratch(folder):
        yield
        return
    command = _RUNS[-1].command
    coming = {path.name: Written(command, sha256_file(file)) for path, file in new.items()}
    there = {path.name: _sha256(path) for path in new if path.is_file()}
    pending = {
        name: Written(command, item.sha256, there.get(name, "")) for name, item in coming.items()
    }
    _renew(folder, pending, pending)
    yield
    _renew(folder, coming)


def sign_folder(path: Path) -> None:
    """Record that this command has just written all files of `path`."""
    text = record_text(survey(path, _RUNS[-1].command))
    (path / RECORD).write_text(text, encoding="utf-8")


@contextmanager
def updating_files(folder: Path, new: Mapping[str, str]) -> Iterator[None]:
    """Let the block change files of ours in place; those that were unchanged stay ours.

    They stay owned by the command that wrote them first, so it may replace them later.

    Args:
        folder: Where they lie.
        new: Name -> the text that the block writes; a name that is not there yet, such as that of
            a file in waiting, belongs to the owner of the others.
    """
    record = read_record(folder)
    there = {name for name in new if (folder / name).is_file()}
    ours = [n for n in there if n in record and _sha256(folder / n) == record[n].sha256]
    owners = {record[name].command for name in ours}
    coming: dict[str, Written] = {}
    if len(owners) == 1:
        (owner,) = owners
        old = {name: record[name].sha256 if name in there else "" for name in new}
        coming = {
            name: Written(owner, sha256_text(new[name]), old[name])
            for name in new
            if name in ours or name not in there
        }
    _renew(folder, coming, coming)
    yield
    _renew(folder, {name: replace(item, replaced="") for name, item in coming.items()})


def remove_file(path: Path) -> None:
    """Remove a file that this command wrote; nothing happens where there is none.

    Raises:
        InputError: this command did not write it, or it was changed since.
    """
    check_file(path)
    path.unlink(missing_ok=True)


def remove_folder(path: Path) -> None:
    """Remove a folder of which this command wrote every file.

    Raises:
        InputError: it holds something else.
    """
    for folder in [path, *(item for item in sorted(path.rglob("*")) if item.is_dir())]:
        for file in folder.iterdir():
            if (
                file.is_file()
                and file.name not in (RECORD, WAITING)
                and not is_disposable(file.name)
            ):
                check_file(file)
    shutil.rmtree(path)


def _entry(path: Path) -> Written | None:
    """Return what is recorded of a file, in its folder or in the output folder around that."""
    for folder in path.absolute().parents:
        written = read_record(folder).get(path.absolute().relative_to(folder).as_posix())
        if written is not None:
            return written
    return None


def _foreign(path: Path, written: Written | None) -> str:
    """Return why `path` is not this command's own unchanged output, "" when it is."""
    if _in_scratch(path):  # nobody but the running command writes there
        return ""
    command = _RUNS[-1].command
    if written is None:
        return f"exists and was not written by '{command}'"
    if written.command != command:
        return f"was written by '{written.command}', not by '{command}'"
    if _sha256(path) not in (written.sha256, written.replaced):
        return f"was changed since '{command}' wrote it"
    return ""


def _goes_along(name: str) -> bool:
    """Whether a file of this name may be removed with the output folder it lies in."""
    return name in (RECORD, WAITING) or is_disposable(name)


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a file; it is read once while its size, times and place stay."""
    now = path.stat()
    if time.time_ns() - max(now.st_ctime_ns, now.st_mtime_ns) < CLOCK_TICK:
        return sha256_file(path)
    return _hashed(path, (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns))


@lru_cache(maxsize=4096)
def _hashed(path: Path, _: tuple[int, ...]) -> str:
    return sha256_file(path)


def _check_no_input(path: Path) -> None:
    run = _RUNS[-1]
    if os.path.realpath(path) in run.found or any(_same(given, path) for given in run.inputs):
        raise InputError(
            f"{path} is an input of this command and cannot be its output; choose another output"
        )


def _check_is_elsewhere(folder: Path) -> None:
    """Refuse to replace the folder that a person stands in: their shell would be left in nowhere.

    Raises:
        InputError: `folder` is, or holds, the working folder.
    """
    here, real = Path.cwd(), folder.resolve()
    if here == real or here.is_relative_to(real):
        raise InputError(
            f"{folder} would be replaced, and it is, or holds, the working folder {here}; run the "
            "command from elsewhere or choose another output folder"
        )


def _check_holds_no_input(folder: Path) -> None:
    run = _RUNS[-1]
    inputs = {*run.found, *(os.path.realpath(given) for given in run.inputs if given.exists())}
    real = os.path.realpath(folder)
    for given in sorted(inputs):
        if given == real or given.startswith(real.rstrip(os.sep) + os.sep):
            raise InputError(
                f"{folder} would be replaced, and {given}, an input of this command, lies in it; "
                "choose another output folder"
            )


def _same(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()


def _renew(folder: Path, entries: dict[str, Written], coming: Iterable[str] = ()) -> None:
    """Add `entries` to the record of `folder`, and drop those of files that are gone.

    Entries of files that are `coming` stay. Scratch folders get no record: what lies in them is
    signed when it becomes an output.
    """
    if not entries or _in_scratch(folder):
        return
    with locked(folder):
        merged = read_record(folder) | entries
        kept = {
            name: item
            for name, item in merged.items()
            if name in coming or (folder / name).is_file()
        }
        waiting = folder / WAITING
        waiting.write_text(record_text(kept), encoding="utf-8")
        waiting.replace(folder / RECORD)


def _in_scratch(path: Path) -> bool:
    return any(part.startswith(PARTIAL) for part in path.absolute().parts)
