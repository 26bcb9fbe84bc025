"""Attribute values and attribute definitions of VIA 1 and 2."""

from collections.abc import Mapping
from typing import Any, get_args

from agri_annotate.formats.readers.decode import Doubled
from agri_annotate.formats.readers.values import Notes, brief
from agri_annotate.model.project import Attribute, Kind, Value

KINDS: frozenset[str] = frozenset(get_args(Kind))


def read_values(raw: Any, notes: Notes) -> dict[str, Value]:
    """Return an attributes object by name; texts stay exactly as they are.

    A checkbox `{"id": true, ...}` becomes the tuple of the ticked ids, empty where none is.
    A number (as VIA writes the width and height of pictures it took from COCO) or truth value
    becomes its text and is noted; anything else that is not a text is left out and reported.
    """
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        notes.append((f"its attributes should be an object, got {brief(raw)}", "changed"))
        return {}
    note_doubled(raw, "its attributes", notes)
    found = {name: read_value(value, name, notes) for name, value in raw.items()}
    return {name: value for name, value in found.items() if value is not None}


def note_doubled(raw: Any, what: str, notes: Notes) -> None:
    """Note that a key is repeated in an object, of which JSON readers keep the last value."""
    if isinstance(raw, Doubled):
        notes.append((f"a name is repeated in {what}; the last value is used", "changed"))


def read_value(value: Any, name: str, notes: Notes) -> Value | None:
    """Return one value of an attribute, None where it is missing or unreadable."""
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, dict) and all(not isinstance(v, (dict, list)) for v in value.values()):
        return tuple(option for option, ticked in value.items() if ticked)
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        notes.append((f"attribute {brief(name)} is a list, read as ticked options", "note"))
        return tuple(value)
    if isinstance(value, (bool, int, float)):
        text = brief(value)
        notes.append((f"attribute {brief(name)} is {text}, read as a text", "note"))
        return text
    notes.append((f"attribute {brief(name)} is left out: {brief(value)}, not a text", "changed"))
    return None


def read_definitions(raw: Any, notes: Notes) -> tuple[Attribute, ...]:
    """Return the definitions of `_via_attributes`' `region` or `file` object."""
    if raw is None:
        return ()
    if not isinstance(raw, dict):
        notes.append((f"attribute definitions should be an object, got {brief(raw)}", "changed"))
        return ()
    return tuple(_definition(name, value, notes) for name, value in raw.items())


def _definition(name: str, raw: Any, notes: Notes) -> Attribute:
    if not isinstance(raw, dict):
        notes.append((f"the definition of attribute {brief(name)} is {brief(raw)}", "changed"))
        return Attribute(name)
    chosen = raw.get("default_options")
    ticked = tuple(k for k, v in chosen.items() if v) if isinstance(chosen, dict) else ()
    text = raw.get("default_value")
    return Attribute(
        name,
        kind(raw.get("type"), name, notes),
        read_options(raw.get("options"), name, notes),
        ticked or ((text,) if isinstance(text, str) and text else ()),
        text_of(raw.get("description")),
    )


def kind(raw: Any, name: str, notes: Notes) -> Kind:
    """Return the kind of an attribute; an unknown one is read as text and noted."""
    known: dict[str, Kind] = {
        "text": "text", "dropdown": "dropdown", "radio": "radio", "checkbox": "checkbox",
        "image": "image",
    }  # fmt: skip
    if not isinstance(raw, str) or raw not in known:
        notes.append((f"attribute {brief(name)} is of type {brief(raw)}, taken as text", "note"))
        return "text"
    return known[raw]


def read_options(raw: Any, name: str, notes: Notes) -> Mapping[str, str]:
    """Return option texts by id."""
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        notes.append((f"the options of {brief(name)} are left out: {brief(raw)}", "changed"))
        return {}
    return {option: text_of(text) for option, text in raw.items()}


def text_of(value: Any) -> str:
    """Return a text as it is, a number as its text, and "" for the rest."""
    if isinstance(value, str):
        return value
    return brief(value) if isinstance(value, (bool, int, float)) else ""
