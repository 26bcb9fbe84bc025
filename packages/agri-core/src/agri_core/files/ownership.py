"""Ownership of outputs: what a command may replace, and that no input is ever an output.

A command may replace or remove a file only if an earlier run of the same command wrote it and
it was not changed since (`agri_core.files.record`). Everything else belongs to the user.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agri_core.files.errors import InputError
from agri_core.files.hashing import sha256_file
from agri_core.files.junk import is_disposable
from agri_core.files.locks import locked
from agri_core.files.record import RECORD, Written, read_record, record_text, survey

PARTIAL = ".partial-"
"""Prefix of the hidden folders that outputs are made in; nothing in them is an output yet."""


@dataclass(frozen=True, slots=True)
class Run:
    """The command that runs, such as `agri-map predict`, and the files and folders it reads."""

    command: str
    inputs: tuple[Path, ...] = ()


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
    reason = _foreign(path, read_record(path.parent).get(path.name))
    if reason:
        raise InputError(f"{path} {reason}; choose another output, or move it away yourself")


def is_own(path: Path) -> bool:
    """Whether this command wrote the file `path` and it is unchanged since."""
    return path.is_file() and not _foreign(path, read_record(path.parent).get(path.name))


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
        if folder or file.name == RECORD or is_disposable(file.name):
            continue
        reason = _foreign(file, record.get(file.relative_to(path).as_posix()))
        if reason:
            raise InputError(
                f"{path} is not replaced: {file} {reason}; choose another output folder, or move "
                "your files away yourself"
            )


def check_added(folder: Path) -> None:
    """Refuse to add files to `folder` while one this command added before was changed since.

    Raises:
        InputError: `folder` is no folder, or such a file was changed.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} exists and is not a folder; choose another output folder")
    for name, written in read_record(folder).items():
        if written.command == _RUNS[-1].command and (folder / name).is_file():
            check_file(folder / name)


def sign_file(path: Path) -> None:
    """Record that this command has just written `path`."""
    _renew(path.parent, {path.name: Written(_RUNS[-1].command, sha256_file(path))})


def sign_folder(path: Path) -> None:
    """Record that this command has just written all files of `path`."""
    text = record_text(survey(path, _RUNS[-1].command))
    (path / RECORD).write_text(text, encoding="utf-8")


@contextmanager
def updating_files(folder: Path, names: tuple[str, ...]) -> Iterator[None]:
    """Let the block change files of ours in place; those that were unchanged stay ours.

    They stay owned by the command that wrote them first, so it may replace them later.
    """
    record = read_record(folder)
    ours = [
        name for name in names
        if name in record and (folder / name).is_file()
        and sha256_file(folder / name) == record[name].sha256
    ]  # fmt: skip
    try:
        yield
    finally:
        there = [name for name in ours if (folder / name).is_file()]
        _renew(folder, {n: Written(record[n].command, sha256_file(folder / n)) for n in there})


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
    import shutil

    for folder in [path, *(item for item in sorted(path.rglob("*")) if item.is_dir())]:
        for file in folder.iterdir():
            if file.is_file() and file.name != RECORD and not is_disposable(file.name):
                check_file(file)
    shutil.rmtree(path)


def _foreign(path: Path, written: Written | None) -> str:
    """Return why `path` is not this command's own unchanged output, "" when it is."""
    if _in_scratch(path):  # nobody but the running command writes there
        return ""
    command = _RUNS[-1].command
    if written is None:
        return f"exists and was not written by '{command}'"
    if written.command != command:
        return f"was written by '{written.command}', not by '{command}'"
    if sha256_file(path) != written.sha256:
        return f"was changed since '{command}' wrote it"
    return ""


def _check_no_input(path: Path) -> None:
    for given in _RUNS[-1].inputs:
        if _same(given, path):
            raise InputError(
                f"{path} is an input of this command and cannot be its output; choose another "
                "output"
            )


def _check_holds_no_input(folder: Path) -> None:
    for given in _RUNS[-1].inputs:
        if given.exists() and given.resolve().is_relative_to(folder.resolve()):
            raise InputError(
                f"{folder} would be replaced, and {given}, an input of this command, lies in it; "
                "choose another output folder"
            )


def _same(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()


def _renew(folder: Path, entries: dict[str, Written]) -> None:
    """Add `entries` to the record of `folder`, and drop those of files that are gone.

    Scratch folders get no record: what lies in them is signed when it becomes an output.
    """
    if not entries or _in_scratch(folder):
        return
    with locked(folder):
        merged = read_record(folder) | entries
        kept = {name: item for name, item in merged.items() if (folder / name).is_file()}
        waiting = folder / f"{RECORD}.new"
        waiting.write_text(record_text(kept), encoding="utf-8")
        waiting.replace(folder / RECORD)


def _in_scratch(path: Path) -> bool:
    return any(part.startswith(PARTIAL) for part in path.absolute().parts)
