"""One class of a legend as files hold it: `classes.json`, descriptions, stores and bundles."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from agri_core.files.records import Record


def _text(value: Any) -> Any:
    """Take a number for a name: YAML reads one wherever a name has no quotes."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if number else value


class LegendEntry(Record):
    """One class."""

    id: Annotated[int, Field(ge=0, le=253)]
    """Its value in masks; ids are 0, 1, 2, ... in order, and 255 means "no class"."""

    name: Annotated[
        str,
        BeforeValidator(_text),
        Field(json_schema_extra={"type": ["string", "number"], "minLength": 1}),
    ]
    """Unique in the legend."""

    colour: (
        Annotated[
            str,
            AfterValidator(str.lower),
            Field(json_schema_extra={"pattern": "^#[0-9a-fA-F]{6}$"}),
        ]
        | None
    ) = None
    """Such as '#1a9641'; without it, a fixed colour by id."""
