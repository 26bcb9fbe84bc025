"""The chip table as text and back."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from agri_core.files.errors import StoreError
from agri_core.files.hashing import sha256_stream, sha256_text
from agri_data.store.store import ChipStore
from agri_data.store.table import COLUMNS, KINDS, ChipRecord, make_table, parse_table, table_text

WHERE = Path("here/chips.csv")
RECORDS = (
    ChipRecord("007", "a, b.tif", 3, 4, "EPSG:32633", "10 0 5 0 -10 7", "NA", "", "train", 0.1),
    ChipRecord("nan", 'say "x".tif', label="null", group="1.0", valid_fraction=1 / 3),
    ChipRecord("Äcker zwei", "1e5\n=1+1", split="test", valid_fraction=0.1 + 0.2),
)


def test_a_table_comes_back_as_it_was() -> None:
    table = make_table(RECORDS)
    again = parse_table(io.StringIO(table_text(table)), WHERE)
    pd.testing.assert_frame_equal(again, table, check_exact=True)
    assert {name: str(kind) for name, kind in again.dtypes.items()} == KINDS
    assert all(type(value) is str for value in again["label"])


@pytest.mark.parametrize(
    "columns", [COLUMNS[::-1], (*COLUMNS, "extra"), [f"c{n}" for n in range(100_000)]]
)
def test_other_columns_are_refused(columns: Sequence[str]) -> None:
    text = ",".join(columns) + "\n" + ",".join("1" for _ in columns) + "\n"
    with pytest.raises(StoreError, match="its columns must be chip_id,source,row,col,crs,"):
        parse_table(io.StringIO(text), WHERE)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("source", "origin", "its columns must be chip_id,source,"),
        ("007", "../007", "row 3 .*a chip id is a file name"),
        ("007", "a\\\\b", "row 3 .*a chip id is a file name"),
        ("007", "=1+1", "row 3 .*a chip id is a file name"),
        ("007", "a\x1b[31m", "row 3 .*a chip id is a file name"),
        ("train", "moon", "row 3 .*a split is one of train, val, test"),
        (",0.1\n", ",nan\n", "row 3 .*valid_fraction is between 0 and 1"),
        (",0.1\n", ",9\n", "row 3 .*valid_fraction is between 0 and 1"),
        ("10 0 5 0 -10 7", "10 0 5 0 -10", "row 3 .*six finite numbers"),
        ("10 0 5 0 -10 7", "ten 0 5 0 -10 7", "row 3 .*six finite numbers"),
        ("10 0 5 0 -10 7", "10 0 inf 0 -10 7", "row 3 .*six finite numbers"),
        ("10 0 5 0 -10 7", "10 0 5 0 0 7", "row 3 .*pixels without an area"),
        ("EPSG:32633", "x" * 30_000, "row 3 .*a CRS is a code"),
        ("EPSG:32633", f"GEOGCS[{'x' * 30_000}]", "row 3 .*a CRS is a code"),
        ("EPSG:32633", "http://127.0.0.1:9/crs", "row 3 .*a CRS is a code"),
        ("EPSG:32633", "/etc/passwd", "row 3 .*a CRS is a code"),
        ("007", "nan", "holds the chip id 'nan' twice"),
        (",3,4,", ",3.5,4,", "is not a chip table: "),
        (",3,4,", ",three,4,", "is not a chip table: .*three"),
        (",3,4,", ",,4,", "is not a chip table: "),
        (",3,4,", f",{10**30},4,", "is not a chip table: "),
        (",3,4,", ",3,4,5,6,", "is not a chip table: "),
        (",0.1\n", ",much\n", "is not a chip table: .*much"),
    ],
)
def test_a_wrong_table_is_refused(old: str, new: str, message: str) -> None:
    records = [RECORDS[1], RECORDS[0]]
    text = table_text(make_table(records))
    assert old in text
    with pytest.raises(StoreError, match=message):
        parse_table(io.StringIO(text.replace(old, new, 1)), WHERE)


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(StoreError, match="is not a chip table"):
        parse_table(io.StringIO(""), WHERE)


def test_windows_line_ends_are_the_same_table(make_store) -> None:
    store = make_store(np.zeros((3, 2, 2, 2), np.uint16))
    file = store.path / "chips.csv"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    pd.testing.assert_frame_equal(ChipStore.open(store.path).table, store.table)


def test_the_hash_of_a_stream_is_that_of_its_text() -> None:
    text = "Äcker, " * 200_000
    assert sha256_stream(io.StringIO(text)) == sha256_text(text)


def test_reading_takes_little_more_than_the_table() -> None:
    scene = ("scene.tif", 64, 64, "EPSG:32633", "10 0 300000 0 -10 5000000", "", "s", "val", 1.0)
    text = table_text(make_table(ChipRecord(f"chip-{n}", *scene) for n in range(20_000)))
    stream = io.StringIO(text)
    parse_table(io.StringIO(text), WHERE)  # what pandas imports on the first call is not counted
    tracemalloc.start()
    table = parse_table(stream, WHERE)
    now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(table) == 20_000
    assert peak < 1.5 * now
