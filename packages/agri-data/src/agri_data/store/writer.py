"""Writing a chip store as a stream: nothing of it exists until all of it does."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from io import BufferedWriter
from pathlib import Path
from types import TracebackType

import numpy as np
from agri_core.files.atomic import replacing_dir, write_json, write_text
from agri_core.files.errors import InputError, StoreError
from agri_core.files.hashing import sha256_file, sha256_text
from agri_core.legend import IGNORE
from numpy.typing import NDArray

from agri_data.store.info import ArrayFile, StoreInfo
from agri_data.store.table import ChipRecord, make_table, table_text

INFO_FILE = "dataset.json"
TABLE_FILE = "chips.csv"
SHARD_BYTES = 512 * 1024 * 1024

Image = NDArray[np.generic]
Mask = NDArray[np.uint8]


class StoreWriter:
    """Writes chips one by one; a context manager.

    On a clean exit the finished folder takes its place in one rename; on an error, or a kill,
    `path` is as it was before.
    """

    def __init__(self, path: Path, info: StoreInfo, *, shard_bytes: int = SHARD_BYTES) -> None:
        """Prepare to write the store `path`; `info` lacks arrays and the table's hash.

        Args:
            path: the folder to make; an earlier chip store there is replaced at the end.
            info: the description.
            shard_bytes: a new array file is begun when the current one would exceed this.
        """
        self.path = path
        self.info = info
        self._shard_bytes = shard_bytes
        self._stack = contextlib.ExitStack()
        self._records: list[ChipRecord] = []
        self._ids: set[str] = set()
        self._has_masks: bool | None = None

    def __enter__(self) -> StoreWriter:
        folder = self._stack.enter_context(replacing_dir(self.path))
        self._folder = folder
        self._images = self._stack.enter_context(_ArraySeries(folder, "images", self._shard_bytes))
        self._masks = self._stack.enter_context(_ArraySeries(folder, "masks", self._shard_bytes))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        if kind is not None:
            return self._stack.__exit__(kind, error, trace)
        with self._stack:
            self._finish()
        return None

    def add(self, record: ChipRecord, image: Image, mask: Mask | None = None) -> None:
        """Append a chip: image `(H, W, C)` in the source's dtype, mask `(H, W)` uint8 or None.

        Raises:
            InputError: a shape, dtype, label value or id does not fit the store.
        """
        self._check(record, image, mask)
        self._images.append(image)
        if mask is not None:
            self._masks.append(mask)
        self._ids.add(record.chip_id)
        self._records.append(record)

    def __len__(self) -> int:
        return len(self._records)

    def _check(self, record: ChipRecord, image: Image, mask: Mask | None) -> None:
        size, where = self.info.chip_size, f"chip {record.chip_id} of {record.source}"
        expected = (size, size, len(self.info.bands))
        if image.shape != expected:
            raise InputError(f"{where}: expected an image of shape {expected}, got {image.shape}")
        if record.chip_id in self._ids:
            raise InputError(f"{where}: this chip id was added before; ids must be unique")
        if self._has_masks is None:
            self._has_masks = mask is not None
        if self._has_masks != (mask is not None):
            raise InputError(f"{where}: either every chip has a mask or none has")
        if mask is not None:
            self._check_mask(mask, where)
        if record.label and (
            self.info.legend is None or record.label not in self.info.legend.names
        ):
            raise InputError(f"{where}: its label {record.label!r} is not in the legend")

    def _check_mask(self, mask: Mask, where: str) -> None:
        size, legend = self.info.chip_size, self.info.legend
        if mask.shape != (size, size) or mask.dtype != np.uint8:
            raise InputError(
                f"{where}: expected a uint8 mask of shape {(size, size)}, "
                f"got {mask.dtype} {mask.shape}"
            )
        if legend is None:
            raise InputError(f"{where}: it has a mask but the store has no legend")
        values = np.flatnonzero(np.bincount(mask.ravel(), minlength=256))
        wrong = [int(v) for v in values if v >= len(legend) and v != IGNORE]
        if wrong:
            raise InputError(
                f"{where}: label values {wrong} are not in the legend "
                f"(0..{len(legend) - 1}, {IGNORE} = ignore)"
            )

    def _finish(self) -> None:
        if not self._records:
            raise StoreError(f"no chip was written to {self.path}; a store holds at least one")
        text = table_text(make_table(self._records))
        info = replace(
            self.info,
            images=self._images.finish(),
            masks=self._masks.finish(),
            table_sha256=sha256_text(text),
        )
        write_text(self._folder / TABLE_FILE, text)
        write_json(self._folder / INFO_FILE, info.to_json())


class _ArraySeries:
    """A series of `.npy` files `<stem>-NNNNN.npy`, each `(N, ...)`, appended to item by item."""

    def __init__(self, folder: Path, stem: str, shard_bytes: int) -> None:
        self._folder, self._stem, self._limit = folder, stem, shard_bytes
        self._files: list[ArrayFile] = []
        self._stream: BufferedWriter | None = None
        self._count = 0
        self._shape: tuple[int, ...] = ()
        self._dtype: np.dtype[np.generic] | None = None

    def __enter__(self) -> _ArraySeries:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()

    def append(self, item: Image) -> None:
        if self._dtype is None:
            self._shape, self._dtype = item.shape, item.dtype
        if item.dtype != self._dtype:
            raise InputError(
                f"every chip has one dtype: the first had {self._dtype}, this one has {item.dtype}"
            )
        if self._stream is not None and (self._count + 1) * item.nbytes > self._limit:
            self._close_shard()
        if self._stream is None:
            self._stream = (self._folder / self._name()).open("wb")
            self._write_header()
        self._stream.write(np.ascontiguousarray(item).data)
        self._count += 1

    def finish(self) -> tuple[ArrayFile, ...]:
        if self._stream is not None:
            self._close_shard()
        return tuple(self._files)

    def _name(self) -> str:
        return f"{self._stem}-{len(self._files):05d}.npy"

    def _close_shard(self) -> None:
        assert self._stream is not None
        self._stream.seek(0)
        self._write_header()
        self._stream.close()
        self._stream = None
        name = self._name()
        self._files.append(ArrayFile(name, self._count, sha256_file(self._folder / name)))
        self._count = 0

    def _write_header(self) -> None:
        # NumPy pads the header so that the first axis can grow in place, so writing it again
        # with the final count keeps its length.
        assert self._stream is not None
        assert self._dtype is not None
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self._count, *self._shape),
        }
        np.lib.format.write_array_header_1_0(self._stream, header)
