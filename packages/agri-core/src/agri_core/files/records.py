"""Records that come from files: validated by pydantic, refused with one error in plain words.

pydantic takes a tenth of a second to import, so a module that a command line loads at its start
imports this one inside the function that reads.
"""

from __future__ import annotations

import json
import math
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.json_schema import GenerateJsonSchema

from agri_core.files.errors import AgriError, InputError
from agri_core.files.faults import explain
from agri_core.files.values import check_values

T = TypeVar("T")
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Failure(Protocol):
    """Makes the error of a record that is refused, from its message."""

    def __call__(self, message: str, /) -> AgriError:
        """Return the error."""


class Record(BaseModel):
    """A mapping with known keys, each of exactly its type: no text for a number, no bool for one.

    A whole number serves as a float; infinity and NaN only where the field allows them.
    """

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        protected_namespaces=(),
    )


def parse_record(kind: type[T], content: Any, where: str, failure: Failure = InputError) -> T:
    """Return `content`, as YAML gave it, as a record.

    Args:
        kind: a `Record`, or any type made of them.
        content: lists, mappings and plain values.
        where: the name of the content in messages, such as its file.
        failure: the error to raise.

    Raises:
        AgriError: of the kind `failure`: a key is unknown or missing, or a value is wrong.

    Example:
        >>> parse_record(dict[str, int], {"epochs": 5}, "params.yaml")
        {'epochs': 5}
    """
    check_values(content, where, failure)
    try:
        return TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        raise failure(_message(kind, error, content, where)) from error


def parse_json(kind: type[T], text: str | bytes, where: str, failure: Failure = InputError) -> T:
    """Return the JSON `text` as a record; a tuple is written as a list.

    Raises:
        AgriError: of the kind `failure`: it is not JSON, a key is unknown or missing, or a value
            is wrong.

    Example:
        >>> parse_json(tuple[float, float], "[0.5, 2]", "limits.json")
        (0.5, 2.0)
    """
    try:
        return TypeAdapter(kind).validate_json(text)
    except ValidationError as error:
        content = load_json(text, where, failure)
        raise failure(_message(kind, error, content, where)) from error


def load_json(text: str | bytes, where: str, failure: Failure = InputError) -> Any:
    """Return JSON text as plain values.

    Raises:
        AgriError: of the kind `failure`: it is not JSON, lists and objects nest too deep, or a
            text holds half of a character.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise failure(f"{where} is not valid JSON: {error}") from error
    # JSON has no anchors, so its size is that of the file.
    check_values(content, where, failure, most=math.inf)
    return content


def schema_text(kind: type[Any], title: str) -> str:
    """Return the JSON schema of a record as the text of a file, for editors and other programs."""
    found = TypeAdapter(kind).json_schema(schema_generator=_Untitled)
    schema = {"$schema": DIALECT, **found, "title": title}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


class _Untitled(GenerateJsonSchema):
    """A JSON schema without a title for each key, which would be the key once more."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _message(kind: type[Any], error: ValidationError, content: Any, where: str) -> str:
    return f"{where}: {explain(error, content, TypeAdapter(kind).json_schema())}"
