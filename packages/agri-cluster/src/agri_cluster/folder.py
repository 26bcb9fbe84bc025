"""A folder of pictures of one size, as a set of tiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from agri_data.bands import band_indices
from agri_data.console import progress
from agri_data.errors import InputError
from agri_data.sources.image import read_image
from agri_data.sources.pairing import natural
from agri_data.stats import measure
from numpy.typing import ArrayLike, NDArray

from agri_cluster.scaling import Scale, Scaling, make_scaling
from agri_cluster.tiles import Floats, Ints

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
MAX_SIDE = 4096
MEASURED = 2000

_NAMES = {1: ("grey",), 3: ("red", "green", "blue")}


class FolderTiles:
    """Pictures read one file at a time and scaled (`agri_cluster.tiles.Tiles`)."""

    def __init__(self, files: Sequence[Path], ids: Sequence[str], scaling: Scaling) -> None:
        """Take `files`, which all are of the shape of the first.

        Raises:
            InputError: the first cannot be read, or is not as the scaling expects.
            MissingError: a band is not there.
        """
        first, _ = _read(files[0])
        names = _band_names(first.shape[2])
        self._files, self.ids, self._scaling = files, ids, scaling
        self._whole = first.shape
        self._channels = band_indices(names, scaling.bands, str(files[0]))
        _check_unit(first, scaling, files[0])
        self.bands = scaling.bands
        self.shape: tuple[int, ...] = (*first.shape[:2], len(self.bands))

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        bands: Sequence[str] | None = None,
        scale: Scale = "standard",
        scaling: Scaling | None = None,
    ) -> FolderTiles:
        """Open the pictures in folder `path` and below, in natural order; see `open_tiles`."""
        files = _find(path)
        if scaling is None:
            first, _ = _read(next(iter(files.values())))
            names = bands or _band_names(first.shape[2])
            scaling = _measure(list(files.values()), names, scale)
        return cls(list(files.values()), list(files), scaling)

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
        """Return the pictures at `indices`, `(n, H, W, C)`, scaled.

        Raises:
            InputError: a file is damaged, or its picture is of another size or type.
        """
        read = [self._one(int(i)) for i in np.asarray(indices, np.int64)]
        if not read:
            return np.empty((0, *self.shape), np.float32)
        pixels = np.stack([pixels for pixels, _ in read])[..., self._channels]
        return self._scaling.apply(pixels, np.stack([valid for _, valid in read]))

    def _one(self, index: int) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        pixels, valid = _read(self._files[index])
        if pixels.shape != self._whole:
            raise InputError(
                f"{self._files[index]} is of shape {pixels.shape}, {self._files[0]} of "
                f"{self._whole}; a folder holds pictures of one size, cut them with "
                "'agri-data chips'"
            )
        _check_unit(pixels, self._scaling, self._files[index])
        return pixels, valid


def _find(path: Path) -> dict[str, Path]:
    found = {
        item.relative_to(path).as_posix(): item
        for item in path.rglob("*")
        if item.suffix.lower() in SUFFIXES
        and item.is_file()
        and not any(part.startswith(".") for part in item.relative_to(path).parts)
    }
    if not found:
        raise InputError(
            f"{path} is neither a chip store nor a folder with pictures "
            f"({', '.join(SUFFIXES)}); make a store with 'agri-data chips'"
        )
    return {name: found[name] for name in natural(found)}


def _read(path: Path) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    pixels, valid, facts = read_image(path, 0)
    if max(pixels.shape[:2]) > MAX_SIDE:
        raise InputError(
            f"{path} is {pixels.shape[1]} x {pixels.shape[0]} pixels, a tile has at most "
            f"{MAX_SIDE}; cut it with 'agri-data chips'"
        )
    if facts.nodata is not None:
        valid = valid & ~(pixels == facts.nodata).all(axis=-1)
    return pixels, valid


def _measure(files: Sequence[Path], bands: Sequence[str], scale: Scale) -> Scaling:
    rng = np.random.default_rng(0)
    rows: Ints = np.sort(rng.choice(len(files), min(MEASURED, len(files)), replace=False))
    first, _ = _read(files[0])
    names = _band_names(first.shape[2])
    band_indices(names, bands, str(files[0]))
    stats = measure(_pixels([files[row] for row in rows], first), names, None)
    return make_scaling(scale, stats, bands, _unit(first))


def _pixels(files: Sequence[Path], first: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Iterate over the valid pixels of each file, `(1, 1, n, C)`."""
    for file in progress(files, "statistics"):
        pixels, valid = _read(file)
        if pixels.shape[2] != first.shape[2] or pixels.dtype != first.dtype:
            raise InputError(
                f"{file} has {pixels.shape[2]} bands of {pixels.dtype}, other files of the "
                f"folder {first.shape[2]} of {first.dtype}; a folder holds pictures of one kind"
            )
        yield pixels[valid][None, None]


def _band_names(count: int) -> tuple[str, ...]:
    return _NAMES.get(count) or tuple(f"band{number}" for number in range(1, count + 1))


def _unit(pixels: NDArray[Any]) -> str:
    if pixels.dtype == np.uint8:
        return "uint8"
    return "reflectance" if pixels.dtype.kind == "f" else "dn"


def _check_unit(pixels: NDArray[Any], scaling: Scaling, path: Path) -> None:
    if _unit(pixels) != scaling.unit:
        raise InputError(
            f"{path} holds {pixels.dtype} ({_unit(pixels)}), {scaling.unit} is expected; convert "
            "it first"
        )
