"""What is said of regions and pictures in VIA 1 and 2, and what could be said."""

from collections.abc import Mapping
from typing import Any, get_args

from agri_annotate.formats.readers.decode import Doubled
from agri_annotate.formats.readers.values import Notes, brief
from agri_annotate.model.project import Attribute, Kind, Value

KINDS: frozenset[str] = frozenset(get_args(Kind))


def read_values(said: Any, notes: Notes) -> dict[str, Value]:
    """Return an attributes object by name; texts stay exactly as they are.

    A checkbox `{"id": true, ...}` becomes the tuple of the ticked ids, empty where none is.
    A number (as VIA writes the width and height of pictures it took from COCO) or truth value
    becomes its text and is noted; anything else that is not a text is left out and reported.
    """
    if said is None:
        return {}
    if not isinstance(said, dict):
        notes.append((f"its attributes should be an object, got {brief(said)}", "changed"))
        return {}
    note_doubled(said, "its attributes", notes)
    found = {name: read_value(value, name, notes) for name, value in said.items()}
    return {name: value for name, value in found.items() if value is not None}


def note_doubled(said: Any, what: str, notes: Notes) -> None:
    """Note that a name comes twice in an object, of which JSON readers keep the last."""
    if isinstance(said, Doubled):
        notes.append((f"a name comes twice in {what}; the last one counts", "changed"))


def read_value(value: Any, name: str, notes: Notes) -> Value | None:
    """Return one value of an attribute, None where nothing, or nothing readable, is said."""
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


def read_definitions(said: Any, notes: Notes) -> tuple[Attribute, ...]:
    """Return the definitions of `_via_attributes`' `region` or `file` object."""
    if said is None:
        return ()
    if not isinstance(said, dict):
        notes.append((f"attribute definitions should be an object, got {brief(said)}", "changed"))
        return ()
    return tuple(_definition(name, value, notes) for name, value in said.items())


def _definition(name: str, said: Any, notes: Notes) -> Attribute:
    if not isinstance(said, dict):
        notes.append((f"the definition of attribute {brief(name)} is {brief(said)}", "changed"))
        return Attribute(name)
    chosen = said.get("default_options")
    ticked = tuple(k for k, v in chosen.items() if v) if isinstance(chosen, dict) else ()
    text = said.get("default_value")
    return Attribute(
        name,
        kind(said.get("type"), name, notes),
        read_options(said.get("options"), name, notes),
        ticked or ((text,) if isinstance(text, str) and text else ()),
        text_of(said.get("description")),
    )


def kind(said: Any, name: str, notes: Notes) -> Kind:
    """Return the kind of an attribute; an unknown one is a text, and noted."""
    known: dict[str, Kind] = {
        "text": "text", "dropdown": "dropdown", "radio": "radio", "checkbox": "checkbox",
        "image": "image",
    }  # fmt: skip
    if not isinstance(said, str) or said not in known:
        notes.append((f"attribute {brief(name)} is of type {brief(said)}, taken as text", "note"))
        return "text"
    return known[said]


def read_options(said: Any, name: str, notes: Notes) -> Mapping[str, str]:
    """Return option texts by id."""
    if said is None:
        return {}
    if not isinstance(said, dict):
        notes.append((f"the options of {brief(name)} are left out: {brief(said)}", "changed"))
        return {}
    return {option: text_of(text) for option, text in said.items()}


def text_of(value: Any) -> str:
    """Return a text as it is, a number as its text, and "" for the rest."""
    if isinstance(value, str):
        return value
    return brief(value) if isinstance(value, (bool, int, float)) else ""
