"""Kinds of an option's value by its annotation, and what is wrong with a value of another kind."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin

from agri_core.files.hints import hint
from agri_core.files.values import shown


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
