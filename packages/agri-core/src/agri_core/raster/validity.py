"""Validity: which pixels of a raster hold data.

A pixel holds data when the file's mask or alpha band marks it valid and every band is finite and
not the no-data value: a model must not see half a pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agri_core.files.console import warn

ALPHA = "alpha"
"""A band of this name is transparency, whoever gave it."""

Valid = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Masking:
    """Where a dataset keeps the validity of its pixels apart from their values.

    Attributes:
        alpha: number of the alpha band, from 1; None without.
        masks: numbers of the bands whose mask is read: 1 alone where one mask, internal or in a
            `.msk` file, serves the whole dataset; empty without.
    """

    alpha: int | None = None
    masks: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return self.alpha is not None or bool(self.masks)

    def read(
        self, dataset: Any, window: Any = None, shape: tuple[int, int] | None = None
    ) -> Valid | None:
        """Return `(H, W)`, True where the pixel holds data; None where the file masks nothing.

        Args:
            dataset: the open raster.
            window: the part to read; everything by default.
            shape: rows and columns to read it at; its own by default.
        """
        valid: Valid | None = None
        if self.alpha is not None:
            # Half transparent pixels of a raster, at the rim of a mosaic, still hold a value.
            valid = np.asarray(dataset.read(self.alpha, window=window, out_shape=shape) > 0)
        for number in self.masks:
            mask = np.asarray(dataset.read_masks(number, window=window, out_shape=shape) > 0)
            valid = mask if valid is None else valid & mask
        return valid


NO_MASKING = Masking()
"""Of a file that masks nothing."""


def masking_of(dataset: Any, names: Sequence[str] = ()) -> Masking:
    """Return where an open raster keeps its validity; `names` as of `alpha_number`."""
    from rasterio.enums import MaskFlags

    flags = [set(each) for each in dataset.mask_flag_enums]
    if MaskFlags.per_dataset in flags[0] and MaskFlags.alpha not in flags[0]:
        masks: tuple[int, ...] = (1,)
    else:
        # No flag at all: a mask for each band.
        masks = tuple(number for number, each in enumerate(flags, start=1) if not each)
    return Masking(alpha_number(dataset, names), masks)


def alpha_number(dataset: Any, names: Sequence[str] = ()) -> int | None:
    """Return the number of the alpha band, None where no band is one.

    GDAL marks the fourth band of any 8-bit file as alpha unless it is told otherwise, so the mark
    alone would make near infrared a transparency. A last band with the mark is alpha if the user
    names one band less than there are. If as many are named, or nobody names bands but the file
    itself describes that one, it is a band like the others. The name "alpha" settles it.

    Args:
        dataset: the open raster.
        names: of its bands in file order, as the user gives them; empty for none.
    """
    from rasterio.enums import ColorInterp

    if dataset.count < 2 or dataset.colorinterp[-1] != ColorInterp.alpha:
        return None
    last: int = dataset.count
    if len(names) == last - 1:
        return last
    if names and len(names) != last:
        return None
    name = names[-1] if names else dataset.descriptions[-1] or ""
    return last if name.strip().casefold() in ("", ALPHA) else None


def valid_pixels(image: NDArray[Any], nodata: float | None) -> Valid:
    """Return `(...)`: whether a pixel of `(..., C)` is finite and not `nodata` in every band."""
    valid = np.ones(image.shape[:-1], np.bool_)
    for band in np.moveaxis(image, -1, 0):
        keep_valid(valid, band, nodata)
    return valid


def chip_validity(chips: NDArray[Any], nodata: float | None) -> Valid:
    """Return `(...)`: whether a pixel of chips `(..., C)` holds data in any band.

    A chip store holds `nodata` (or NaN) in *every* band of a pixel without data, and one band that
    equals it is a value: augmentation may darken a band to 0 or drop it.
    """
    valid = np.zeros(chips.shape[:-1], np.bool_)
    if not _marks(chips.dtype, nodata) and chips.dtype.kind != "f":
        valid[:] = True
        return valid
    for band in np.moveaxis(chips, -1, 0):
        here = np.ones(band.shape, np.bool_)
        keep_valid(here, band, nodata)
        valid |= here
    return valid


def keep_valid(valid: Valid, band: NDArray[Any], nodata: float | None) -> None:
    """Clear `valid`, in place, where a band of its shape is not finite or is `nodata`.

    NaN as `nodata` needs no comparison: it is not finite. A value that the band's type cannot
    hold, such as -9999 in uint16, marks nothing.
    """
    if band.dtype.kind == "f":
        valid &= np.isfinite(band)
    if _marks(band.dtype, nodata):
        valid &= band != band.dtype.type(nodata)


def holds(dtype: np.dtype[Any], value: float) -> bool:
    """Whether pixels of type `dtype` can have the value, whole numbers exactly.

    Example:
        >>> holds(np.dtype("uint16"), -9999.0), holds(np.dtype("int16"), -9999.0)
        (False, True)
    """
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return bool(np.isfinite(dtype.type(value)))
    limits = np.iinfo(dtype)
    return float(value).is_integer() and bool(limits.min <= value <= limits.max)


def settle_nodata(given: float | None, declared: float | None, where: str) -> float | None:
    """Return the no-data value: that of the user, else the one that the file declares.

    Where both differ the user is told: a wrong option would blank or keep the wrong pixels.
    """
    if given is None:
        return declared
    if declared is not None and not _equal(given, declared):
        warn(f"{where} declares {declared:g} as its no-data value; {given:g} is used as given")
    return given


def _equal(first: float, second: float) -> bool:
    return first == second or bool(np.isnan(first) and np.isnan(second))


def _marks(dtype: np.dtype[Any], nodata: float | None) -> bool:
    return nodata is not None and not np.isnan(nodata) and holds(dtype, nodata)
