"""Reading a raster on another grid, warped lazily and only where the grids differ."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from agri_core.files.errors import InputError
from agri_core.raster.grid import Grid, check_area
from agri_core.raster.validity import Masking

TOLERANCE = 0.01
"""Largest error of a position, in source pixels, when warping between CRSs. GDAL's own 0.125 of a
pixel is seen at the borders of fields."""

# Any CRS serves where files have none: source and target are the same, so nothing is projected.
_PLANE = CRS.from_epsg(3857)

_VRT_TYPES = {
    "uint8": "Byte",
    "int8": "Int8",
    "uint16": "UInt16",
    "int16": "Int16",
    "uint32": "UInt32",
    "int32": "Int32",
    "float32": "Float32",
    "float64": "Float64",
}


@dataclass(frozen=True, slots=True)
class Aligned:
    """A raster on the grid that was asked for.

    Attributes:
        source: the open raster, or a warped view of it, with the same band numbers.
        masking: where `source` keeps its validity apart from its values; beyond the rim of what
            was warped nothing is valid.
    """

    source: Any
    masking: Masking

    def read(
        self, row: int, col: int, shape: tuple[int, int], bands: list[int]
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return a window `(H, W, C)` of `bands` (from 0), and where it is not masked `(H, W)`.

        Whether unmasked pixels hold data is another matter: see the "no data" value.
        """
        window = Window(col, row, shape[1], shape[0])
        values = self.source.read([band + 1 for band in bands], window=window)
        valid = self.masking.read(self.source, window)
        return np.moveaxis(values, 0, -1), np.ones(shape, np.bool_) if valid is None else valid


def align(
    dataset: Any,
    own: Grid,
    grid: Grid,
    stack: ExitStack,
    *,
    masking: Masking,
    nodata: float | None,
    resampling: str = "bilinear",
) -> Aligned:
    """Return `dataset`, which lies on the grid `own`, on `grid`; `stack` closes what is opened.

    "No data" takes no part in interpolation: weights are those of the valid neighbours alone, so
    zeros next to a scene's edge do not darken it.

    Args:
        dataset: the open raster.
        own: its grid; not always what the file states, see `agri_data`'s scenes without place.
        grid: the grid wanted.
        stack: owner of the warped view.
        masking: of the dataset.
        nodata: the value that means "no data" in all its bands, None for none.
        resampling: name of a method of `rasterio.enums.Resampling`.

    Raises:
        InputError: a grid has pixels without area, or every band has a mask of its own.
    """
    if own.same_as(grid):
        return Aligned(dataset, masking)
    check_area(own.transform)
    if masking.masks not in ((), (1,)):
        raise InputError(
            f"{dataset.name} has a mask for each band, which cannot be warped; make one mask of "
            "them, or warp the file first"
        )
    floating = np.dtype(dataset.dtypes[0]).kind == "f"
    # NaN is no data in any raster of floats; stated, it takes no part in interpolation.
    empty = float("nan") if nodata is None and floating else nodata
    # Without a value for no data only an alpha band tells where the warped file has none.
    added = masking.alpha is None and (empty is None or bool(masking.masks))
    view = stack.enter_context(
        WarpedVRT(
            _without_false_alpha(dataset, masking, stack),
            src_crs=own.crs or _PLANE,
            src_transform=own.transform,
            crs=grid.crs or _PLANE,
            transform=grid.transform,
            width=grid.width,
            height=grid.height,
            resampling=Resampling[resampling],
            src_nodata=empty,
            nodata=empty,
            add_alpha=added,
            tolerance=TOLERANCE,
            # Band by band: a pixel may lack one band only.
            UNIFIED_SRC_NODATA="NO",
        )
    )
    return Aligned(view, Masking(view.count if added else masking.alpha))


def _without_false_alpha(dataset: Any, masking: Masking, stack: ExitStack) -> Any:
    """Return the dataset so that GDAL's warper takes no band for alpha that is imagery.

    GDAL follows the mark in the file and cannot be told otherwise, but a virtual raster of the
    same bands has none.
    """
    if masking.alpha is not None or ColorInterp.alpha not in dataset.colorinterp:
        return dataset
    kind = _VRT_TYPES[dataset.dtypes[0]]
    bands = "".join(
        f'<VRTRasterBand dataType="{kind}" band="{number}"><SimpleSource>'
        f'<SourceFilename relativeToVRT="0">{escape(dataset.name)}</SourceFilename>'
        f"<SourceBand>{number}</SourceBand></SimpleSource></VRTRasterBand>"
        for number in dataset.indexes
    )
    size = f'rasterXSize="{dataset.width}" rasterYSize="{dataset.height}"'
    return stack.enter_context(rasterio.open(f"<VRTDataset {size}>{bands}</VRTDataset>"))
