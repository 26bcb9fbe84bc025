"""The chip table: `chips.csv`, a row per chip, in the order of the arrays."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from agri_data.errors import InputError, StoreError

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
        group: chips of one group (a scene, a place) must stay in one part; "" where unknown.
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
_NUMBERS = {"row": "int64", "col": "int64", "valid_fraction": "float64"}


def make_table(records: Iterable[ChipRecord]) -> pd.DataFrame:
    """Return the records as a frame; text columns hold "" and never NaN."""
    rows = [[getattr(record, name) for name in COLUMNS] for record in records]
    return _typed(pd.DataFrame(rows, columns=list(COLUMNS)))


def table_text(table: pd.DataFrame) -> str:
    """Return the table as CSV text."""
    return str(table.to_csv(index=False, columns=list(COLUMNS), lineterminator="\n"))


def parse_table(text: str, where: Path) -> pd.DataFrame:
    """Parse CSV text into a chip table.

    Raises:
        StoreError: a column is missing, a number is not one, or a chip id occurs twice.
    """
    try:
        table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
        missing = [name for name in COLUMNS if name not in table.columns]
        if missing:
            raise StoreError(f"{where} lacks the column {', '.join(missing)}")
        table = _typed(table)
    except (ValueError, pd.errors.ParserError) as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"{where} is not a chip table: {error}") from error
    if table["chip_id"].duplicated().any():
        twice = table.loc[table["chip_id"].duplicated(), "chip_id"].iloc[0]
        raise StoreError(f"{where} holds the chip id {twice!r} twice")
    return table


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    kinds = {name: _NUMBERS.get(name, "object") for name in COLUMNS}
    return table.loc[:, list(COLUMNS)].astype(kinds)
