"""Writing annotation files in every format, with a report of what a format cannot hold."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import get_args

from agri_core.files.atomic import replacing_file
from agri_core.files.errors import InputError

from agri_annotate.choices import Form
from agri_annotate.formats.writers import coco, via1, via2, via3
from agri_annotate.formats.writers.text import encode
from agri_annotate.model.project import Problem, Project

Writer = Callable[[Project, Mapping[str, int], str], tuple[str, list[Problem]]]

WRITERS: Mapping[Form, Writer] = MappingProxyType(
    {
        "via1-json": via1.to_json,
        "via1-csv": via1.to_csv,
        "via2-json": via2.to_json,
        "via2-project": via2.to_project,
        "via2-csv": via2.to_csv,
        "via3-json": via3.to_json,
        "via3-csv": via3.to_csv,
    }
)
NO_SIZES: Mapping[str, int] = MappingProxyType({})


def write_project(
    project: Project,
    form: Form,
    path: Path,
    sizes: Mapping[str, int] = NO_SIZES,
    *,
    attribute: str | None = None,
) -> list[Problem]:
    """Write `project` to `path` in `form`, equal byte for byte each time, and replace it whole.

    Args:
        project: its own `form` is ignored.
        form: to write in.
        path: of the file.
        sizes: of the pictures in bytes, by name; they take precedence over the recorded ones.
        attribute: of the regions, whose values become the categories of COCO; without it the first
            dropdown or radio, else the attribute that most regions have.

    Returns:
        What the form cannot hold: "lost" where a shape or an attribute value is missing,
        "changed" where it is represented differently, "note" for what is not drawn.

    Raises:
        InputError: the form is unknown, or the regions have no such attribute.
    """
    text, problems = render(project, form, path.name, sizes, attribute=attribute)
    with replacing_file(path) as temporary:
        temporary.write_bytes(encode(text))
    return problems


def render(
    project: Project,
    form: Form,
    where: str,
    sizes: Mapping[str, int] = NO_SIZES,
    *,
    attribute: str | None = None,
) -> tuple[str, list[Problem]]:
    """Return the text of the file and what the form cannot hold; `where` names the file."""
    if form == "coco":
        return coco.to_json(project, sizes, where, attribute)
    if form not in WRITERS:
        forms = ", ".join(get_args(Form))
        raise InputError(f"the form must be one of {forms}; got {form!r}")
    return WRITERS[form](project, sizes, where)
