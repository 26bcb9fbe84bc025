"""CSV rows of VIA 1 and 2, which differ only in their header."""

from collections.abc import Mapping, Sequence
from typing import Any

from agri_annotate.formats.readers.values import printable
from agri_annotate.formats.writers.entries import Entry
from agri_annotate.formats.writers.text import cell, encode, name_cell
from agri_annotate.model.project import Problem


def doubtful(found: Sequence[Entry]) -> list[Problem]:
    """Return the problems of names that CSV cannot hold unquoted.

    VIA 2 splits a CSV at every line end before it looks for quotes, and keeps the quotes as part
    of the name (`import_annotations_from_csv` in its via.js).
    """
    what = "the name holds what VIA cannot read back from CSV, so it is quoted; JSON holds it"
    names = dict.fromkeys(entry.picture.name for entry in found)
    return [Problem(printable(name), what, "changed") for name in names if not _bare(name)]


def rows(
    entry: Entry, attributes: Mapping[str, Any], regions: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return one row for each region, or a single row where nothing is drawn.

    Args:
        entry: the picture and its size.
        attributes: the attributes of the picture.
        regions: each with `shape_attributes` and `region_attributes`.
    """
    head = f"{name_cell(entry.picture.name)},{entry.size},{cell(attributes)},{len(regions)}"
    if not regions:
        return [f"{head},0,{cell({})},{cell({})}"]
    return [
        f"{head},{number},{cell(region['shape_attributes'])},{cell(region['region_attributes'])}"
        for number, region in enumerate(regions)
    ]


def _bare(name: str) -> bool:
    return name_cell(name) == name and encode(name).decode() == name
