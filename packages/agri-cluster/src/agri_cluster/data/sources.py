"""What a user names as input, opened as a set of tiles: a chip store, a folder, an array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.bands import band_indices
from agri_core.files.errors import InputError, MissingError
from agri_core.raster.validity import chip_validity
from agri_data.store.info import BandStats
from agri_data.store.stats import compute
from agri_data.store.store import ChipStore
from agri_data.store.writer import INFO_FILE
from numpy.typing import ArrayLike

from agri_cluster.data.folder import FolderTiles
from agri_cluster.data.scaling import Scale, Scaling, make_scaling
from agri_cluster.data.tiles import ArrayTiles, Floats, Ints, Tiles

MEASURED = 2000
"""Chips that give the statistics of a store which records none."""


class StoreTiles:
    """The chips of a store, read by position and scaled (`agri_cluster.data.tiles.Tiles`)."""

    def __init__(self, store: ChipStore, scaling: Scaling, rows: Ints | None = None) -> None:
        """Take the chips at `rows` of `store`, all of them without.

        Raises:
            InputError: there are none, or the store's pixels are in another unit than the
                scaling's.
            MissingError: a band is not there.
        """
        where = str(store.path)
        self._store, self._rows = store, store.indices() if rows is None else rows
        if len(self._rows) == 0:
            raise InputError(
                f"no chip of {where} is in the split asked for; leave the split out, or split the "
                "store first ('agri-data split')"
            )
        self._channels = band_indices(store.bands, scaling.bands, where)
        _check_unit(store, scaling)
        self._scaling, self.bands = scaling, scaling.bands
        self.shape: tuple[int, ...] = (store.info.chip_size, store.info.chip_size, len(self.bands))
        self.ids: Sequence[str] = store.table["chip_id"].to_numpy()[self._rows].tolist()

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def store(self) -> ChipStore:
        """The store itself."""
        return self._store

    @property
    def rows(self) -> Ints:
        """The position in the store of each item, `(N,)`."""
        return self._rows

    @property
    def scaling(self) -> dict[str, Any]:
        """The record with which another store is scaled alike: `open_tiles(..., scaling=...)`."""
        return self._scaling.to_json()

    def take(self, indices: ArrayLike) -> Floats:
        """Return the chips at `indices`, `(n, H, W, C)`, scaled and without gaps."""
        pixels = self._store.images(self._rows[np.asarray(indices, np.int64)])
        # A pixel is empty when all bands are, chosen or not.
        valid = chip_validity(pixels, self._store.info.nodata)
        if self.bands != self._store.bands:
            pixels = pixels[..., self._channels]
        return self._scaling.apply(pixels, valid)


def open_tiles(
    path: Path,
    *,
    bands: Sequence[str] | None = None,
    scale: Scale = "standard",
    split: str | None = None,
    scaling: Mapping[str, Any] | None = None,
) -> StoreTiles | FolderTiles:
    """Open a chip store, or a folder of pictures of one size.

    Args:
        path: the folder.
        bands: which, in this order; all without.
        scale: "standard" or "photo", by the statistics recorded in the store (of its train split),
            else by those of `MEASURED` of its chips.
        split: only the chips of one split: "train", "val" or "test".
        scaling: the record of another set's scaling, which replaces `bands` and `scale`.

    Raises:
        MissingError: there is nothing at `path`, or a band is not there.
        InputError: it is no store and no folder of pictures, has no chips in that split, or a band
            is asked for twice.
    """
    given = Scaling.from_json(scaling) if scaling is not None else None
    if bands is not None and len(set(bands)) < len(bands):
        raise InputError(f"each band is asked for once, got {', '.join(bands)}")
    if not path.is_dir():
        what = "is a file" if path.exists() else "does not exist"
        raise MissingError(f"{path} {what}; a chip store or a folder of pictures is expected")
    if (path / INFO_FILE).is_file():
        store = ChipStore.open(path)
        chosen = given or _measure(store, bands or store.bands, scale)
        return StoreTiles(store, chosen, store.indices(split))
    if split is not None:
        raise InputError(f"{path} is a folder of pictures, which has no split {split!r}")
    return FolderTiles.open(path, bands=bands, scale=scale, scaling=given)


def as_tiles(data: Tiles | ArrayLike | Path | str) -> Tiles:
    """Return `data` as a set of tiles; a path is opened, an array wrapped.

    Raises:
        MissingError, InputError: as `open_tiles` and `ArrayTiles`.
    """
    if isinstance(data, (str, Path)):
        return open_tiles(Path(data))
    if all(hasattr(data, name) for name in ("take", "shape", "ids", "bands")):
        return data  # type: ignore[return-value]
    return ArrayTiles(data)  # type: ignore[arg-type]


def _measure(store: ChipStore, bands: Sequence[str], scale: Scale) -> Scaling:
    band_indices(store.bands, bands, str(store.path))
    units = {band.unit for band in store.info.bands if band.name in bands}
    if len(units) > 1:
        raise InputError(
            f"the bands {', '.join(bands)} of {store.path} are in different units "
            f"({', '.join(sorted(units))}); choose bands of one unit"
        )
    return make_scaling(scale, _stats(store), bands, units.pop())


def _stats(store: ChipStore) -> Mapping[str, BandStats]:
    if store.info.stats:
        return store.info.stats
    rng = np.random.default_rng(0)
    count = min(MEASURED, len(store))
    return compute(store, np.sort(rng.choice(len(store), count, replace=False)))


def _check_unit(store: ChipStore, scaling: Scaling) -> None:
    for band in store.info.bands:
        if band.name in scaling.bands and band.unit != scaling.unit:
            raise InputError(
                f"{store.path}: band {band.name} is in {band.unit}, the clustering was fitted to "
                f"{scaling.unit}; convert the imagery to {scaling.unit} first"
            )
