"""Reading YAML files of plain values, with their size and their number of values capped."""

from __future__ import annotations

import re
import sys
import warnings
from pathlib import Path
from typing import Any

from agri_core.files.errors import InputError, MissingError
from agri_core.files.values import check_values

MAX_BYTES = 1024 * 1024
_DUPLICATE = re.compile(r'found duplicate key "(.*?)"(?: with value|$)', re.DOTALL)


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
        raise InputError(f"{path} is not UTF-8 text ({error.reason}); save it as UTF-8") from error


def parse_yaml(text: str, where: str) -> Any:
    """Parse YAML 1.2 text of plain values.

    Raises:
        InputError: it is not YAML, or holds values that no file should.
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
        raise InputError(f"{where} is not valid YAML: {_fault(error, text)}"[:500]) from error
    check_values(content, where)
    return content


def _fault(error: Exception, text: str) -> str:
    """Describe an error of ruamel without its advice to programmers."""
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    if isinstance(error, MarkedYAMLError):
        return _marked(error)
    if isinstance(error, RecursionError):
        return "lists and mappings are nested too deep"
    most = sys.get_int_max_str_digits()
    long = re.search(rf"\d{{{most + 1},}}", text) if isinstance(error, ValueError) else None
    if long:
        line = text.count("\n", 0, long.start()) + 1
        return f"the number in line {line} has more than {most} digits"
    told = " ".join(str(error).replace('in "<unicode string>", ', "at ").split())
    return told if isinstance(error, YAMLError) else f"a value does not fit its tag: {told}"


def _marked(error: Any) -> str:
    """Describe an error whose place ruamel knows, by its line and column."""
    mark = error.problem_mark or error.context_mark
    place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "the file"
    twice = _DUPLICATE.match(error.problem or "")
    if twice:
        return f"{place}: the key '{twice[1]}' occurs twice; keep one of them"
    told = " ".join(part for part in (error.context, error.problem) if part)
    return f"{place}: {' '.join(told.split())}"
