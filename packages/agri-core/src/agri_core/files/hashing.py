"""SHA-256 fingerprints of files and texts."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import TextIO

# Characters at a time, so that a table of any size takes little memory.
PART = 1 << 20


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hex digits, reading it as a stream."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_text(text: str) -> str:
    """Return the SHA-256 of a text's UTF-8 bytes as 64 hex digits.

    Example:
        >>> sha256_text("land")[:12]
        '90eae63487ca'
    """
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def sha256_stream(stream: TextIO) -> str:
    """Return what `sha256_text` gives for the rest of a text file, reading it in parts."""
    digest = hashlib.sha256()
    for text in iter(partial(stream.read, PART), ""):
        digest.update(text.encode("utf-8"))
    return digest.hexdigest()
