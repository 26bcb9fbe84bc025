"""Serialisation as the VGG Image Annotator does it: compact JSON, and CSV cells with JSON."""

import json
from typing import Any

_LINE_ENDS = {0x7F: "\\u007f", 0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def compact(content: Any) -> str:
    """Return `content` as JSON on one line without spaces, as JavaScript's stringify writes it.

    Characters that some readers take for the end of a line are escaped, so a line stays one line;
    NaN and infinity are refused, since they are not JSON.

    Example:
        >>> compact({"x": [1, 2.5]})
        '{"x":[1,2.5]}'
    """
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.translate(_LINE_ENDS)


def quoted(text: str) -> str:
    """Return a CSV cell: within quotes, inner quotes doubled."""
    return '"' + text.replace('"', '""') + '"'


def cell(content: Any) -> str:
    """Return a CSV cell that holds `content` as JSON."""
    return quoted(compact(content))


def name_cell(name: str) -> str:
    """Return a picture's name as a CSV cell: unquoted, as VIA does, unless that is ambiguous."""
    plain = name and name == name.strip() and not name.startswith("#")
    return name if plain and not set(name) & set(',"\r\n') else quoted(name)


def encode(text: str) -> bytes:
    """Return UTF-8; half of a surrogate pair, which UTF-8 cannot hold, becomes its escape.

    Within JSON that is the same text, since the escape is JSON's own.
    """
    return text.encode("utf-8", "backslashreplace")


def number(value: float) -> int | float:
    """Return a whole number as int, so that 20.0 is written 20, and anything else unchanged."""
    value = float(value)
    return int(value) if value.is_integer() else value
