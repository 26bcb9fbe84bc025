"""Writer of VIA 2.x: annotations as JSON, projects that open in the application, and CSV.

The output is that of VIA 2.0.11; a project holds everything that a `Project` can.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from agri_annotate.formats.writers.definitions import undefined, unnamed, whole
from agri_annotate.formats.writers.drawn import drawn
from agri_annotate.formats.writers.entries import Entry, entries
from agri_annotate.formats.writers.rows import doubtful, rows
from agri_annotate.formats.writers.text import compact
from agri_annotate.model.project import Attribute, Problem, Project, Value

HEADER = (
    "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,"
    "region_attributes"
)
VERSION = "2.0.10"
"""The version of the data format, which 2.0.11 writes too."""

Json = dict[str, Any]


def to_json(project: Project, sizes: Mapping[str, int], where: str) -> tuple[str, list[Problem]]:
    """Return the annotation JSON of VIA 2 and what it cannot hold."""
    found, problems = entries(project, sizes, where)
    return compact(_metadata(found)), problems + _absent(project, where)


def to_csv(project: Project, sizes: Mapping[str, int], where: str) -> tuple[str, list[Problem]]:
    """Return the annotation CSV of VIA 2 and what it cannot hold."""
    found, problems = entries(project, sizes, where)
    lines = [HEADER]
    for entry in found:
        lines += rows(entry, _attribute_values(entry.picture.attributes), _regions(entry))
    return "\n".join(lines), problems + doubtful(found) + _absent(project, where)


def to_project(project: Project, sizes: Mapping[str, int], where: str) -> tuple[str, list[Problem]]:
    """Return the project JSON of VIA 2 and what it cannot hold."""
    found, problems = entries(project, sizes, where)
    regions, files = whole(project)
    content = {
        "_via_settings": settings(project.name),
        "_via_img_metadata": _metadata(found),
        "_via_attributes": {"region": _definitions(regions), "file": _definitions(files)},
        "_via_data_format_version": VERSION,
        "_via_image_id_list": [entry.key for entry in found],
    }
    return compact(content), problems


def settings(name: str) -> Json:
    """Return the settings with which VIA 2 starts, for a project called `name`.

    All are needed: the application reads them without checking that they exist.
    """
    grid = {
        "img_height": 80,
        "rshape_fill": "none",
        "rshape_fill_opacity": 0.3,
        "rshape_stroke": "yellow",
        "rshape_stroke_width": 2,
        "show_region_shape": True,
        "show_image_policy": "all",
    }
    image = {
        "region_label": "__via_region_id__",
        "region_color": "__via_default_region_color__",
        "region_label_font": "10px Sans",
        "on_image_annotation_editor_placement": "NEAR_REGION",
    }
    return {
        "ui": {
            "annotation_editor_height": 25,
            "annotation_editor_fontsize": 0.8,
            "leftsidebar_width": 18,
            "image_grid": grid,
            "image": image,
        },
        "core": {"buffer_size": 18, "filepath": {}, "default_filepath": ""},
        "project": {"name": name},
    }


def _metadata(found: Sequence[Entry]) -> Json:
    return {
        entry.key: {
            "filename": entry.picture.name,
            "size": entry.size,
            "regions": _regions(entry),
            "file_attributes": _attribute_values(entry.picture.attributes),
        }
        for entry in found
    }


def _regions(entry: Entry) -> list[Json]:
    return [
        {
            "shape_attributes": drawn(region.shape),
            "region_attributes": _attribute_values(region.attributes),
        }
        for region in entry.picture.regions
    ]


def _attribute_values(values: Mapping[str, Value]) -> Json:
    return {
        name: value if isinstance(value, str) else dict.fromkeys(value, True)
        for name, value in values.items()
    }


def _definitions(attributes: Sequence[Attribute]) -> Json:
    return {attribute.name: _definition(attribute) for attribute in attributes}


def _definition(attribute: Attribute) -> Json:
    head = {"type": attribute.kind, "description": attribute.description}
    if attribute.kind == "text":
        return head | {"default_value": "".join(attribute.default[:1])}
    return head | {
        "options": dict(attribute.options),
        "default_options": dict.fromkeys(attribute.default, True),
    }


def _absent(project: Project, where: str) -> list[Problem]:
    return undefined(project, where) + unnamed(project, where)
