"""The CSV rows of VIA 1 and 2, which are alike but for their header."""

from collections.abc import Mapping, Sequence
from typing import Any

from agri_annotate.writers.entries import Entry
from agri_annotate.writers.text import cell, name_cell


def rows(entry: Entry, said: Mapping[str, Any], regions: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one row for each region, or a single row where nothing is drawn.

    Args:
        entry: the picture and its size.
        said: the attributes of the picture.
        regions: each with `shape_attributes` and `region_attributes`.
    """
    head = f"{name_cell(entry.picture.name)},{entry.size},{cell(said)},{len(regions)}"
    if not regions:
        return [f"{head},0,{cell({})},{cell({})}"]
    return [
        f"{head},{number},{cell(region['shape_attributes'])},{cell(region['region_attributes'])}"
        for number, region in enumerate(regions)
    ]
