"""Reader of the CSV of VIA 3: definitions in comments, then one row per metadata entry."""

from typing import Any

from agri_core.files.errors import InputError

from agri_annotate.formats.readers.collector import Collector, Draft
from agri_annotate.formats.readers.decode import parse_csv, parse_json
from agri_annotate.formats.readers.values import Notes, brief
from agri_annotate.formats.readers.via3 import Vocabulary, place, read_vocabulary
from agri_annotate.model.project import Problem, Project

COLUMNS = (
    "metadata_id", "file_list", "flags", "temporal_coordinates", "spatial_coordinates", "metadata",
)  # fmt: skip
NEEDED = ("file_list", "spatial_coordinates", "metadata")


def read_via3_csv(text: str, source: str) -> tuple[Project, list[Problem]]:
    """Read the rows; pictures in order of first occurrence.

    Raises:
        InputError: no comment names the columns, or a needed one is not among them.
    """
    collector = Collector(source)
    comments, body = _split(text)
    columns = [name.strip() for name in comments.get("CSV_HEADER", "").split(",")]
    if any(name not in columns for name in NEEDED):
        raise InputError(
            f"expected a line '# CSV_HEADER = {','.join(COLUMNS)}', got "
            f"{brief(comments.get('CSV_HEADER'))}; export 'via3_csv' from VIA 3"
        )
    vocabulary = _vocabulary(comments.get("ATTRIBUTE"), collector)
    offset = text[: len(text) - len(body)].count("\n")
    for line, row in parse_csv(body):
        if len(row) == len(columns):
            cells = dict(zip(columns, row, strict=True))
            _read_row(line + offset, cells, vocabulary, collector)
        else:
            what = f"line {line + offset} has {len(row)} fields, expected {len(columns)}"
            collector.report(collector.source, what)
    pictures = collector.pictures()
    project = Project("via3-csv", pictures, vocabulary.regions, vocabulary.files)
    return project, collector.problems


def _split(text: str) -> tuple[dict[str, str], str]:
    """Return the comments of the form `# NAME = content` by name, and what follows them."""
    comments: dict[str, str] = {}
    start = 0
    while text.startswith("#", start):
        end = text.find("\n", start) + 1 or len(text)
        name, _, content = text[start + 1 : end].partition("=")
        comments[name.strip()] = content.strip()
        start = end
    return comments, text[start:]


def _vocabulary(comment: str | None, collector: Collector) -> Vocabulary:
    notes: Notes = []
    vocabulary = Vocabulary()
    try:
        vocabulary = read_vocabulary(parse_json(comment or "{}"), notes)
    except InputError as error:
        notes.append((f"the attribute definitions are left out: {error}", "changed"))
    collector.report_all(collector.source, notes)
    return vocabulary


def _read_row(line: int, row: dict[str, str], vocabulary: Vocabulary, collector: Collector) -> None:
    try:
        files = parse_json(row["file_list"])
        raw: dict[str, Any] = {
            "xy": parse_json(row["spatial_coordinates"] or "[]"),
            "z": parse_json(row.get("temporal_coordinates") or "[]"),
            "av": parse_json(row["metadata"] or "{}"),
        }
    except InputError as error:
        collector.report(collector.source, f"line {line}: {error}")
        return
    draft = _picture(files, collector)
    if draft is not None:
        place(draft, raw, vocabulary, collector)
    elif raw["xy"] != []:
        what = f"line {line} should name one picture, it names {brief(files)}"
        collector.report(collector.source, what)


def _picture(files: Any, collector: Collector) -> Draft | None:
    if isinstance(files, list) and len(files) == 1 and isinstance(files[0], str) and files[0]:
        return collector.picture(files[0], repeats=True)
    return None
