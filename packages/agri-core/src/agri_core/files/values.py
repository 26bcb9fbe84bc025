"""Plain values that files hold: how messages show them, and which are refused in any file."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from agri_core.files.errors import AgriError, InputError

MAX_VALUES = 200_000


class _Repr(reprlib.Repr):
    """Short texts of values, as YAML and JSON write them."""

    def repr_NoneType(self, value: None, level: int) -> str:  # noqa: N802
        return "null"

    def repr_bool(self, value: bool, level: int) -> str:
        return "true" if value else "false"

    def repr_date(self, value: date, level: int) -> str:
        return value.isoformat()

    repr_datetime = repr_date


def shown(value: Any) -> str:
    """Return a short text of any value for a message.

    Example:
        >>> shown([True, None, "a"])
        "[true, null, 'a']"
    """
    try:
        return _Repr().repr(value)
    except ValueError:
        # Python 3.11 writes no whole number of more than 4300 digits.
        return "a number too long to be written"


def check_values(
    content: Any,
    where: str,
    failure: Callable[[str], AgriError] = InputError,
    most: float = MAX_VALUES,
) -> None:
    """Check plain values: that they are at most `most`, and every text is of whole characters.

    Raises:
        AgriError: of the kind `failure`: anchors blow the content up (or make it endless), or a
            text holds a lone surrogate, which no file can hold.
    """
    waiting: list[tuple[str, Any]] = [("", content)]
    count = 0
    while waiting:
        name, item = waiting.pop()
        count += 1
        if count > most:
            raise failure(f"{where} holds more than {most} values, anchors followed")
        fault = _surrogate(item) if isinstance(item, str) else ""
        if fault:
            raise failure(f"{where}: {name or 'the text'} {fault}")
        waiting.extend(_inner(name.strip("'"), item))


def _inner(name: str, item: Any) -> Iterator[tuple[str, Any]]:
    """Yield the keys and the values of a mapping, or the entries of a list, with their names."""
    if isinstance(item, Mapping):
        for key, value in item.items():
            yield f"'{name}': a key" if name else "a key", key
            yield f"'{name}.{key}'" if name else f"'{key}'", value
    elif isinstance(item, list | tuple | set):
        for number, value in enumerate(item, 1):
            yield f"'{f'{name} entry {number}'.strip()}'", value


def _surrogate(text: str) -> str:
    """Return what is wrong with a text that cannot be encoded, "" if it can be."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(text[error.start]):04x}"
        return f"holds {half}, which is half of a character; write the whole character"
    return ""
