"""Checks that paths named in a file stay in the folder that the file describes."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from agri_core.files.errors import InputError

_DRIVE = re.compile(r"^[A-Za-z]:")


def check_inside(text: str, where: str) -> str:
    """Return `text`, a path or pattern below a root, if it cannot lead out of it.

    Links are followed: data sets are often linked into a project.

    Raises:
        InputError: it is absolute, names a drive, or goes up with "..".
    """
    try:
        return inside(text)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def inside(text: str) -> str:
    """Return `text` as `check_inside` does; the error message names no file or line.

    Raises:
        InputError: it leads out of the root.
    """
    if leads_out(text):
        raise InputError(
            f"{text[:200]!r} leads out of the root; a path below it is expected, so name a 'root' "
            "that holds all files"
        )
    return text


def leads_out(text: str) -> bool:
    """Return whether a path is absolute, names a drive, goes up, or holds a NUL; on any system."""
    rooted = text.startswith(("/", "\\")) or _DRIVE.match(text) is not None
    return rooted or "\0" in text or ".." in re.split(r"[/\\]", text)


def resolve_cell(table: Path, cell: str, root: Path, where: str) -> Path:
    """Return the file that a cell of `table` names relative to it, which must lie in `root`.

    Raises:
        InputError: the path leads out of `root`.
    """
    folder = table.relative_to(root).as_posix()
    kept: list[str] = [*PurePosixPath(folder).parts[:-1]]
    for part in cell.split("/"):
        if part == ".." and kept:
            kept.pop()
        elif part not in ("", "."):
            kept.append(part)
    absolute = cell.startswith(("/", "\\"))
    check_inside(cell if absolute else "/".join(kept), where)
    return root.joinpath(*kept)
