"""Junk files: what file managers, archivers and notebooks leave in folders.

Two questions must not be mixed. Is a file data? Nothing hidden is (`is_junk`). May a file be
removed with the output folder it lies in? Only what a file manager made (`is_disposable`), since a
hidden file may belong to the user.
"""

from __future__ import annotations

from pathlib import PurePath

DISPOSABLE = {".ds_store", "thumbs.db", "desktop.ini", ".directory", ".localized"}
"""Left by macOS Finder, Windows Explorer and KDE's file manager."""
RESOURCE_FORK = "._"
"""Prefix of the second file that macOS writes of every file on a foreign disk or in an archive."""
FOLDERS = {"__macosx", "@eadir", "$recycle.bin", "system volume information"}
"""Left by macOS archives, Synology disks and Windows."""


def is_disposable(name: str) -> bool:
    """Whether a file of this name holds only settings of a file manager.

    Example:
        >>> is_disposable("Thumbs.db"), is_disposable(".gitignore")
        (True, False)
    """
    return name.lower() in DISPOSABLE or name.startswith(RESOURCE_FORK)


def is_junk(path: str | PurePath) -> bool:
    """Whether a path within a data set is no data: hidden, in a hidden folder, or left behind.

    >>> is_junk("a/.ipynb_checkpoints/1.png"), is_junk("__MACOSX/a.png"), is_junk("a/1.png")
    (True, True, False)
    """
    return any(
        part.startswith(".") or part.lower() in DISPOSABLE or part.lower() in FOLDERS
        for part in PurePath(path).parts
    )
