"""Opening a store: what its arrays, its table and its description may not say of one another."""

from __future__ import annotations

import hashlib
import json
import os
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agri_core.files.errors import StoreError
from agri_data.splits.audit import audit
from agri_data.store.store import ChipStore, rewrite_table

Change = Callable[[Path], Any]
IMAGES, MASKS = "images-00000.npy", "masks-00000.npy"


@pytest.fixture
def store(make_store: Callable[..., ChipStore]) -> Path:
    """Six chips of 4 x 4 pixels in 3 bands, 1..288, with masks of classes 0 and 1."""
    images = np.arange(1, 6 * 48 + 1, dtype=np.uint16).reshape(6, 4, 4, 3)
    masks = (images[..., 0] % 2).astype(np.uint8)
    places = [f"10 0 {500000 + 40 * i} 0 -10 5000000" for i in range(6)]
    made = make_store(images, masks, nodata=0.0, crs=["EPSG:32633"] * 6, transform=places)
    return made.path


def header(descr: str = "'<u2'", shape: str = "(6, 4, 4, 3)", order: str = "False") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}".encode()
    text += b" " * (117 - len(text)) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def put(name: str, content: bytes) -> Change:
    return lambda folder: (folder / name).write_bytes(content)


def save(name: str, array: np.ndarray[Any, Any]) -> Change:
    return lambda folder: np.save(folder / name, array)


def edit(*keys: str | int, value: Any) -> Change:
    """Return a change of one value of `dataset.json`."""

    def change(folder: Path) -> None:
        content = json.loads((folder / "dataset.json").read_text())
        inner = content
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value
        (folder / "dataset.json").write_text(json.dumps(content))

    return change


def link(name: str, target: str) -> Change:
    def change(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).symlink_to(target)

    return change


def pipe(name: str) -> Change:
    def change(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return change


DATA = bytes(6 * 4 * 4 * 3 * 2)
ZEROS = np.zeros((6, 4, 4, 3), np.uint16)
NESTED = b"(" * 3000 + b")" * 900 + b"\n"
BAD_ARRAYS: dict[str, Change] = {
    "other size": save(IMAGES, np.zeros((6, 2, 2, 3), np.uint16)),
    "other bands": save(IMAGES, ZEROS[..., :2]),
    "one chip less": save(IMAGES, ZEROS[1:]),
    "flat": put(IMAGES, header(shape="(6,)") + bytes(12)),
    "scalar": put(IMAGES, header(shape="()") + bytes(2)),
    "negative": put(IMAGES, header(shape="(6, -4, -4, 3)") + DATA),
    "no pixels": put(IMAGES, header(shape="(6, 0, 4, 3)")),
    "overflow": put(IMAGES, header(shape="(6, 4294967296, 4294967296, 0)")),
    "huge": put(IMAGES, header(shape="(6, 99999999999, 99999999999, 3)") + DATA),
    "truth for a number": put(IMAGES, header(shape="(True, 4, 4, 3)") + bytes(96)),
    "nested": put(IMAGES, b"\x93NUMPY\x01\x00" + struct.pack("<H", len(NESTED)) + NESTED),
    "long header": put(IMAGES, b"\x93NUMPY\x01\x00\xff\xff" + b" " * 65535),
    "code": put(IMAGES, b"\x93NUMPY\x01\x00\x0f\x00" + b"__import__('o')"),
    "fields": put(IMAGES, header("[('a', '<u2')]") + DATA),
    "empty type": put(IMAGES, header("'|V0'", "(6,)")),
    "dates": put(IMAGES, header("'<M8[s]'") + DATA * 4),
    "complex": save(IMAGES, ZEROS.astype(np.complex64)),
    "text": save(IMAGES, ZEROS.astype("U1")),
    "objects": put(IMAGES, header("'|O'") + DATA * 4),
    "truth values": save(IMAGES, ZEROS.astype(bool)),
    "swapped bytes": save(IMAGES, ZEROS.astype(">u2")),
    "columns first": save(IMAGES, np.asfortranarray(ZEROS)),
    "a byte more": lambda f: (f / IMAGES).write_bytes((f / IMAGES).read_bytes() + b"x"),
    "empty": put(IMAGES, b""),
    "pipe": pipe(IMAGES),
    "device": link(IMAGES, "/dev/zero"),
    "other file": link(IMAGES, "/etc/passwd"),
    "folder": link(IMAGES, "/tmp"),
    "mask of floats": save(MASKS, np.zeros((6, 4, 4), np.float32)),
    "wide mask": save(MASKS, np.zeros((6, 4, 4), np.uint16)),
    "signed mask": save(MASKS, np.zeros((6, 4, 4), np.int8)),
    "small mask": save(MASKS, np.zeros((6, 2, 2), np.uint8)),
    "deep mask": save(MASKS, np.zeros((6, 4, 4, 1), np.uint8)),
}
BAD_RECORDS: dict[str, Change] = {
    "pixel of 0 m": edit("pixel_size", value=0.0),
    "negative pixel": edit("pixel_size", value=-10.0),
    "huge pixel": edit("pixel_size", value=1e30),
    "huge chips": edit("chip_size", value=10**30),
    "other chips": edit("chip_size", value=8),
    "other count": edit("chips", value=7),
    "no arrays": edit("arrays", "images", value=[]),
    "one array twice": edit("arrays", "masks", 0, "file", value=IMAGES),
    "fewer masks": edit("arrays", "masks", 0, "chips", value=5),
    "empty array": edit("arrays", "images", 0, "chips", value=0),
    "masks without legend": edit("legend", value=None),
    "a band twice": edit("bands", 1, "name", value="B02"),
    "long name": edit("name", value="x" * 100_000),
    "half a character": edit("name", value="\ud800"),
    "truth for a number": edit("arrays", "images", 0, "chips", value=True),
    "statistics of others": edit(
        "statistics",
        value={
            "X": dict.fromkeys(("mean", "minimum", "p02", "p98", "maximum"), 1.0)
            | {"std": 0.0, "count": 1}
        },
    ),
    "deep": put("dataset.json", b"[" * 100_000),
    "pipe": pipe("dataset.json"),
    "device": link("dataset.json", "/dev/zero"),
    "table is a pipe": pipe("chips.csv"),
    "table is a device": link("chips.csv", "/dev/zero"),
    "endless table": lambda folder: os.truncate(folder / "chips.csv", 10**10),
}


@pytest.mark.parametrize("change", BAD_ARRAYS.values(), ids=BAD_ARRAYS)
def test_an_array_that_is_not_what_was_recorded_is_refused(store: Path, change: Change) -> None:
    change(store)
    with pytest.raises(StoreError, match=r"000\.npy cannot be read .*build the store again"):
        ChipStore.open(store)


@pytest.mark.parametrize("change", BAD_RECORDS.values(), ids=BAD_RECORDS)
def test_a_record_that_cannot_be_is_refused(store: Path, change: Change) -> None:
    change(store)
    with pytest.raises((StoreError, ValueError), match=r"dataset\.json|chips\.csv|000\.npy"):
        ChipStore.open(store)


def test_links_to_files_are_followed(store: Path) -> None:
    (store / IMAGES).rename(store.parent / "cached")
    (store / IMAGES).symlink_to(store.parent / "cached")
    assert ChipStore.open(store).images([0]).ravel()[:3].tolist() == [1, 2, 3]


def checked(store: Path) -> list[str]:
    """Return what fails, array checksums set aside."""
    found = audit(ChipStore.open(store)).findings
    return [f"{f.check}: {f.detail}" for f in found if f.level == "fail" and f.check != "checksum"]


def retable(folder: Path, **columns: list[Any]) -> None:
    table = ChipStore.open(folder).table.assign(**columns)
    rewrite_table(folder, table, split=None, stats=None)


def with_stats(folder: Path, mean: float, count: int) -> None:
    """Split, and record statistics of values 1..192 (four chips of 48 pixels in 3 bands)."""
    retable(folder, split=["train"] * 4 + ["val", "test"])
    rest = {"std": 55.4, "minimum": 1.0, "p02": 5.0, "p98": 189.0, "maximum": 192.0}
    stats = {name: {"mean": mean, "count": count} | rest for name in ("B02", "B03", "B04")}
    edit("statistics", value=stats)(folder)


CONTRADICTIONS: dict[str, tuple[Change, str]] = {
    "no data": (
        edit("nodata", value=None),
        "",
    ),
    "pixels without data": (
        save(IMAGES, np.concatenate([ZEROS[:1], ZEROS[1:] + 1]).astype(np.uint16)),
        r"valid: 1 chips .* c0000 \(0, not 1\)",
    ),
    "not a number": (
        save(IMAGES, np.full((6, 4, 4, 3), np.nan, np.float32)),
        r"valid: 6 chips .* c0000 \(0, not 1\)",
    ),
    "infinite": (
        save(IMAGES, np.concatenate([ZEROS[:5] + 1, np.full((1, 4, 4, 3), np.inf)])),
        "values: 1 chips hold infinite values",
    ),
    "share": (lambda f: retable(f, valid_fraction=[1.0] * 5 + [0.5]), r"c0005 \(1, not 0.5\)"),
    "pixel": (edit("pixel_size", value=20.0), "pixels are 10 m wide .* 20 m are recorded"),
    "crs": (lambda f: retable(f, crs=["EPSG:999999"] * 6), "place cannot be read: 'EPSG:999999'"),
    "class": (save(MASKS, np.full((6, 4, 4), 9, np.uint8)), r"mask: c0000: values \[9\]"),
    "statistics": (lambda f: with_stats(f, 500.0, 64), "those of B02, B03, B04 are not those"),
    "count": (lambda f: with_stats(f, 95.5, 9), "those of B02, B03, B04 are not those"),
}


@pytest.mark.parametrize(("change", "found"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_check_finds_contradictions(store: Path, change: Change, found: str) -> None:
    assert checked(store) == []
    change(store)
    lines = checked(store)
    if not found:
        assert lines == []
        return
    assert any(re.search(found, line) for line in lines), lines


def test_measured_statistics_do_not_contradict(store: Path) -> None:
    from agri_data.commands.stats import measure_train

    retable(store, split=["train"] * 4 + ["val", "test"])
    measure_train(store)
    assert checked(store) == []
    assert (
        hashlib.sha256((store / "chips.csv").read_bytes()).hexdigest()
        in (store / "dataset.json").read_text()
    )
