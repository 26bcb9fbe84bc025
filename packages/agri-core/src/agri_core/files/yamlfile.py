"""Reading a YAML mapping strictly: every key is known, every value has its type."""

from __future__ import annotations

import reprlib
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from agri_core.files.errors import InputError, MissingError
from agri_core.files.hints import hint, nearest

T = TypeVar("T")

MAX_BYTES = 1024 * 1024
MAX_VALUES = 200_000
_KINDS = {str: "text", int: "a whole number", float: "a number", list: "a list", dict: "a mapping"}


class Fields:
    """The keys of one mapping of a description, taken one by one and then checked for leftovers.

    `where` is how messages name the mapping: the file, or `file: label`.
    """

    def __init__(self, content: Any, where: str) -> None:
        """Wrap `content`.

        Raises:
            InputError: it is not a mapping with text keys.
        """
        if not isinstance(content, Mapping):
            raise InputError(f"{where}: expected a mapping of keys to values, got {shown(content)}")
        self._content, self.where = content, where
        self._known: list[str] = []

    def has(self, key: str) -> bool:
        """Whether the key is there (and not empty)."""
        self._note(key)
        return self._content.get(key) is not None

    def take(self, key: str, kind: type[T], default: T | None = None) -> T:
        """Return the value of `key`, which must be of `kind`.

        Raises:
            InputError: it is of another type, or missing when there is no default.
        """
        if not self.has(key):
            if default is None:
                near = nearest(key, map(str, self._content))
                end = f"; is '{near}' meant to be it?" if near else ""
                raise InputError(f"{self.where}: the key '{key}' is missing{end}")
            return default
        return checked(self._content[key], kind, f"{self.where}: '{key}'")

    def maybe(self, key: str, kind: type[T]) -> T | None:
        """Return the value of `key`, None when it is not there."""
        return self.take(key, kind) if self.has(key) else None

    def choice(self, key: str, allowed: Sequence[str], default: str | None = None) -> str:
        """Return the value of `key`, one of `allowed`."""
        value = self.take(key, str, default)
        if value not in allowed:
            raise InputError(
                f"{self.where}: '{key}' is one of {', '.join(allowed)}, got {shown(value)}"
                f"{hint(value, allowed)}"
            )
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, empty when the key is not there."""
        items = self.take(key, list, [])
        return tuple(
            checked(v, str, f"{self.where}: '{key}' entry {i + 1}") for i, v in enumerate(items)
        )

    def raw(self, key: str) -> Any:
        """Return the value of `key` as YAML gave it, None when it is not there."""
        return self._content[key] if self.has(key) else None

    def finish(self) -> None:
        """Refuse keys nobody asked for.

        Raises:
            InputError: a key is unknown; the message names the nearest known one.
        """
        for key in self._content:
            if key not in self._known:
                raise InputError(
                    f"{self.where}: unknown key {shown(key)}{hint(str(key), self._known)}; "
                    f"the keys here are {', '.join(sorted(self._known))}"
                )

    def _note(self, key: str) -> None:
        if key not in self._known:
            self._known.append(key)


def checked(value: Any, kind: type[T], what: str) -> T:
    """Return `value` as `kind`; a whole number serves as a float, a bool as nothing else.

    Raises:
        InputError: it is of another type.
    """
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(min(max(value, -(2**1000)), 2**1000))  # type: ignore[return-value]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        hint = " (put it in quotes)" if kind is str and isinstance(value, int | float) else ""
        raise InputError(f"{what} must be {_KINDS.get(kind, kind)}, got {shown(value)}{hint}")
    return value


def shown(value: Any) -> str:
    """Return a short text of any value for a message."""
    return reprlib.repr(value)


def read_yaml(path: Path) -> Any:
    """Read a YAML 1.2 file of plain values.

    Raises:
        MissingError: there is no such file.
        InputError: it is too large or not YAML.
    """
    if not path.is_file():
        raise MissingError(f"there is no file {path}")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path} is {path.stat().st_size} bytes; a description is under 1 MB")
    try:
        return parse_yaml(path.read_text(encoding="utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text ({error.reason})") from error


def parse_yaml(text: str, where: str) -> Any:
    """Parse YAML 1.2 text of plain values.

    Raises:
        InputError: it is not YAML.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError, YAMLWarning

    # Only ruamel runs in here; besides its own error it raises the others on garbage such as
    # "!!bool x", "!!int x", "%YAML 1.3" and a thousand open brackets.
    garbage = (YAMLError, ValueError, LookupError, AssertionError, RecursionError)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", YAMLWarning)
            content = YAML(typ="safe", pure=True).load(text)
    except garbage as error:
        kind = "" if isinstance(error, YAMLError) else f"{type(error).__name__} "
        told = f"{kind}{' '.join(str(error).split())}"[:400]
        raise InputError(f"{where} is not valid YAML: {told}") from error
    _check_count(content, where)
    return content


def _check_count(content: Any, where: str) -> None:
    """Refuse content that anchors blow up (or make endless) once it is walked or printed."""
    waiting, count = [content], 0
    while waiting:
        item = waiting.pop()
        count += 1
        if count > MAX_VALUES:
            raise InputError(f"{where} holds more than {MAX_VALUES} values, anchors followed")
        if isinstance(item, Mapping):
            waiting.extend(item.values())
        elif isinstance(item, list | tuple | set):
            waiting.extend(item)
