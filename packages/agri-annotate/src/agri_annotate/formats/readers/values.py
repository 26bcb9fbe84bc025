"""Validation of single values of an annotation file."""

import math
import re
from collections.abc import Sequence
from typing import Any

from agri_core.files.errors import InputError

from agri_annotate.model.project import Severity
from agri_annotate.model.shape import LARGEST

Notes = list[tuple[str, Severity]]
"""Findings of a reader about one region or picture, which become its problems."""

BIGGEST = 2**62
"""Upper bound of any integer: no file has more bytes, and no raster more rows."""

# Narrower than float(): ASCII digits and no "inf", "nan" or "1_000".
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
# Types are compared as such, because bool is a subclass of int.
_PLAIN = frozenset({int, float})


def brief(value: object) -> str:
    """Return a short one-line description of any `value`."""
    if isinstance(value, str):
        return repr(value[:40]) + ("..." if len(value) > 40 else "")
    if isinstance(value, dict):
        return "an object" if value else "an empty object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) > BIGGEST:
        return "a number out of range"
    return "nothing" if value is None else repr(value)


def printable(text: str) -> str:
    """Return `text` as one line of at most 200 characters; control characters are escaped."""
    cut = text if len(text) <= 200 else text[:197] + "..."
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut)


def number(value: Any, name: str, notes: Notes) -> float:
    """Return `value` as a finite number of at most `LARGEST`.

    A text that spells a decimal number is accepted, since VIA accepts it; this is noted.

    Raises:
        InputError: it is anything else, such as true, NaN or null.
    """
    if isinstance(value, str) and len(value) < 60 and _NUMBER.fullmatch(value.strip()):
        notes.append((f"{name} is the text {brief(value)}, read as a number", "note"))
        value = float(value)
    if type(value) not in _PLAIN or not -LARGEST <= value <= LARGEST:
        what = "is missing" if value is None else f"is not a coordinate: {brief(value)}"
        raise InputError(f"{name} {what}; expected a number up to {LARGEST:,.0f}")
    return float(value)


def numbers(values: Any, name: str, notes: Notes) -> list[float]:
    """Return the list `values` as finite numbers, by the rule of `number`."""
    if not isinstance(values, list):
        raise InputError(f"{name} should be a list of numbers, got {brief(values)}")
    if set(map(type, values)) <= _PLAIN and _bounded(values):
        return [float(v) for v in values]
    found: Notes = []
    result = [number(v, f"{name}[{i}]", found) for i, v in enumerate(values)]
    # One note for the list, not one for each number in it.
    notes += found[:1]
    return result


def whole(value: Any, least: int = 0) -> int | None:
    """Return `value` as an int of at least `least`, None where it is none.

    Example:
        >>> whole("12"), whole(12.0), whole(-1), whole("twelve")
        (12, 12, None, None)
    """
    if isinstance(value, str) and len(value) < 20 and value.strip().isascii():
        text = value.strip()
        value = int(text) if text.isdigit() else None
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        value = int(value)
    if type(value) is not int or not least <= value <= BIGGEST:
        return None
    return value


def key(value: Any) -> str | None:
    """Return an identifier as text: VIA and others write the same id as 1 and as "1"."""
    if isinstance(value, str):
        return value
    found = whole(value, -BIGGEST)
    return None if found is None else str(found)


def pairs(points: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """Return x0, y0, x1, y1, ... as points.

    Raises:
        InputError: the last x has no y.
    """
    if len(points) % 2:
        raise InputError(f"x and y should come in pairs, got {len(points)} numbers")
    return tuple(zip(points[::2], points[1::2], strict=True))


def _bounded(values: list[float]) -> bool:
    """Return whether all are finite and bounded.

    Minimum and maximum may miss NaN, which the sum does not; the sum comes last, since an integer
    too large for a float must not reach it.
    """
    if not values:
        return True
    return min(values) >= -LARGEST and max(values) <= LARGEST and math.isfinite(sum(values))
