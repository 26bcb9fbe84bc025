"""The chip store under damage, kills and growth."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import agri_data.store.store
import numpy as np
import pytest
from agri_core.bands import make_bands
from agri_core.files.errors import InputError, MissingError, StoreError
from agri_core.files.ownership import check_folder
from agri_core.legend import ARABLE
from agri_data.store.store import ChipRecord, ChipStore, StoreInfo, StoreWriter, rewrite_table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

MakeStore = Callable[..., ChipStore]


def numbered(count: int, size: int = 4, bands: int = 3) -> NDArray[np.uint16]:
    """Chip i, row r, column c, band b hold their own number."""
    shape = (count, size, size, bands)
    return np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)


def write(path: Path, images: NDArray[Any], shard_bytes: int = 1 << 29) -> ChipStore:
    info = StoreInfo("t", "made", "CC0", make_bands(["B02", "B03", "B04"], "dn"), images.shape[1])
    with StoreWriter(path, info, shard_bytes=shard_bytes) as writer:
        for number, image in enumerate(images):
            writer.add(ChipRecord(f"c{number}", "f.tif"), image)
    return ChipStore.open(path)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    indices=st.lists(st.integers(0, 22), max_size=40),
    per_shard=st.integers(1, 23),
)
def test_random_access_gives_what_was_written(
    tmp_path: Path, indices: list[int], per_shard: int
) -> None:
    images = numbered(23)
    store = write(tmp_path / "s", images, shard_bytes=per_shard * images[0].nbytes)
    assert (store.images(indices) == images[indices]).all()
    assert store.images(indices).shape == (len(indices), 4, 4, 3)
    assert (store.images(indices, ["B04", "B02"]) == images[indices][..., [2, 0]]).all()
    for index in indices:
        assert (store.image(index) == images[index]).all()


def test_masks_follow_their_images(make_store: MakeStore) -> None:
    masks = (numbered(5, bands=1)[..., 0] % 2).astype(np.uint8)
    masks[2, 0, 0] = 255
    store = make_store(numbered(5), masks)
    assert (store.masks([4, 2]) == masks[[4, 2]]).all()
    assert store.masks([2])[0, 0, 0] == 255


@pytest.mark.parametrize("index", [-1, 23, 10**9])
def test_an_index_outside_is_refused(tmp_path: Path, index: int) -> None:
    store = write(tmp_path / "s", numbered(23))
    with pytest.raises(IndexError, match="0 to 22"):
        store.images([index])


BUILDER = """
import sys, time
from pathlib import Path
import numpy as np
from agri_core.bands import make_bands
from agri_data.store.store import ChipRecord, StoreInfo, StoreWriter

info = StoreInfo("new", "made", "CC0", make_bands(["B02", "B03", "B04"], "dn"), 32)
with StoreWriter(Path(sys.argv[1]), info) as writer:
    for number in range(10_000):
        writer.add(ChipRecord(f"c{number}", "f.tif"), np.full((32, 32, 3), number, np.uint16))
        if number == 200:
            print("writing", flush=True)
        if number > 200:
            time.sleep(0.01)  # so that the kill comes amid the build, however slow the test is
"""


@pytest.mark.parametrize("before", [False, True])
def test_a_kill_amid_building_leaves_what_was_there(tmp_path: Path, before: bool) -> None:
    target = tmp_path / "s"
    old = write(target, numbered(3)).fingerprint if before else ""
    run = subprocess.Popen([sys.executable, "-c", BUILDER, str(target)], stdout=subprocess.PIPE)
    assert run.stdout is not None
    assert run.stdout.readline() == b"writing\n"
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stdout.close()
    if before:
        assert ChipStore.open(target).fingerprint == old
    else:
        assert not target.exists()
        with pytest.raises(MissingError, match="no chip store"):
            ChipStore.open(target)
    # And the next run is not disturbed by what the killed one left beside it.
    assert len(write(target, numbered(4))) == 4


def test_an_error_amid_building_leaves_no_trace(tmp_path: Path) -> None:
    info = StoreInfo("t", "made", "CC0", make_bands(["B02"], "dn"), 4)

    def build() -> None:
        with StoreWriter(tmp_path / "s", info) as writer:
            writer.add(ChipRecord("a", "f"), numbered(1, bands=1)[0])
            writer.add(ChipRecord("a", "f"), numbered(1, bands=1)[0])

    with pytest.raises(InputError, match="added before"):
        build()
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_array_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "s", numbered(23))
    file = tmp_path / "s" / "images-00000.npy"
    os.truncate(file, file.stat().st_size - 1)
    with pytest.raises(StoreError, match="truncated"):
        ChipStore.open(tmp_path / "s").images([0])


def test_a_flipped_bit_is_found_by_verify(tmp_path: Path) -> None:
    assert write(tmp_path / "s", numbered(23)).verify() == []
    file = tmp_path / "s" / "images-00000.npy"
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(content)
    assert [line.split(":")[0] for line in ChipStore.open(tmp_path / "s").verify()] == [file.name]


@pytest.mark.parametrize("name", ["dataset.json", "chips.csv", "images-00000.npy"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    write(tmp_path / "s", numbered(3))
    (tmp_path / "s" / name).unlink()
    with pytest.raises((MissingError, StoreError), match=name):
        ChipStore.open(tmp_path / "s").images([0])


def test_a_table_edited_by_hand_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "s", numbered(3))
    table = tmp_path / "s" / "chips.csv"
    table.write_text(table.read_text().replace("c1,", "c9,"))
    with pytest.raises(StoreError, match=r"chips\.csv"):
        ChipStore.open(tmp_path / "s")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema": 99}', '{"schema": 1}', "\x00"])
def test_a_garbled_description_is_refused(tmp_path: Path, content: str) -> None:
    write(tmp_path / "s", numbered(3))
    (tmp_path / "s" / "dataset.json").write_text(content)
    with pytest.raises(StoreError, match=r"dataset\.json"):
        ChipStore.open(tmp_path / "s")


@pytest.mark.parametrize("file", ["../outside.npy", "/etc/passwd", "images.txt"])
def test_an_array_outside_the_store_is_refused(tmp_path: Path, file: str) -> None:
    write(tmp_path / "s", numbered(3))
    path = tmp_path / "s" / "dataset.json"
    content = json.loads(path.read_text())
    content["arrays"]["images"][0]["file"] = file
    path.write_text(json.dumps(content))
    with pytest.raises(StoreError, match=r"plain '\.npy' name"):
        ChipStore.open(tmp_path / "s")


def test_a_pickled_array_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "s", numbered(3))
    np.save(tmp_path / "s" / "images-00000.npy", np.array([{}, {}, {}], object))
    with pytest.raises(StoreError, match="cannot be read"):
        ChipStore.open(tmp_path / "s").images([0])


def test_a_foreign_folder_is_neither_read_nor_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "chapter.txt").write_text("mine")
    with pytest.raises(MissingError, match="no chip store"):
        ChipStore.open(folder)
    with pytest.raises(InputError, match=r"was not written by"):
        write(folder, numbered(3))
    assert (folder / "chapter.txt").read_text() == "mine"


def test_a_rewritten_table_keeps_the_arrays(make_store: MakeStore) -> None:
    store = make_store(numbered(6))
    before = store.fingerprint
    table = store.table.assign(split=["train", "val", "test"] * 2)
    rewrite_table(store.path, table, split={"method": "random"}, stats=None)
    again = ChipStore.open(store.path)
    assert again.indices("val").tolist() == [1, 4]
    assert again.fingerprint == before
    assert again.split_fingerprint != store.split_fingerprint
    with pytest.raises(StoreError, match="same chips in the same order"):
        rewrite_table(store.path, table.iloc[::-1], split=None, stats=None)


@pytest.mark.parametrize("failing", ["scratch_dir", "json_text", "replace"])
def test_an_interrupted_rewrite_leaves_a_store_that_opens(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    store = make_store(numbered(2))
    table = store.table.assign(split=["train", "val"])

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    replace = Path.replace
    with monkeypatch.context() as patch:
        if failing == "replace":
            pending = store.path / agri_data.store.store.PENDING_FILE
            patch.setattr(Path, "replace", lambda p, to: stop() if p == pending else replace(p, to))
        else:
            patch.setattr(agri_data.store.store, failing, stop)
        with pytest.raises(KeyboardInterrupt):
            rewrite_table(store.path, table, split={"method": "random"}, stats=None)
    found = list(ChipStore.open(store.path).table["split"])
    assert found == (["train", "val"] if failing == "replace" else list(store.table["split"]))
    rewrite_table(store.path, table, split={"method": "random"}, stats=None)
    assert list(ChipStore.open(store.path).table["split"]) == ["train", "val"]
    check_folder(store.path)  # may be replaced all the same


def test_a_file_cut_short_while_open_is_an_error(make_store: MakeStore) -> None:
    store = make_store(numbered(6))
    file = store.path / store.info.images[0].file
    with file.open("rb+") as stream:
        stream.truncate(file.stat().st_size - 1)
    with pytest.raises(StoreError, match="shorter"):
        store.images([5])


def test_labels_outside_the_legend_are_refused(tmp_path: Path) -> None:
    info = StoreInfo("t", "made", "CC0", make_bands(["B02"], "dn"), 4, legend=ARABLE)

    def build(label: str, value: int) -> None:
        mask = np.full((4, 4), value, np.uint8)
        with StoreWriter(tmp_path / "s", info) as writer:
            writer.add(ChipRecord("a", "f", label=label), numbered(1, bands=1)[0], mask)

    with pytest.raises(InputError, match="'moor' is not in the legend"):
        build("moor", 0)
    with pytest.raises(InputError, match=r"\[2\] are not in the legend"):
        build("", 2)


READER = """
import resource, sys
import numpy as np
from agri_data.store.store import ChipStore

store = ChipStore.open(sys.argv[1])
rng = np.random.default_rng(0)
for _ in range(2):
    order = rng.permutation(len(store))
    for first in range(0, len(order), 64):
        store.images(order[first : first + 64]).sum()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_set(tmp_path: Path) -> None:
    peaks = []
    for factor in (1, 10):
        images = np.zeros((400 * factor, 64, 64, 4), np.uint16)
        path = write_quickly(tmp_path / f"x{factor}", images)
        run = subprocess.run(
            [sys.executable, "-c", READER, str(path)], capture_output=True, text=True, check=True
        )
        peaks.append(int(run.stdout))
    # 13 MB of chips against 131 MB, each read twice
    assert peaks[1] < 1.2 * peaks[0]


def write_quickly(path: Path, images: NDArray[Any]) -> Path:
    bands = make_bands(["B02", "B03", "B04", "B08"], "dn")
    info = StoreInfo("t", "made", "CC0", bands, images.shape[1])
    with StoreWriter(path, info) as writer:
        for number, image in enumerate(images):
            writer.add(ChipRecord(f"c{number}", "f.tif"), image)
    return path


def test_opening_a_large_store_is_quick(tmp_path: Path) -> None:
    path = write_quickly(tmp_path / "s", np.zeros((20_000, 2, 2, 4), np.uint8))
    start = time.perf_counter()
    ChipStore.open(path)
    assert time.perf_counter() - start < 3
