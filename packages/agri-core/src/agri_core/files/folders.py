"""The data files of a folder, listed by one rule and in one order, and the opening of one."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path, PurePath
from typing import BinaryIO

from agri_core.files.errors import InputError
from agri_core.files.junk import is_junk


def files_below(folder: Path, suffixes: Collection[str] = ()) -> list[Path]:
    """Return the files in `folder` and its subfolders, in natural order of their paths.

    Junk is left out (`agri_core.files.junk`). A link whose target is gone is listed, so that
    reading it raises an error. Linked folders below `folder` are not entered.

    Args:
        folder: where to look; nothing is found where there is none.
        suffixes: endings such as ".tif" in lower case; all files when empty.
    """
    return _ordered(folder, walk(folder), suffixes)


def files_in(folder: Path, suffixes: Collection[str] = ()) -> list[Path]:
    """Return the files in `folder` itself, by the rules of `files_below`."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return _ordered(folder, (name for name in names if not is_junk(name)), suffixes)


def walk(folder: Path, skip: Path | None = None) -> Iterator[str]:
    """Yield the path within `folder`, with "/", of each file in it and below, but not below `skip`.

    Junk is left out. Lazy, so that a caller may stop in a folder of millions.
    """
    left_out = skip.resolve() if skip else None
    top = folder.resolve()
    for parent, folders, files in os.walk(top):
        kept = (n for n in folders if not is_junk(n) and Path(parent, n) != left_out)
        folders[:] = sorted(kept)
        place = Path(parent).relative_to(top).as_posix()
        for name in sorted(files):
            if not is_junk(name):
                yield name if place == "." else f"{place}/{name}"


def natural(names: Iterable[str]) -> list[str]:
    """Sort names so that 2 comes before 10.

    >>> natural(["b10", "b2", "a"])
    ['a', 'b2', 'b10']
    """
    return sorted(names, key=_order)


def open_plain(path: Path) -> BinaryIO:
    """Open a file for reading in binary; a link is followed.

    Raises:
        OSError: it is not there, or may not be read.
        InputError: it is a folder, a pipe, a socket or a device.
    """
    # Opening a pipe waits for somebody to write into it, unless it is told not to block.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        kind = os.fstat(handle).st_mode
        if not stat.S_ISREG(kind):
            raise InputError(f"{path} is {_kind(kind)}; a plain file is expected")
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def _ordered(folder: Path, names: Iterable[str], suffixes: Collection[str]) -> list[Path]:
    wanted = (n for n in names if not suffixes or PurePath(n).suffix.lower() in suffixes)
    paths = (folder / name for name in natural(wanted))
    return [path for path in paths if path.is_file() or not path.exists()]


def _order(name: str) -> tuple[list[tuple[int, int, str]], str]:
    # int() of a longer run of digits is slow, and of thousands of them refused.
    parts = re.split(r"(\d{1,18})", name)
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p], name


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISFIFO(mode):
        return "a named pipe"
    return "a device or a socket"
