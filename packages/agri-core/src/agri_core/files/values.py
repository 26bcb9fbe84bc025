"""Plain values that files hold: how messages show them, and what is wrong with one.

Some are refused in any file. A value of a parameter file must be of the kind that its option has.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Literal, get_args, get_origin

from agri_core.files.errors import AgriError, InputError
from agri_core.files.hints import hint

MAX_VALUES = 200_000

LONGEST = 300
"""Characters of a value in a message."""


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
        text = _Repr().repr(value)
        # Lists in lists are shortened each, but not what they are together.
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
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


def choices_of(annotation: Any) -> tuple[str, ...]:
    """Return the choices that an annotation allows, also within a union or a list; () for any.

    Example:
        >>> choices_of(Literal["train", "val"] | None)
        ('train', 'val')
    """
    if get_origin(annotation) is Literal:
        return tuple(map(str, get_args(annotation)))
    return tuple(choice for part in get_args(annotation) for choice in choices_of(part))


def near_choice(value: Any, choices: Sequence[str]) -> str:
    """Return the end of a message about a wrong choice: the choice that `value` is nearest to."""
    return hint(value, choices) if isinstance(value, str) else ""


def wrong_value(value: Any, annotation: Any) -> str:
    """Return what is wrong with a parameter file's value for an option, "" if nothing is.

    Example:
        >>> wrong_value(1.5, int)
        'must be a whole number, got 1.5'
    """
    if value is None:
        return "is empty; give it a value, or remove it"
    choices = choices_of(annotation)
    if choices:
        return _wrong_choice(value, choices)
    kinds = {type(None), *(get_args(annotation) or (annotation,))} - {type(None)}
    kind = kinds.pop() if len(kinds) == 1 else str
    fault = {bool: _wrong_flag, int: _wrong_whole, float: _wrong_number}.get(kind, _wrong_text)
    expected = fault(value)
    return f"must be {expected}, got {shown(value)}" if expected else ""


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


def _wrong_choice(value: Any, choices: Sequence[str]) -> str:
    # A number may be the name of a choice, such as 32 bits.
    if _is_plain(value) and str(value) in choices:
        return ""
    return f"is one of {', '.join(choices)}, got {shown(value)}{near_choice(value, choices)}"


def _wrong_flag(value: Any) -> str:
    return "" if isinstance(value, bool) else "true or false"


def _wrong_whole(value: Any) -> str:
    return "" if isinstance(value, int) and not isinstance(value, bool) else "a whole number"


def _wrong_number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "a number"
    return "" if isinstance(value, int) or math.isfinite(value) else "a finite number"


def _wrong_text(value: Any) -> str:
    items = value if isinstance(value, list) else [value]
    return "" if all(_is_plain(item) for item in items) else "a plain value or a list of them"


def _is_plain(value: Any) -> bool:
    """Whether a value can be written as text without a doubt: true could be any of True, yes, 1."""
    return isinstance(value, str | int | float) and not isinstance(value, bool)
