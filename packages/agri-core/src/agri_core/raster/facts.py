"""Facts of a raster file: size, type, bands, georeference, no data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from agri_core.bands import canonical_names
from agri_core.files.errors import InputError
from agri_core.raster.grid import crs_text
from agri_core.raster.opening import open_raster
from agri_core.raster.validity import NO_MASKING, Masking, masking_of

MAX_READ_BYTES = 4 * 1024**3
"""Larger rasters are read in windows."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a raster file states about itself.

    Attributes:
        name: the file, for messages.
        driver: "GTiff", "PNG", "JPEG" or "JP2OpenJPEG".
        shape: `(height, width)`.
        count: number of bands that hold imagery; an alpha band is none.
        dtype: of every band.
        crs: the coordinate reference system, None where there is none.
        transform: pixel to ground, None where there is none.
        nodata: the value that means "no data", None where there is none.
        names: band descriptions in their canonical spelling; empty unless every band has one and
            no two are equal.
        masking: where the file keeps validity apart from its values.
    """

    name: str
    driver: str
    shape: tuple[int, int]
    count: int
    dtype: str
    crs: Any = None
    transform: Affine | None = None
    nodata: float | None = None
    names: tuple[str, ...] = ()
    masking: Masking = NO_MASKING

    @property
    def crs_text(self) -> str:
        """The CRS as text, "" where there is none."""
        return crs_text(self.crs)

    @property
    def nbytes(self) -> int:
        """Size of all pixels in memory."""
        return self.shape[0] * self.shape[1] * self.count * np.dtype(self.dtype).itemsize


def facts_of(dataset: Any, where: str, names: tuple[str, ...] = ()) -> Facts:
    """Return what an open dataset states about itself.

    Args:
        dataset: of rasterio.
        where: the file, for messages.
        names: of its bands in file order, as the user gives them; they decide whether a band
            that is marked as alpha is one, see `agri_core.raster.validity.alpha_number`.
    """
    masking = masking_of(dataset, names)
    count = dataset.count - (masking.alpha is not None)
    has_place = dataset.crs is not None or not dataset.transform.is_identity
    return Facts(
        name=where,
        driver=dataset.driver,
        shape=(dataset.height, dataset.width),
        count=count,
        dtype=dataset.dtypes[0],
        crs=dataset.crs,
        transform=dataset.transform if has_place else None,
        nodata=dataset.nodata,
        names=_names(dataset.descriptions[:count]),
        masking=masking,
    )


def read_facts(path: Path, names: tuple[str, ...] = ()) -> Facts:
    """Return what a raster file states about itself, without its pixels."""
    with open_raster(path) as dataset:
        return facts_of(dataset, str(path), names)


def read_raster(
    source: Path | bytes, where: str | None = None, names: tuple[str, ...] = ()
) -> tuple[NDArray[Any], NDArray[np.bool_], Facts]:
    """Read a whole raster: `(H, W, C)` in its own dtype, its mask `(H, W)`, and its facts.

    The mask is that of the file's mask or alpha band; values that mean "no data" are the business
    of `agri_core.raster.validity.valid_pixels`.

    Raises:
        MissingError: there is no such file.
        InputError: it cannot be read, or is larger than `MAX_READ_BYTES`.
    """
    name = where or str(source)
    with open_raster(source, name) as dataset:
        facts = facts_of(dataset, name, names)
        if facts.nbytes > MAX_READ_BYTES:
            raise InputError(
                f"{name} takes {facts.nbytes} bytes in memory, more than {MAX_READ_BYTES}; "
                "describe it as 'kind: scenes', which reads in windows"
            )
        image = dataset.read(list(range(1, facts.count + 1)))
        valid = facts.masking.read(dataset)
    valid = np.ones(facts.shape, np.bool_) if valid is None else valid
    return np.ascontiguousarray(np.moveaxis(image, 0, -1)), valid, facts


def _names(descriptions: tuple[str | None, ...]) -> tuple[str, ...]:
    given = [text or "" for text in descriptions]
    if not all(given) or len(set(given)) < len(given):
        return ()
    return canonical_names(given)
