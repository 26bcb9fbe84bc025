"""Reading YAML files of plain values, with their size and their number of values capped."""

from __future__ import annotations

import reprlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agri_core.files.errors import InputError, MissingError

MAX_BYTES = 1024 * 1024
MAX_VALUES = 200_000


def shown(value: Any) -> str:
    """Return a short text of any value for a message."""
    try:
        return reprlib.repr(value)
    except ValueError:
        # Python 3.11 writes no whole number of more than 4300 digits.
        return "a number too long to be written"


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
