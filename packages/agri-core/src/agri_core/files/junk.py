"""Junk files: what file managers and editors leave in folders, and no data set means."""

from __future__ import annotations

NAMES = {".ds_store", "thumbs.db", "desktop.ini", ".directory", ".localized"}
"""Left by macOS Finder, Windows Explorer and KDE's file manager."""
RESOURCE_FORK = "._"
"""Prefix of the twin that macOS writes of every file on a foreign disk or in an archive."""


def is_junk(name: str) -> bool:
    """Whether a file of this name holds only settings of a file manager."""
    return name.lower() in NAMES or name.startswith(RESOURCE_FORK)
