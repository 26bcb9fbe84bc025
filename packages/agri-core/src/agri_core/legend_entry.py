"""One class of a legend as files hold it: `classes.json`, descriptions, stores and bundles."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from agri_core.files.records import Record


class LegendEntry(Record):
    """One class."""

    id: Annotated[int, Field(ge=0)]
    """Its value in masks; ids are 0, 1, 2, ... in order."""

    name: Annotated[str, Field(json_schema_extra={"minLength": 1})]
    """Unique in the legend."""

    colour: Annotated[str, Field(json_schema_extra={"pattern": "^#[0-9a-fA-F]{6}$"})]
    """Such as '#1a9641'."""
