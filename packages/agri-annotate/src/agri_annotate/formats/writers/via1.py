"""Writer of VIA 1.x: annotations as JSON, with the regions as an object, and as CSV.

Written as 1.0.6 does: polygons closed, no theta, no definitions of attributes, texts as values.
"""

from collections.abc import Mapping
from typing import Any

from agri_annotate.formats.readers.values import printable
from agri_annotate.formats.writers.definitions import undefined, unnamed
from agri_annotate.formats.writers.drawn import drawn
from agri_annotate.formats.writers.entries import Entry, entries
from agri_annotate.formats.writers.losses import place, ticks_as_text, uprights
from agri_annotate.formats.writers.rows import doubtful, rows
from agri_annotate.formats.writers.text import compact
from agri_annotate.model.project import Problem, Project

HEADER = (
    "#filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,"
    "region_attributes"
)


def to_json(project: Project, sizes: Mapping[str, int], where: str) -> tuple[str, list[Problem]]:
    """Return the annotation JSON of VIA 1 and what it cannot hold."""
    found, problems = entries(project, sizes, where)
    content = {}
    for entry in found:
        regions = _regions(entry, problems)
        content[entry.key] = {
            "fileref": "",
            "size": entry.size,
            "filename": entry.picture.name,
            "base64_img_data": "",
            "file_attributes": _attribute_values(entry, problems),
            "regions": {str(number): region for number, region in enumerate(regions)},
        }
    return compact(content), problems + _absent(project, where)


def to_csv(project: Project, sizes: Mapping[str, int], where: str) -> tuple[str, list[Problem]]:
    """Return the annotation CSV of VIA 1 and what it cannot hold."""
    found, problems = entries(project, sizes, where)
    lines = [HEADER]
    for entry in found:
        regions = _regions(entry, problems)
        lines += rows(entry, _attribute_values(entry, problems), regions)
    return "\n".join(lines), problems + doubtful(found) + _absent(project, where)


def _regions(entry: Entry, problems: list[Problem]) -> list[dict[str, Any]]:
    picture = entry.picture
    return [
        {
            "shape_attributes": drawn(shape, old=True),
            "region_attributes": ticks_as_text(
                region.attributes, place(picture, region), problems, exact=False
            ),
        }
        for region, shape in uprights(picture, problems)
    ]


def _attribute_values(entry: Entry, problems: list[Problem]) -> dict[str, str]:
    picture = entry.picture
    return ticks_as_text(picture.attributes, printable(picture.name), problems, exact=False)


def _absent(project: Project, where: str) -> list[Problem]:
    return undefined(project, where) + unnamed(project, where)
