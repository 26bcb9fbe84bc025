"""The chip table: `chips.csv`, a row per chip, in the order of the arrays."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd
from agri_core.files.errors import InputError, StoreError
from agri_core.files.values import shown

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class ChipRecord:
    """One chip's row.

    Attributes:
        chip_id: unique in the store.
        source: the file or scene the chip was cut from.
        row: of the chip's upper edge in the source, in pixels.
        col: of the chip's left edge in the source, in pixels.
        crs: coordinate reference system ("EPSG:32633" or WKT), "" where there is none.
        transform: six numbers "a b c d e f" of the CHIP's affine transform, "" without one.
        label: class name of a patch data set, "" for chips with masks or without labels.
        group: chips of one group (a scene, a place) must stay in one split; "" where unknown.
        split: "train", "val", "test", or "" (not assigned).
        valid_fraction: share of pixels with data, 0..1.
    """

    chip_id: str
    source: str
    row: int = 0
    col: int = 0
    crs: str = ""
    transform: str = ""
    label: str = ""
    group: str = ""
    split: str = ""
    valid_fraction: float = 1.0

    def __post_init__(self) -> None:
        if not self.chip_id:
            raise InputError(f"a chip of {self.source} has no id")
        if not _is_id(self.chip_id):
            raise InputError(f"chip {shown(self.chip_id)} of {self.source}: {ID_RULE}")
        if self.split not in ("", *SPLITS):
            raise InputError(
                f"chip {self.chip_id}: split is one of {SPLITS} or '', got {self.split!r}"
            )
        if not 0 <= self.valid_fraction <= 1:
            raise InputError(
                f"chip {self.chip_id}: valid_fraction is between 0 and 1, got {self.valid_fraction}"
            )


COLUMNS = tuple(item.name for item in fields(ChipRecord))
FRACTION = "valid_fraction"
KINDS = dict.fromkeys(COLUMNS, "object") | {"row": "int64", "col": "int64", FRACTION: "float64"}


ID_RULE = (
    "a chip id is a file name without '/' or '\\', of up to 200 printable characters, that does "
    "not begin with one of = + - @ ."
)
_ID = re.compile(r"[^/\\=+\-@.][^/\\]{0,199}")
CRS_RULE = "a CRS is a code such as EPSG:32633, or WKT of up to 20,000 characters"
# Of any other text GDAL would open the file of that name, or ask the network for the address.
_CRS = re.compile(r"|\w{1,20}:\w{1,20}|(?=.{1,20000}$)[A-Z_]+\[.*\]", re.DOTALL)


def make_table(records: Iterable[ChipRecord]) -> pd.DataFrame:
    """Return the records as a frame; text columns hold "" and never NaN."""
    rows = [[getattr(record, name) for name in COLUMNS] for record in records]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(KINDS)


def table_text(table: pd.DataFrame) -> str:
    """Return the table as CSV text."""
    return str(table.to_csv(index=False, columns=list(COLUMNS), lineterminator="\n"))


def parse_table(stream: TextIO, where: Path) -> pd.DataFrame:
    """Read CSV text into a chip table; nothing but the table is ever held.

    Raises:
        StoreError: it has other columns, a value is none of its column, or a chip id occurs twice.
    """
    _check_header(stream, where)
    try:
        # Each column at once as what it shall be: of 200,000 rows even one copy weighs.
        table = pd.read_csv(stream, dtype=KINDS | {FRACTION: "object"}, keep_default_na=False)
        # Not every pandas reads a float to the last digit by itself.
        table[FRACTION] = table[FRACTION].astype("float64")
    except (ValueError, OverflowError) as error:
        raise StoreError(f"{where} is not a chip table: {error}") from error
    twice = table["chip_id"][table["chip_id"].duplicated()]
    if len(twice):
        raise StoreError(f"{where} holds the chip id {twice.iloc[0]!r} twice")
    _check_values(table, where)
    return table


def transform_fault(text: str) -> str:
    """Return what is wrong with a chip's transform, "" if nothing is or there is none."""
    if not text:
        return ""
    try:
        numbers = [float(part) for part in text.split()]
    except ValueError:
        numbers = []
    if len(numbers) != 6 or not all(map(math.isfinite, numbers)):
        return f"a transform is six finite numbers 'a b c d e f', got {shown(text)}"
    a, b, _, d, e, _ = numbers
    area = a * e - b * d
    if not math.isfinite(area) or area == 0:
        return f"the transform {shown(text)} makes pixels without an area"
    return ""


def _check_header(stream: TextIO, where: Path) -> None:
    """Refuse other columns before anything is read: a million of them would take the memory."""
    header = ",".join(COLUMNS)
    line = stream.readline(len(header) + 2)
    stream.seek(0)
    if line.rstrip("\n") != header:
        raise StoreError(f"{where} is not a chip table: its columns must be {header}")


def _check_values(table: pd.DataFrame, where: Path) -> None:
    fraction = table[FRACTION].to_numpy()
    faults = {
        ID_RULE: ~np.array([_is_id(name) for name in table["chip_id"]], bool),
        f"a split is one of {', '.join(SPLITS)} or empty": ~table["split"].isin(["", *SPLITS]),
        "valid_fraction is between 0 and 1": ~((fraction >= 0) & (fraction <= 1)),
    }
    systems = [text for text in table["crs"].unique() if not _CRS.fullmatch(text)]
    faults |= {CRS_RULE: table["crs"].isin(systems)} if systems else {}
    wrong = {text: transform_fault(text) for text in table["transform"].unique()}
    faults |= {fault: table["transform"] == text for text, fault in wrong.items() if fault}
    for rule, found in faults.items():
        if np.any(found):
            row = int(np.argmax(np.asarray(found)))
            name = shown(table["chip_id"].iloc[row])
            raise StoreError(f"{where}, row {row + 2} (chip {name}): {rule}")


def _is_id(name: str) -> bool:
    return name.isprintable() and _ID.fullmatch(name) is not None
