"""Labelled patches: a split of a chip store, or a folder of class folders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from agri_core.evaluation.familiarity import Familiarity, Origin, compare_origins, unrecorded
from agri_core.files.errors import InputError, MissingError
from agri_core.files.folders import files_in
from agri_core.files.junk import is_junk
from numpy.typing import NDArray

from agri_classify.patches.patch import ENDINGS, Patch
from agri_classify.patches.reading import BATCH_SIZE, read_batches

if TYPE_CHECKING:
    from agri_data.store.store import ChipStore
    from agri_map.bundle.spec import BundleSpec


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of labelled patches.

    Attributes:
        names: of the patches.
        places: number of the place of each patch, `(N,)`; one place per patch if unknown.
        images: `(N, H, W, C)`, in the bands and unit of the model.
        valid: `(N, H, W)`.
        truth: class ids of the model's legend, `(N,)`.
    """

    names: list[str]
    places: NDArray[np.int64]
    images: NDArray[Any]
    valid: NDArray[np.bool_]
    truth: NDArray[np.int64]


class Labelled:
    """Patches of a store or a folder, a batch at a time.

    Attributes:
        name: of the split, or of the folder.
        unit: what a place is, in words.
        count: of the patches.
        errors: files that could not be read.
    """

    def __init__(self, data: Path | ChipStore, spec: BundleSpec, split: str = "") -> None:
        """Open a folder or a store; `split` is the split of a store, all of it when empty.

        Raises:
            MissingError: the path does not exist.
            InputError: classes, bands or unit do not match the model.
        """
        self.path, self.store = _open(data)
        self.spec, self.split = spec, split
        self.errors: list[str] = []
        self.name = split if self.store is not None else self.path.resolve().name
        self.unit = "patch"
        if self.store is None:
            self._files = _class_files(self.path, spec)
            self.count = len(self._files)
        else:
            from agri_data.splits.resample import find_places

            _check_store(self.store, spec)
            places = find_places(self.store)
            self._places, self.unit = places.numbers, places.kind
            self._rows = self.store.indices(split or None)
            self.count = len(self._rows)
        if self.count == 0:
            part = f" in its {split} split" if split else ""
            raise MissingError(f"{self.path} has no patch{part}")

    @property
    def familiarity(self) -> Familiarity:
        """Whether the patches taught the model."""
        if self.store is None:
            return unrecorded("picture")
        return compare_origins(
            Origin(self.spec.dataset, self.spec.split),
            Origin(self.store.fingerprint, self.store.split_fingerprint),
            self.split,
            noun="patch",
            method=str((self.store.info.split or {}).get("method", "")),
        )

    def batches(self, size: int = BATCH_SIZE) -> Iterator[Batch]:
        """Yield all patches in order."""
        if self.store is not None:
            for first in range(0, self.count, size):
                yield self._from_store(self.store, self._rows[first : first + size])
            return
        first = 0
        for found in read_batches([path for path, _ in self._files], self.spec, size=size):
            yield from self._from_files(first, found)
            first += len(found)

    def _from_store(self, store: ChipStore, rows: NDArray[np.int64]) -> Batch:
        from agri_core.raster.validity import chip_validity

        images, table = store.images(rows, self.spec.bands), store.table.iloc[rows]
        truth = np.array([self.spec.legend.index(label) for label in table["label"]], np.int64)
        return Batch(
            table["chip_id"].tolist(), self._places[rows], images,
            chip_validity(images, store.info.nodata), truth,
        )  # fmt: skip

    def _from_files(self, first: int, found: list[Patch | str]) -> Iterator[Batch]:
        patches = {first + i: item for i, item in enumerate(found) if isinstance(item, Patch)}
        self.errors += [item for item in found if isinstance(item, str)]
        if not patches:
            return
        files = [self._files[number] for number in patches]
        yield Batch(
            [path.relative_to(self.path).as_posix() for path, _ in files],
            np.array(list(patches), np.int64),
            np.stack([patch.image for patch in patches.values()]),
            np.stack([patch.valid for patch in patches.values()]),
            np.array([truth for _, truth in files], np.int64),
        )


def _open(data: Path | ChipStore) -> tuple[Path, ChipStore | None]:
    if not isinstance(data, Path):
        return data.path, data
    if not (data / "dataset.json").is_file():
        return data, None
    from agri_data.store.store import ChipStore

    return data, ChipStore.open(data)


def _check_store(store: ChipStore, spec: BundleSpec) -> None:
    units = {band.unit for band in store.info.bands if band.name in spec.bands}
    if units and units != {spec.unit}:
        raise InputError(
            f"{store.path} is in {', '.join(sorted(units))}, but the model was trained on "
            f"{spec.unit}"
        )
    for label in sorted(set(store.table["label"])):
        if label not in spec.legend.names:
            raise InputError(
                f"{store.path} has patches of the class {label!r}; the model has "
                f"{', '.join(spec.legend.names)}"
            )


def _class_files(path: Path, spec: BundleSpec) -> list[tuple[Path, int]]:
    if path.is_file():
        raise InputError(
            f"{path} is a file; expected a chip store or a folder with one folder of pictures per "
            "class. Unpack an archive first, or make a chip store of it with `agri-data patches`"
        )
    if not path.is_dir():
        raise MissingError(f"there is no folder {path}; expected a chip store or class folders")
    folders = sorted(p for p in path.iterdir() if p.is_dir() and not is_junk(p.name))
    unknown = [folder.name for folder in folders if folder.name not in spec.legend.names]
    if unknown or not folders:
        raise InputError(
            f"{path} has {'no class folders' if not folders else f'the folder {unknown[0]}'}; "
            f"expected folders named {', '.join(spec.legend.names)}"
        )
    return [
        (file, spec.legend.index(folder.name))
        for folder in folders
        for file in files_in(folder, ENDINGS)
    ]
