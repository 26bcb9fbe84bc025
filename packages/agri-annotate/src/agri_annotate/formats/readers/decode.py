"""Decoding of text to JSON values and CSV rows, with one clear message for what is unreadable."""

import contextlib
import csv
import gc
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from agri_core.files.errors import InputError, MissingError

LIMIT = 512 * 2**20
"""Annotation files beyond this many bytes are refused before they are read."""

# Whole pairs, and escaped backslashes, match as such, so that only a lone half gets the name.
_HALF = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    r"|\\."
)


class Doubled(dict[str, Any]):
    """A JSON object with a repeated key; `pairs` holds all entries."""

    pairs: list[tuple[str, Any]]


def entries(content: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    """Return the entries of a JSON object, those under a repeated key too."""
    return content.pairs if isinstance(content, Doubled) else content.items()


def read_text(path: Path) -> str:
    """Return the UTF-8 text of a file, without a byte order mark.

    Raises:
        MissingError: there is no such file.
        InputError: it is a folder, empty, larger than 512 MiB, or not UTF-8.
    """
    if not path.exists():
        raise MissingError(f"{path} does not exist; give the annotation file that VIA saved")
    if not path.is_file():
        raise InputError(f"{path} is not a file; give the annotation file that VIA saved")
    size = path.stat().st_size
    if size > LIMIT:
        raise InputError(f"{path} has {size / 2**20:,.0f} MiB, at most {LIMIT // 2**20} are read")
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not UTF-8 text (byte {error.start + 1}); export it from VIA again, or save "
            "it as UTF-8"
        ) from error
    if not text.strip():
        raise InputError(f"{path} is empty; export the annotations from VIA again")
    return text


def parse_json(text: str, shrink: Callable[[dict[str, Any]], None] = lambda _: None) -> Any:
    """Return the value that a JSON text holds; objects with a repeated key are `Doubled`.

    `shrink` may make each other object smaller as soon as it is whole, before the next is read.
    Half of a surrogate pair, which cannot be written as UTF-8, becomes U+FFFD.

    Raises:
        InputError: it is not JSON, or nested too deeply.
    """
    try:
        with _uncollected():
            return json.loads(_HALF.sub(_whole, text) if "\\u" in text else text,
                              object_pairs_hook=lambda found: _object(found, shrink))  # fmt: skip
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
            raise InputError("the JSON ends too early, as if it were cut off") from error
        where = f"line {error.lineno}, column {error.colno}"
        raise InputError(f"not JSON at {where}: {error.msg}") from error
    except RecursionError as error:
        raise InputError("the JSON is nested too deeply to be an annotation") from error
    except ValueError as error:
        raise InputError("the JSON holds a number of thousands of digits") from error


def parse_csv(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with its line number from 1.

    Raises:
        InputError: the text is not CSV.
    """
    # A cell may hold a whole drawing, far over Python's default of 131 072 characters.
    before = csv.field_size_limit(len(text) + 1)
    try:
        reader = csv.reader(io.StringIO(text, newline=""))
        # Read at once, since the limit is that of the whole process and is put back.
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise InputError(f"not CSV: {error}") from error
    finally:
        csv.field_size_limit(before)
    return iter(rows)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Pause the garbage collector: JSON has no cycles, and it would visit millions of values."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def _object(
    found: list[tuple[str, Any]], shrink: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    content = dict(found)
    if len(content) == len(found):
        shrink(content)
        return content
    doubled = Doubled(content)
    doubled.pairs = found
    return doubled


def _whole(match: re.Match[str]) -> str:
    return "\\ufffd" if match["half"] else match[0]
