"""The record of what our commands wrote to a folder: file name -> command and SHA-256.

It lies in the folder as `.agri-outputs.json`. A file that is not in it, or whose bytes differ from
it, belongs to the user, and no command replaces or removes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from agri_core.files.errors import InputError
from agri_core.files.hashing import sha256_file

RECORD = ".agri-outputs.json"
WAITING = f"{RECORD}.new"
"""A record on its way into place; one that a killed run left is overwritten by the next."""
VERSION = 1
# A record of 100,000 files is about 20 MB; anything larger is not ours and is not read.
MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Written:
    """A file that a command wrote.

    Attributes:
        command: The command's name.
        sha256: Of the bytes.
        replaced: SHA-256 of this command's earlier output, while the new one is moved into its
            place: a run that is killed at this moment leaves one or the other.
    """

    command: str
    sha256: str
    replaced: str = ""


def read_record(folder: Path) -> dict[str, Written]:
    """Read the record of `folder` by relative POSIX path; empty where none, or none of ours."""
    path = folder / RECORD
    try:
        if path.stat().st_size > MAX_BYTES:
            return {}
        text = path.read_bytes()
    except OSError:
        return {}
    from agri_core.files.records import parse_json

    try:
        found = parse_json(_model(), text, str(path))
    except InputError:
        return {}
    return {name: written for name, written in found.files.items() if _is_inside(name)}


def record_text(files: Mapping[str, Written]) -> str:
    """Return a record as text; the same files give the same bytes, whatever their order."""
    entries = {
        name: {key: text for key, text in asdict(files[name]).items() if text}
        for name in sorted(files)
    }
    return json.dumps({"version": VERSION, "files": entries}, indent=1, ensure_ascii=False) + "\n"


def survey(folder: Path, command: str) -> dict[str, Written]:
    """Return the record that `folder` would have if `command` had just written all of it."""
    return {
        path.relative_to(folder).as_posix(): Written(command, sha256_file(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (RECORD, WAITING)
    }


@cache
def _model() -> Any:
    """Return what the file holds; made here because most runs of a command meet no record."""
    from agri_core.files.records import Record

    class OutputFile(Record):
        """The record of a folder."""

        version: Literal[1]
        files: dict[str, Written]

    return OutputFile


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts
