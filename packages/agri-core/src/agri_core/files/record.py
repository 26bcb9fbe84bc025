"""The record of what our commands wrote to a folder: file name -> command and SHA-256.

It lies in the folder as `.agri-outputs.json`. A file that is not in it, or whose bytes differ from
it, belongs to the user, and no command replaces or removes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from agri_core.files.hashing import sha256_file

RECORD = ".agri-outputs.json"
VERSION = 1
# A record of 100,000 files is about 20 MB; anything larger is not ours and is not read.
MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Written:
    """A file that a command wrote: the command's name, and the SHA-256 of the bytes."""

    command: str
    sha256: str


def read_record(folder: Path) -> dict[str, Written]:
    """Read the record of `folder` by relative POSIX path; empty where none, or none of ours."""
    path = folder / RECORD
    try:
        if path.stat().st_size > MAX_BYTES:
            return {}
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(content, dict) or content.get("version") != VERSION:
        return {}
    return _entries(content.get("files"))


def record_text(files: Mapping[str, Written]) -> str:
    """Return a record as text; the same files give the same bytes, whatever their order."""
    entries = {name: asdict(files[name]) for name in sorted(files)}
    return json.dumps({"version": VERSION, "files": entries}, indent=1, ensure_ascii=False) + "\n"


def survey(folder: Path, command: str) -> dict[str, Written]:
    """Return the record that `folder` would have if `command` had just written all of it."""
    return {
        path.relative_to(folder).as_posix(): Written(command, sha256_file(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != RECORD
    }


def _entries(files: Any) -> dict[str, Written]:
    if not isinstance(files, dict):
        return {}
    found = {}
    for name, entry in files.items():
        parts = PurePosixPath(name)
        inside = not parts.is_absolute() and ".." not in parts.parts
        if inside and isinstance(entry, dict) and _texts(entry) == {"command", "sha256"}:
            found[name] = Written(entry["command"], entry["sha256"])
    return found


def _texts(entry: Mapping[Any, Any]) -> set[Any]:
    """Return the keys whose values are text."""
    return {key for key, value in entry.items() if isinstance(value, str)}
