"""Writing so that a killed run leaves nothing that looks whole: beside, then rename."""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agri_annotate.errors import InputError

PARTIAL = ".partial-"


@contextlib.contextmanager
def replacing_file(path: Path) -> Iterator[Path]:
    """Yield the path of a file to write, of the same name, that replaces `path` on success."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{PARTIAL}{path.name}-", dir=path.parent) as folder:
        temporary = Path(folder) / path.name
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
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f"{PARTIAL}{path.name}-", dir=path.parent))
    new, old = scratch / "new", scratch / "old"
    new.mkdir()
    try:
        yield new
        if path.exists():
            path.replace(old)
        new.replace(path)
    finally:
        if old.exists() and not path.exists():
            old.replace(path)
        shutil.rmtree(scratch, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with replacing_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write `content` as indented JSON, atomically; NaN is refused, since it is not JSON."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n")
