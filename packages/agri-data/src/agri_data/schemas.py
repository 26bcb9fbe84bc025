"""JSON schemas of the files that users write or programs read, for editors and for checks."""

from __future__ import annotations

from typing import Literal

Name = Literal["description", "dataset", "classes"]


def schema(name: Name) -> str:
    """Return the JSON schema of a source description, a `dataset.json` or a `classes.json`."""
    from agri_core.files.records import schema_text
    from agri_core.legend import Legend

    from agri_data.sources.description.models import DescriptionFile
    from agri_data.store.infofile import InfoFile

    if name == "description":
        return schema_text(DescriptionFile, "Description of imagery and its labels (agri-data)")
    if name == "dataset":
        return schema_text(InfoFile, "dataset.json of a chip store (agri-data)")
    return schema_text(Legend, "classes.json: the classes of masks and maps")
