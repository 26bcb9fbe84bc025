"""Reader of the CSV of VIA 1 and 2: one row per region, or one for a picture without any."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agri_core.files.errors import InputError

from agri_annotate.choices import Form
from agri_annotate.formats.readers.attributes import read_values
from agri_annotate.formats.readers.collector import Collector, Draft
from agri_annotate.formats.readers.decode import parse_csv, parse_json
from agri_annotate.formats.readers.geometry import from_object
from agri_annotate.formats.readers.values import Notes, brief, whole
from agri_annotate.model.project import Problem, Project, Severity
from agri_annotate.model.shape import Shape

COLUMNS = (
    "filename", "file_size", "file_attributes", "region_count", "region_id",
    "region_shape_attributes", "region_attributes",
)  # fmt: skip
NEEDED = ("filename", "region_shape_attributes", "region_attributes")

# VIA 2 writes a bare `undefined` for a radio or dropdown that nobody answered; in a text it stays.
_UNDEFINED = re.compile(r'(?P<text>"(?:[^"\\]|\\.)*")|\bundefined\b')


@dataclass(slots=True)
class _RowCount:
    """Declared and found regions of a picture, and its last attribute cell."""

    declared: int = 0
    seen: int = 0
    cell: str = ""


def read_via_csv(text: str, form: Form, source: str) -> tuple[Project, list[Problem]]:
    """Read rows under a header with at least the columns `NEEDED`, in any order.

    VIA does not quote a picture's name, so a name with commas makes too many fields; under VIA's
    own header the surplus fields belong to the name. A picture with fewer rows than its
    `region_count` was truncated, which is reported.
    """
    collector = Collector(source)
    counts: dict[tuple[str, int | None], _RowCount] = defaultdict(_RowCount)
    for line, row in _rows(text, collector):
        _read_row(line, row, collector, counts)
    for (name, _), count in counts.items():
        if count.seen < count.declared:
            what = f"region_count declares {count.declared} regions, the file has {count.seen}"
            collector.report(Draft(name, None).label, what)
    return Project(form, collector.pictures()), collector.problems


def _rows(text: str, collector: Collector) -> Iterator[tuple[int, dict[str, str]]]:
    rows = parse_csv(text)
    _, header = next(rows)
    columns = [name.strip().removeprefix("#") for name in header]
    missing = [name for name in NEEDED if name not in columns]
    if missing or len(set(columns)) < len(columns):
        raise InputError(f"the header should be {','.join(COLUMNS)}; got {brief(','.join(header))}")
    for line, row in rows:
        extra = len(row) - len(columns)
        if extra > 0 and tuple(columns) == COLUMNS:
            row = [",".join(row[: extra + 1]), *row[extra + 1 :]]
        if len(row) == len(columns):
            yield line, dict(zip(columns, row, strict=True))
        else:
            what = f"line {line} has {len(row)} fields, expected {len(columns)}"
            collector.report(collector.source, what)


def _read_row(
    line: int,
    row: dict[str, str],
    collector: Collector,
    counts: dict[tuple[str, int | None], _RowCount],
) -> None:
    name = row["filename"]
    if not name:
        collector.report(collector.source, f"line {line} names no picture")
        return
    draft = collector.picture(name, whole(row.get("file_size")), repeats=True)
    count = counts[draft.name, draft.size]
    count.declared = max(count.declared, whole(row.get("region_count")) or 0)
    if (cell := row.get("file_attributes", "")) != count.cell:
        _read_file_attributes(cell, line, draft, collector)
        count.cell = cell
    cells = row["region_shape_attributes"].strip(), row["region_attributes"].strip()
    if all(cell in ("", "{}") for cell in cells):
        return
    count.seen += 1
    _read_region(*cells, line, draft, collector)


def _read_region(shape: str, raw: str, line: int, draft: Draft, collector: Collector) -> None:
    notes: Notes = []
    attributes = read_values(_cell(raw, "region_attributes", line, notes, "lost"), notes)

    def draw(cell: Any, notes: Notes) -> Shape:
        try:
            content = parse_json(cell)
        except InputError as error:
            raise InputError(f"line {line}, region_shape_attributes: {error}") from error
        return from_object(content, notes)

    collector.region(draft, draw, shape, attributes, notes)


def _read_file_attributes(cell: str, line: int, draft: Draft, collector: Collector) -> None:
    notes: Notes = []
    content = _cell(cell, "file_attributes", line, notes, "changed")
    draft.attributes.update(read_values(content, notes))
    collector.report_all(draft.label, notes)


def _cell(cell: str, column: str, line: int, notes: Notes, severity: Severity) -> Any:
    if not cell.strip():
        return None
    try:
        return parse_json(_UNDEFINED.sub(_absent, cell) if "undefined" in cell else cell)
    except InputError as error:
        notes.append((f"line {line}, {column} is left out: {error}", severity))
        return None


def _absent(match: re.Match[str]) -> str:
    return match["text"] or "null"
