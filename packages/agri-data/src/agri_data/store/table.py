"""The chip table: `chips.csv`, a row per chip, in the order of the arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TextIO

import pandas as pd
from agri_core.files.errors import InputError, StoreError

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
        StoreError: a column is missing, a number is not one, or a chip id occurs twice.
    """
    try:
        # Each column at once as what it shall be: of 200,000 rows even one copy weighs.
        table = pd.read_csv(stream, dtype=KINDS | {FRACTION: "object"}, keep_default_na=False)
        missing = [name for name in COLUMNS if name not in table.columns]
        if missing:
            raise StoreError(f"{where} lacks the column {', '.join(missing)}")
        # Not every pandas reads a float to the last digit by itself.
        table[FRACTION] = table[FRACTION].astype("float64")
    except (ValueError, OverflowError) as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"{where} is not a chip table: {error}") from error
    twice = table["chip_id"][table["chip_id"].duplicated()]
    if len(twice):
        raise StoreError(f"{where} holds the chip id {twice.iloc[0]!r} twice")
    return table if tuple(table.columns) == COLUMNS else table[list(COLUMNS)]
