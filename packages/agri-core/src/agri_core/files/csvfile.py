"""Small CSV tables, whole in memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from agri_core.files.errors import InputError, MissingError


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read a table with a header as a mapping per row.

    Raises:
        MissingError: there is no such file.
        InputError: it is not CSV in UTF-8.
    """
    if not path.is_file():
        raise MissingError(f"there is no table {path}")
    try:
        return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not a CSV table in UTF-8 ({error})") from error


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table as text; None is an empty cell.

    Example:
        >>> print(csv_text(["class", "hectares"], [["arable", 12.5], ["water", None]]), end="")
        class,hectares
        arable,12.5
        water,
    """
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return sink.getvalue()
