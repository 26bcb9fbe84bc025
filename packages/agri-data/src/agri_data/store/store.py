"""The chip store: a folder of memory-mapped arrays, a table and a description (contract 1)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd
from agri_core.bands import band_indices
from agri_core.files.atomic import json_text, scratch_dir
from agri_core.files.errors import InputError, MissingError, StoreError
from agri_core.files.folders import open_plain
from agri_core.files.hashing import sha256_file, sha256_stream, sha256_text
from agri_core.files.ownership import updating_files
from agri_core.legend import Legend
from numpy.typing import ArrayLike, NDArray

from agri_data.store.info import MAX_JSON_BYTES, ArrayFile, BandStats, StoreInfo
from agri_data.store.infofile import parse_info
from agri_data.store.shard import IMAGE_TYPES, MASK_TYPES, Shard
from agri_data.store.table import SPLITS, ChipRecord, parse_table, table_text
from agri_data.store.writer import INFO_FILE, TABLE_FILE, StoreWriter

__all__ = ["ChipRecord", "ChipStore", "StoreInfo", "StoreWriter", "rewrite_table"]

Indices = NDArray[np.int64]
PENDING_FILE = "chips.csv.next"
MAX_TABLE_BYTES = 4 * MAX_JSON_BYTES
"""Of a million chips the table has some 150 MB."""


class ChipStore:
    """A chip store opened for reading; nothing is held in memory but the table.

    Attributes:
        path: the folder.
        info: its description.
        table: a row per chip, in array order (`agri_data.store.table.ChipRecord` has the columns).
    """

    def __init__(self, path: Path, info: StoreInfo, table: pd.DataFrame) -> None:
        self.path, self.info, self.table = path, info, table
        side = (info.chip_size, info.chip_size)
        self._images = _Series(path, info.images, (*side, len(info.bands)), IMAGE_TYPES)
        self._masks = _Series(path, info.masks, side, MASK_TYPES) if info.masks else None

    @classmethod
    def open(cls, path: Path | str) -> ChipStore:
        """Open the store in folder `path`.

        Array checksums are left to `verify`, which reads everything; all else is checked here.

        Raises:
            MissingError: there is no store at `path`.
            StoreError: the store is damaged.
        """
        folder = Path(path)
        info, table = _read_record(folder)
        if len(table) != info.chips:
            raise StoreError(
                f"{folder}: {len(table)} rows in the table, {info.chips} chips in the arrays"
            )
        return cls(folder, info, table)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def bands(self) -> tuple[str, ...]:
        """Band names in array order."""
        return self.info.band_names

    @property
    def legend(self) -> Legend:
        """The classes.

        Raises:
            StoreError: the chips are unlabelled.
        """
        if self.info.legend is None:
            raise StoreError(f"the chips in {self.path} have no labels, so there is no legend")
        return self.info.legend

    @property
    def has_masks(self) -> bool:
        """Whether every chip has a mask of class ids."""
        return self._masks is not None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the content: bands, legend and every array's own SHA-256."""
        parts = [*self.bands, *(item.sha256 for item in (*self.info.images, *self.info.masks))]
        return sha256_text(
            "\n".join([*parts, *(self.info.legend.names if self.info.legend else ())])
        )

    @property
    def split_fingerprint(self) -> str:
        """SHA-256 of which chip is in which split."""
        pairs = zip(self.table["chip_id"], self.table["split"], strict=True)
        return sha256_text("\n".join(f"{chip},{part}" for chip, part in pairs))

    @property
    def label_fingerprint(self) -> str:
        """SHA-256 of which patch has which label; labels lie in the table, not in the arrays."""
        pairs = zip(self.table["chip_id"], self.table["label"], strict=True)
        return sha256_text("\n".join(f"{chip},{label}" for chip, label in pairs))

    def indices(self, split: str | None = None) -> Indices:
        """Return the positions of the chips of a split ("train", "val", "test"), or of all.

        Raises:
            InputError: `split` is no such name.
        """
        if split is None:
            return np.arange(len(self), dtype=np.int64)
        if split not in SPLITS:
            raise InputError(f"a split is one of {', '.join(SPLITS)}, got {split!r}")
        return np.flatnonzero((self.table["split"] == split).to_numpy()).astype(np.int64)

    def image(self, index: int) -> NDArray[np.generic]:
        """Return one chip's image `(H, W, C)` as a read-only view into the file."""
        return self._images.item(index)

    def mask(self, index: int) -> NDArray[np.uint8]:
        """Return one chip's mask `(H, W)` as a read-only view into the file."""
        return self._mask_series().item(index).view(np.uint8)

    def images(self, indices: ArrayLike, bands: Sequence[str] | None = None) -> NDArray[np.generic]:
        """Return a copy of the images `(N, H, W, C)`, `bands` selected by name in that order."""
        found = self._images.take(_as_indices(indices, len(self)))
        if bands is None or tuple(bands) == self.bands:
            return found
        return found[..., band_indices(self.bands, bands, str(self.path))]

    def masks(self, indices: ArrayLike) -> NDArray[np.uint8]:
        """Return a copy of the masks `(N, H, W)`."""
        return self._mask_series().take(_as_indices(indices, len(self))).view(np.uint8)

    def labels(self, indices: ArrayLike) -> Indices:
        """Return the class ids of patch labels, shape `(N,)`.

        Raises:
            StoreError: a chip has no label.
        """
        names = self.table["label"].to_numpy()[_as_indices(indices, len(self))]
        ids = {name: number for number, name in enumerate(self.legend.names)}
        unknown = sorted({str(name) for name in names} - set(ids))
        if unknown:
            raise StoreError(f"{self.path}: chips carry the labels {unknown}, not in the legend")
        return np.array([ids[name] for name in names], np.int64)

    def batches(
        self, split: str | None = None, size: int = 128
    ) -> Iterator[tuple[Indices, NDArray[np.generic]]]:
        """Iterate over a split in order: positions `(N,)` and images `(N, H, W, C)`, N <= size."""
        chosen = self.indices(split)
        for start in range(0, len(chosen), size):
            part = chosen[start : start + size]
            yield part, self.images(part)

    def verify(self) -> list[str]:
        """Return a line per array file whose SHA-256 is not the recorded one; reads everything."""
        return [
            f"{item.file}: its checksum differs from the recorded one, so it was changed or damaged"
            for item in (*self.info.images, *self.info.masks)
            if sha256_file(self.path / item.file) != item.sha256
        ]

    def _mask_series(self) -> _Series:
        if self._masks is None:
            raise StoreError(f"the chips in {self.path} have no masks")
        return self._masks


def rewrite_table(
    path: Path,
    table: pd.DataFrame,
    *,
    split: Mapping[str, Any] | None,
    stats: Mapping[str, BandStats] | None,
) -> None:
    """Replace a store's table, split record and statistics; the arrays stay as they are.

    The new table waits next to the old one until the description names it, so that the store can
    be opened, as it was or as it shall be, wherever this is interrupted. Where other processes may
    change the store, hold it with `agri_core.files.locks.sole_run` from the opening on.

    Raises:
        StoreError: `table` does not list the same chips in the same order.
    """
    store = ChipStore.open(path)
    if list(table["chip_id"]) != list(store.table["chip_id"]):
        raise StoreError(f"the new table for {path} must list the same chips in the same order")
    text = table_text(table)
    info = replace(store.info, split=split, stats=stats, table_sha256=sha256_text(text))
    new = {PENDING_FILE: text, INFO_FILE: json_text(info.to_json()), TABLE_FILE: text}
    with updating_files(path, new):
        _put(path / PENDING_FILE, text)
        _put(path / INFO_FILE, new[INFO_FILE])
        (path / PENDING_FILE).replace(path / TABLE_FILE)


def _put(path: Path, text: str) -> None:
    """Replace a file of the store, whoever wrote it: changing it is this command's purpose."""
    with scratch_dir(path) as folder:
        (folder / path.name).write_text(text, encoding="utf-8")
        (folder / path.name).replace(path)


class _Series:
    """Array files read as one array along the first axis; files are mapped when first used."""

    def __init__(
        self,
        folder: Path,
        files: Sequence[ArrayFile],
        item_shape: tuple[int, ...],
        types: Sequence[np.dtype[Any]],
    ) -> None:
        self._shards = [
            Shard(folder / _plain(item.file), item.chips, item_shape, types) for item in files
        ]
        kinds = {shard.dtype for shard in self._shards}
        if len(kinds) > 1:
            raise StoreError(
                f"the arrays in {folder} are of several types ({', '.join(map(str, kinds))}); "
                "build the store again"
            )
        self._starts = np.cumsum([0, *(item.chips for item in files)])

    def item(self, index: int) -> NDArray[np.generic]:
        shard = int(np.searchsorted(self._starts, index, side="right")) - 1
        return self._shards[shard].view(index - int(self._starts[shard]))

    def take(self, indices: Indices) -> NDArray[np.generic]:
        first = self._shards[0]
        out = np.empty((len(indices), *first.item_shape), first.dtype)
        # The last file that begins at or before each position.
        owner = np.searchsorted(self._starts, indices, side="right") - 1
        for number in np.unique(owner):
            here = owner == number
            rows = indices[here] - self._starts[number]
            part = out if here.all() else np.empty((len(rows), *first.item_shape), first.dtype)
            self._shards[number].read_into(rows, part)
            if part is not out:
                out[here] = part
        return out


def _read_record(folder: Path) -> tuple[StoreInfo, pd.DataFrame]:
    """Read the description and its table, again where another process replaced them meanwhile."""
    text = ""
    while True:
        with _opened(folder / INFO_FILE, MAX_JSON_BYTES) as stream:
            before, text = text, stream.read()
        info = parse_info(text, str(folder / INFO_FILE))
        table = _read_table(folder, info.table_sha256)
        if table is not None:
            return info, table
        if text == before:
            raise StoreError(
                f"{folder / TABLE_FILE} is not the table that {INFO_FILE} was written with: it was "
                "edited by hand or damaged; build the store again"
            )


def _read_table(folder: Path, sha256: str) -> pd.DataFrame | None:
    """Return the table of that hash, the present or the pending one; None where neither is."""
    for name in (TABLE_FILE, PENDING_FILE):
        try:
            with _opened(folder / name, MAX_TABLE_BYTES) as stream:
                if sha256_stream(stream) == sha256:
                    stream.seek(0)
                    return parse_table(stream, folder / TABLE_FILE)
        except MissingError:
            if name == TABLE_FILE:
                raise
    return None


def _plain(name: str) -> str:
    if Path(name).name != name or not name.endswith(".npy"):
        raise StoreError(f"an array file is a plain '.npy' name inside the store, got {name!r}")
    return name


def _as_indices(indices: ArrayLike, count: int) -> Indices:
    rows = np.asarray(indices)
    if rows.size == 0:
        return np.zeros(0, np.int64)
    if not np.issubdtype(rows.dtype, np.integer) or rows.min() < 0 or rows.max() >= count:
        raise IndexError(f"chip positions are whole numbers from 0 to {count - 1}, got {rows!r}")
    return rows.astype(np.int64).ravel()


@contextmanager
def _opened(path: Path, most: int) -> Iterator[TextIO]:
    try:
        with open_plain(path) as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > most:
                raise StoreError(f"{path} is {size} bytes, far more than a store writes")
            yield TextIOWrapper(stream, encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingError(
            f"there is no chip store at {path.parent} ({path.name} is missing); "
            "make one with 'agri-data chips'"
        ) from error
    except UnicodeDecodeError as error:
        raise StoreError(
            f"{path} is not UTF-8 text; the store is damaged, build it again"
        ) from error
