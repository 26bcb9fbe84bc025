"""What tiles look like: their values as stored, and as pictures in natural colours."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from agri_core.bands import SENTINEL2, Band, make_bands
from agri_core.files.errors import InputError, MissingError
from agri_core.raster.unit import guess_unit
from agri_core.raster.validity import chip_validity, valid_pixels
from agri_data.figures.picture import Rgb, Stretch, composite, picture_bands
from agri_data.sources.readers.image import read_image
from agri_data.store.store import ChipStore
from agri_data.store.writer import INFO_FILE
from numpy.typing import NDArray

from agri_cluster.data.folder import find_pictures

Values = NDArray[Any]
Valid = NDArray[np.bool_]

EMPTY = 225
"""Grey of pixels without data."""

SAMPLE = 64
_NAMES = {1: ("grey",), 3: ("red", "green", "blue")}


class PictureSource(Protocol):
    """Tiles by name, in the unit they were stored in."""

    bands: tuple[Band, ...]
    ids: Sequence[str]

    def read(self, ids: Sequence[str]) -> tuple[Values, Valid]:
        """Return the tiles named, `(n, H, W, C)`, and which pixels hold data, `(n, H, W)`."""


class StoreSource:
    """The chips of a store."""

    def __init__(self, store: ChipStore) -> None:
        self.bands, self._store = store.info.bands, store
        self.ids: Sequence[str] = [str(chip) for chip in store.table["chip_id"]]
        self._positions = {chip: position for position, chip in enumerate(self.ids)}

    def read(self, ids: Sequence[str]) -> tuple[Values, Valid]:
        """Return the chips named and which pixels hold data."""
        known = _known(ids, self._positions, self._store.path)
        values = self._store.images([self._positions[chip] for chip in known])
        return values, chip_validity(values, self._store.info.nodata)


class FolderSource:
    """The pictures of a folder, each named by its path in there."""

    def __init__(self, folder: Path) -> None:
        found = find_pictures(folder)
        files = list(found.values())
        self.ids: Sequence[str] = list(found)
        self._folder, self._names = folder, frozenset(self.ids)
        self.bands = _bands_of(*_read(files[0]))

    def read(self, ids: Sequence[str]) -> tuple[Values, Valid]:
        """Return the pictures named, which must be of one shape, and which pixels hold data."""
        files = [self._folder / name for name in _known(ids, self._names, self._folder)]
        read = [_read(file) for file in files]
        for file, (values, _) in zip(files, read, strict=True):
            if values.shape != read[0][0].shape:
                raise InputError(
                    f"{file} is of shape {values.shape}, {files[0]} of {read[0][0].shape}; "
                    "tiles are of one shape"
                )
        return np.stack([values for values, _ in read]), np.stack([valid for _, valid in read])


def open_source(path: Path) -> StoreSource | FolderSource:
    """Open a chip store, or a folder of pictures.

    Raises:
        MissingError: `path` is neither.
    """
    if (path / INFO_FILE).is_file():
        return StoreSource(ChipStore.open(path))
    if not path.is_dir():
        raise MissingError(f"there is no chip store and no folder of pictures at {path}")
    return FolderSource(path)


class Pictures:
    """Pictures of the tiles of a source: natural colours where there are any, one stretch for all.

    Sentinel-2 bands and bytes have fixed limits; any other band goes from its 2nd to its 98th
    percentile over a sample of tiles.
    """

    def __init__(self, source: PictureSource) -> None:
        self._source = source
        self._names = [band.name for band in source.bands]
        self._shown = picture_bands(self._names)

    def of(self, ids: Sequence[str]) -> Rgb:
        """Return the tiles named as pictures `(n, H, W, 3)`; pixels without data are light grey."""
        values, valid = self._source.read(ids)
        unit = self._source.bands[0].unit
        shown = [composite(v, self._names, self._shown, self._stretch, unit) for v in values]
        pictures = np.stack(shown)
        pictures[~valid] = EMPTY
        return pictures

    @cached_property
    def _stretch(self) -> Stretch | None:
        plain = self._source.bands[0].unit == "uint8"
        if plain or all(name in SENTINEL2 for name in self._shown):
            return None
        ids = self._source.ids
        values, valid = self._source.read(ids[:: max(1, len(ids) // SAMPLE)])
        picked = values[valid][:, [self._names.index(name) for name in self._shown]]
        finite = picked[np.isfinite(picked)]
        low, high = np.percentile(finite, (2, 98)) if finite.size else (0.0, 0.0)
        return float(low), float(high)


def _known(ids: Sequence[str], names: Any, where: Path) -> Sequence[str]:
    for chip in ids:
        if chip not in names:
            raise InputError(
                f"the clustering has a tile {chip!r}, but there is none in {where}; "
                "give the tiles it was fitted on"
            )
    return ids


def _read(file: Path) -> tuple[Values, Valid]:
    pixels, valid, facts = read_image(file)
    return pixels, valid & valid_pixels(pixels, facts.nodata)


def _bands_of(picture: Values, valid: Valid) -> tuple[Band, ...]:
    count = picture.shape[2]
    names = _NAMES.get(count) or tuple(f"band{number}" for number in range(1, count + 1))
    return make_bands(names, guess_unit(picture[valid], picture.dtype))
