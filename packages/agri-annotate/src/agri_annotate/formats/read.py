"""Reading an annotation file of any VIA version, or COCO; the format follows from its content."""

from pathlib import Path
from typing import Any

from agri_core.files.errors import InputError

from agri_annotate.choices import Form
from agri_annotate.formats.readers.coco import read_coco
from agri_annotate.formats.readers.decode import Doubled, parse_json, read_text
from agri_annotate.formats.readers.values import brief
from agri_annotate.formats.readers.via3 import read_via3_json
from agri_annotate.formats.readers.via3_csv import read_via3_csv
from agri_annotate.formats.readers.via_csv import read_via_csv
from agri_annotate.formats.readers.via_json import Regions, read_annotations, read_via2_project
from agri_annotate.model.project import Problem, Project

EXPECTED = "expected a file that VIA 1, 2 or 3 saved (JSON or CSV), or a COCO JSON"

_JSON_STARTS = frozenset('{["-0123456789tfnNI')
_PARTS: dict[Form, dict[str, type]] = {
    "via2-project": {"_via_img_metadata": dict},
    "via3-json": {"project": dict, "metadata": dict, "file": dict, "view": dict},
    "coco": {"images": list, "annotations": list},
}
_OLD = ("fileref", "base64_img_data")


def read_project(path: Path) -> tuple[Project, list[Problem]]:
    """Return the project in an annotation file, and what in it could not be read or was repaired.

    A region that cannot be read is a problem of severity "lost"; its picture and all else are kept.

    Raises:
        MissingError: there is no such file.
        InputError: it is none of the known forms, empty, cut off, not UTF-8 or over 512 MiB.
    """
    text = read_text(path)
    try:
        return read_text_project(text, path.name)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def read_text_project(text: str, source: str) -> tuple[Project, list[Problem]]:
    """Return the project in a text; `source` names it where a problem is not of one picture.

    Raises:
        InputError: it is none of the known forms.
    """
    text = text.lstrip()
    first = text.partition("\n")[0].rstrip("\r")
    if first.startswith("#filename"):
        return read_via_csv(text, "via1-csv", source)
    if first.replace('"', "").startswith("filename"):
        return read_via_csv(text, "via2-csv", source)
    if first.startswith("#"):
        return read_via3_csv(text, source)
    if text[:1] in _JSON_STARTS:
        return _read_json(parse_json(text, Regions().shrink), source)
    raise InputError(f"{EXPECTED}; it starts with {brief(first)}")


def json_form(root: Any) -> Form:
    """Return the form of a JSON value.

    Annotations are of VIA 1 where they hold what VIA 2 no longer writes: regions as an object,
    `fileref`, `base64_img_data`.

    Raises:
        InputError: it is of no known form.
    """
    if not isinstance(root, dict):
        raise InputError(f"{EXPECTED}; its root is {brief(root)}, not an object")
    for form, parts in _PARTS.items():
        if all(isinstance(root.get(name), kind) for name, kind in parts.items()):
            if isinstance(root, Doubled):
                raise InputError("a name is repeated in its root; export it from VIA again")
            return form
    pictures = [entry for entry in root.values() if isinstance(entry, dict)]
    if root and not any("regions" in p or "filename" in p for p in pictures):
        names = ", ".join(brief(name) for name in list(root)[:5])
        raise InputError(f"{EXPECTED}; the JSON object has {names}")
    old = any(isinstance(p.get("regions"), dict) or any(n in p for n in _OLD) for p in pictures)
    return "via1-json" if old else "via2-json"


def _read_json(root: Any, source: str) -> tuple[Project, list[Problem]]:
    form = json_form(root)
    if form == "via2-project":
        return read_via2_project(root, source)
    if form == "via3-json":
        return read_via3_json(root, source)
    if form == "coco":
        return read_coco(root, source)
    return read_annotations(root, form, source)
