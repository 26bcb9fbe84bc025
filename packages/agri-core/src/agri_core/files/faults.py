"""Messages for invalid records, in plain words: the key, what is expected, what came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from agri_core.files.hints import hint
from agri_core.files.values import shown

if TYPE_CHECKING:
    from pydantic import ValidationError

LISTED = 5
"""Faults in one message; the rest is counted."""

_KINDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "mapping_type": "a mapping",
    "dataclass_type": "a mapping",
    "finite_number": "a finite number",
    "none_required": "empty",
}
_BOUNDS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}
_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument", "invalid_key")
_MISSING = ("missing", "missing_argument", "missing_keyword_only_argument", "union_tag_not_found")


class Fault(NamedTuple):
    """One fault: keys from the top to the value, and what pydantic found there."""

    path: tuple[str, ...]
    error: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Pydantic's name of the fault."""
        return str(self.error["type"])


def explain(error: ValidationError, content: Any, schema: Mapping[str, Any]) -> str:
    """Return what is wrong with `content` as one line, missing and unknown keys first.

    Args:
        error: what pydantic found.
        content: what was validated.
        schema: the JSON schema of the record, which knows the keys.
    """
    faults = [Fault(_path(item, content, schema), item) for item in error.errors(include_url=False)]
    texts = _missing([fault for fault in faults if fault.kind in _MISSING])
    texts += _unknown([fault for fault in faults if fault.kind in _UNKNOWN], schema)
    texts += _values([fault for fault in faults if fault.kind not in (*_MISSING, *_UNKNOWN)])
    more = f"; and {len(texts) - LISTED} more" if len(texts) > LISTED else ""
    return "; ".join(texts[:LISTED]) + more


def _path(error: Mapping[str, Any], content: Any, schema: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys to a fault; pydantic's own names of alternatives are no keys."""
    names: list[str] = []
    here, nodes = content, _resolved([schema], schema)
    for part in error["loc"][: -2 if _of_key(error) else None]:
        tag = any(part in _tags(node) for node in nodes)
        if not tag and isinstance(here, Mapping) and part in here:
            names.append(str(part)[:80])
            here = here[part]
        elif isinstance(here, list | tuple) and isinstance(part, int) and part < len(here):
            entry = f"entry {part + 1}"
            names[-1:] = [f"{names[-1]} {entry}"] if names else [entry]
            here = here[part]
        nodes = _stepped(nodes, part, schema)
    return tuple(names)


def _missing(faults: Sequence[Fault]) -> list[str]:
    texts = []
    for parent in dict.fromkeys(fault.path for fault in faults):
        keys = [f"'{_absent(fault.error)}'" for fault in faults if fault.path == parent]
        what = f"key {keys[0]} is" if len(keys) == 1 else f"keys {', '.join(keys)} are"
        texts.append(f"{_at(parent)}the {what} missing")
    return texts


def _absent(error: Mapping[str, Any]) -> str:
    """Return the missing key; the location of an error does not hold a discriminator."""
    if error["type"] == "union_tag_not_found":
        return str(error["ctx"]["discriminator"]).strip("'")
    return str(error["loc"][-1])


def _unknown(faults: Sequence[Fault], schema: Mapping[str, Any]) -> list[str]:
    """Name each unknown key with the nearest known one; the last of a mapping lists them all."""
    texts: list[str] = []
    for parent in dict.fromkeys(fault.path[:-1] for fault in faults):
        here = [fault for fault in faults if fault.path[:-1] == parent]
        known = _keys(schema, here[0].error["loc"][:-1])
        for fault in here:
            key = fault.error["input"] if fault.kind == "invalid_key" else fault.error["loc"][-1]
            near = hint(key, known) if isinstance(key, str) else ""
            texts.append(f"{_at(parent)}unknown key {shown(key)}{near}")
        texts[-1] += f"; the keys here are {', '.join(known)}"
    return texts


def _values(faults: Sequence[Fault]) -> list[str]:
    """Describe wrong values; of the alternatives of a value, those that came nearest count."""
    paths = [fault.path for fault in faults]
    deepest = [
        path
        for path in dict.fromkeys(paths)
        if not any(len(other) > len(path) and other[: len(path)] == path for other in paths)
    ]
    return [_value([fault for fault in faults if fault.path == path]) for path in deepest]


def _value(faults: Sequence[Fault]) -> str:
    """Describe one wrong value, which may have been tried as several kinds."""
    first = faults[0]
    name = f"'{'.'.join(first.path)}'" if first.path else ""
    if _of_key(first.error):
        name = f"{_at(first.path)}a key"
    for fault in faults:
        if fault.kind not in _KINDS:
            return _wrong(fault, name or "the content", shown(fault.error["input"]))
    kinds = " or ".join(dict.fromkeys(_KINDS[fault.kind] for fault in faults))
    if first.error["input"] is None:
        return f"{name or 'it'} is empty; {kinds} is expected"
    must = f"{name} must be" if name else "expected"
    return f"{must} {kinds}, got {shown(first.error['input'])}{_quotes(kinds, first)}"


def _wrong(fault: Fault, name: str, got: str) -> str:
    """Describe a value of the right kind that is not allowed."""
    facts = fault.error.get("ctx", {})
    if fault.kind in _BOUNDS:
        word, key = _BOUNDS[fault.kind]
        return f"{name} must be {word} {facts[key]:g}, got {got}"
    if fault.kind == "union_tag_invalid":
        key = facts["discriminator"].strip("'")
        path = ".".join((*fault.path, key))
        return _choice(f"'{path}'", fault.error["input"].get(key), facts["expected_tags"])
    if fault.kind == "literal_error":
        return _choice(name, fault.error["input"], facts["expected"])
    if fault.kind == "json_invalid":
        return f"it is not valid JSON: {facts['error']}"
    if fault.kind == "value_error":
        return f"{_at(fault.path)}{facts['error']}"
    return f"{name} cannot be {got}"


def _choice(name: str, value: Any, expected: str) -> str:
    """Describe a value that is none of `expected`, as pydantic writes them: "'a', 'b' or 'c'"."""
    known = [part.strip("'") for part in expected.replace(" or ", ", ").split(", ")]
    if value is None:
        return f"{name} is empty; it is one of {', '.join(known)}"
    near = hint(value, known) if isinstance(value, str) else ""
    return f"{name} is one of {', '.join(known)}, got {shown(value)}{near}"


def _quotes(kinds: str, fault: Fault) -> str:
    other = isinstance(fault.error["input"], int | float | date)
    return " (put it in quotes)" if other and kinds == "text" else ""


def _of_key(error: Mapping[str, Any]) -> bool:
    """Whether the fault is of a key itself, after whose name pydantic writes "[key]"."""
    return bool(error["loc"]) and error["loc"][-1] == "[key]"


def _at(path: Sequence[str]) -> str:
    return f"'{'.'.join(path)}': " if path else ""


def _keys(schema: Mapping[str, Any], loc: Sequence[str | int]) -> list[str]:
    """Return the known keys of the mapping at `loc`, by the JSON schema."""
    nodes = _resolved([schema], schema)
    for part in loc:
        nodes = _stepped(nodes, part, schema)
    return sorted({key for node in nodes for key in node.get("properties", {})})


def _stepped(
    nodes: Sequence[Mapping[str, Any]], part: str | int, schema: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """Return the schemas after `part`; the same ones where it only names an alternative."""
    found = [step for node in nodes for step in _steps(node, part)]
    return _resolved(found, schema) if found else list(nodes)


def _steps(node: Mapping[str, Any], part: str | int) -> list[Mapping[str, Any]]:
    """Return the schemas that `part` leads to: an alternative's, a key's or an entry's."""
    if part in _tags(node):
        return [{"$ref": _tags(node)[part]}]
    if part in node.get("properties", {}):
        return [node["properties"][part]]
    inner = node.get("items" if isinstance(part, int) else "additionalProperties")
    return [inner] if isinstance(inner, Mapping) else []


def _tags(node: Mapping[str, Any]) -> Mapping[Any, str]:
    """Return the alternatives of a union that a key tells apart, by the value of the key."""
    found: Mapping[Any, str] = node.get("discriminator", {}).get("mapping", {})
    return found


def _resolved(nodes: Iterable[Any], schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Follow references, and open alternatives but keep the node that tells them apart."""
    found: list[Mapping[str, Any]] = []
    waiting = [node for node in nodes if isinstance(node, Mapping)]
    while waiting:
        node = waiting.pop()
        if "$ref" in node:
            waiting.append(schema["$defs"][node["$ref"].rpartition("/")[2]])
            continue
        found.append(node)
        if "discriminator" not in node:
            waiting += [*node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ())]
    return found
