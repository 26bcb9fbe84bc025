"""A folder of pictures of one size, as a set of tiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.bands import band_indices
from agri_core.files.console import progress
from agri_core.files.errors import InputError
from agri_core.files.folders import files_below
from agri_core.raster.unit import guess_unit
from agri_core.raster.validity import valid_pixels
from agri_data.sources.readers.image import read_image
from agri_data.store.stats import measure
from numpy.typing import ArrayLike, NDArray

from agri_cluster.data.scaling import Scale, Scaling, make_scaling
from agri_cluster.data.tiles import Floats

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
MAX_SIDE = 4096
MEASURED = 2000
"""Pictures whose statistics stand for those of the folder."""

_COLOURS = ("red", "green", "blue")


@dataclass(frozen=True, slots=True)
class _Picture:
    pixels: NDArray[Any]
    valid: NDArray[np.bool_]
    bands: tuple[str, ...]

    @property
    def unit(self) -> str:
        return guess_unit(self.pixels[self.valid], self.pixels.dtype)


class FolderTiles:
    """Pictures read one file at a time and scaled (`agri_cluster.data.tiles.Tiles`)."""

    def __init__(self, files: Sequence[Path], ids: Sequence[str], scaling: Scaling) -> None:
        """Take `files`, which all are of the kind of the first.

        Raises:
            InputError: the first cannot be read, or is in another unit than the scaling's.
            MissingError: a band is not there.
        """
        self._files, self.ids, self._scaling = files, ids, scaling
        first = self._first = _read(files[0])
        self._channels = band_indices(first.bands, scaling.bands, str(files[0]))
        self._check(first, files[0])
        self.bands = scaling.bands
        self.shape: tuple[int, ...] = (*first.pixels.shape[:2], len(self.bands))

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        bands: Sequence[str] | None = None,
        scale: Scale = "standard",
        scaling: Scaling | None = None,
    ) -> FolderTiles:
        """Open the pictures in folder `path` and below, in natural order.

        Other files, and all that is hidden, are left alone. The arguments are those of
        `agri_cluster.data.sources.open_tiles`.

        Raises:
            InputError: there are no pictures, or they cannot be read.
        """
        found = find_pictures(path)
        files = list(found.values())
        return cls(files, list(found), scaling or _measure(files, bands, scale))

    def __len__(self) -> int:
        return len(self._files)

    @property
    def files(self) -> Sequence[Path]:
        """The file of each item."""
        return self._files

    @property
    def scaling(self) -> dict[str, Any]:
        """The record with which another set is scaled alike: `open_tiles(..., scaling=...)`."""
        return self._scaling.to_json()

    def take(self, indices: ArrayLike) -> Floats:
        """Return the pictures at `indices`, `(n, H, W, C)`, scaled and without gaps.

        Raises:
            InputError: a file is damaged, or its picture is of another size or type.
        """
        read = [self._one(int(i)) for i in np.asarray(indices, np.int64)]
        if not read:
            return np.empty((0, *self.shape), np.float32)
        pixels = np.stack([one.pixels for one in read])[..., self._channels]
        return self._scaling.apply(pixels, np.stack([one.valid for one in read]))

    def _one(self, index: int) -> _Picture:
        picture = _read(self._files[index])
        self._check(picture, self._files[index])
        return picture

    def _check(self, picture: _Picture, path: Path) -> None:
        if picture.pixels.shape != self._first.pixels.shape:
            raise InputError(
                f"{path} is of shape {picture.pixels.shape}, {self._files[0]} of "
                f"{self._first.pixels.shape}; a folder holds pictures of one size, cut them with "
                "'agri-data chips'"
            )
        if picture.valid.any() and picture.unit != self._scaling.unit:
            raise InputError(
                f"{path} holds {picture.pixels.dtype} ({picture.unit}), {self._scaling.unit} is "
                "expected; convert it first"
            )


def find_pictures(path: Path) -> dict[str, Path]:
    """Return the pictures in folder `path` and below by their path in it, in natural order.

    Raises:
        InputError: there are none.
    """
    found = {item.relative_to(path).as_posix(): item for item in files_below(path, SUFFIXES)}
    if not found:
        raise InputError(
            f"{path} is neither a chip store nor a folder with pictures "
            f"({', '.join(SUFFIXES)}); make a store with 'agri-data chips'"
        )
    return found


def _read(path: Path) -> _Picture:
    pixels, valid, facts = read_image(path)
    if max(pixels.shape[:2]) > MAX_SIDE:
        raise InputError(
            f"{path} is {pixels.shape[1]} x {pixels.shape[0]} pixels, a tile has at most "
            f"{MAX_SIDE} a side; cut it with 'agri-data chips'"
        )
    valid = valid & valid_pixels(pixels, facts.nodata)
    return _Picture(pixels, valid, _band_names(facts.names, pixels.shape[2]))


def _band_names(described: Sequence[str], count: int) -> tuple[str, ...]:
    if len(set(described)) == count and all(described):
        return tuple(described)
    return _COLOURS if count == 3 else tuple(f"band{number}" for number in range(1, count + 1))


def _measure(files: Sequence[Path], bands: Sequence[str] | None, scale: Scale) -> Scaling:
    first = _read(files[0])
    chosen = bands or first.bands
    band_indices(first.bands, chosen, str(files[0]))
    rows = np.random.default_rng(0).choice(len(files), min(MEASURED, len(files)), replace=False)
    stats = measure(_valid([files[row] for row in sorted(rows)], first), first.bands, None)
    return make_scaling(scale, stats, chosen, first.unit)


def _valid(files: Sequence[Path], first: _Picture) -> Iterator[NDArray[Any]]:
    """Iterate over the valid pixels of each file, `(1, 1, n, C)`."""
    for file in progress(files, "statistics"):
        picture = _read(file)
        pixels = picture.pixels
        if pixels.shape[2] != first.pixels.shape[2] or pixels.dtype != first.pixels.dtype:
            raise InputError(
                f"{file} has {pixels.shape[2]} bands of {pixels.dtype}, the first picture has "
                f"{first.pixels.shape[2]} of {first.pixels.dtype}; a folder holds pictures of one "
                "kind"
            )
        yield pixels[picture.valid][None, None]
