"""The bands of a scene: by name, from one file or many, brought onto one grid."""

import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.bands import band_indices
from agri_core.files.errors import InputError
from agri_core.raster.grid import Grid
from rasterio.enums import MaskFlags, Resampling
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT

from agri_map.scene.raster import open_raster


@dataclass(frozen=True, slots=True)
class Layer:
    """One band of the scene: the open raster it comes from, its number there, its no-data."""

    name: str
    source: Any
    number: int
    nodata: float | None


def stored(layers: Sequence[Layer]) -> np.dtype[Any]:
    """Give the common dtype of the values in the files."""
    return np.result_type(*(np.dtype(item.source.dtypes[item.number - 1]) for item in layers))


def masked(layers: Sequence[Layer]) -> list[Any]:
    """Give the sources that carry a mask or an alpha band."""
    sources = {id(layer.source): layer.source for layer in layers}
    return [
        source
        for source in sources.values()
        if any(MaskFlags.per_dataset in flags for flags in source.mask_flag_enums)
    ]


def band_name(description: str) -> str:
    """Give the band name at the start of a description: `B2 (blue)` is `B02`."""
    found = re.match(r"\s*B(\d{1,2})(A?)(?![0-9A-Za-z])", description, re.IGNORECASE)
    if not found:
        return description.strip()
    number, letter = found.groups()
    return f"B{number}{letter.upper()}" if letter else f"B{int(number):02d}"


def open_layers(
    path: Path | None,
    wanted: Sequence[str],
    names: Sequence[str] | None,
    files: dict[str, Path],
    nodata: float | None,
    stack: ExitStack,
) -> list[Layer]:
    """Open the `wanted` bands, in this order, as they lie; `stack` closes their files.

    Raises:
        MissingError: A file or a band is not there.
        InputError: A file is no readable raster, holds other bands than said, or its bands have
            no names or the same one.
    """
    found: dict[str, Layer] = {}
    if path is not None:
        source = stack.enter_context(open_raster(path))
        for number, name in enumerate(_names(source, path, names, wanted), start=1):
            found[name] = _layer(name, source, number, nodata)
    for name, file in files.items():
        if name not in wanted:
            raise InputError(f"--band {name}={file}: the model takes {', '.join(wanted)}")
        source = stack.enter_context(open_raster(file))
        if source.count != 1:
            raise InputError(f"{file} must hold one band to be band {name}, got {source.count}")
        found[name] = _layer(name, source, 1, nodata)
    band_indices(list(found), wanted, str(path or "the scene"))
    return [found[name] for name in wanted]


def _names(
    source: DatasetReader, path: Path, names: Sequence[str] | None, wanted: Sequence[str]
) -> list[str]:
    if names is None:
        given = [text or "" for text in source.descriptions]
        names = [text if text in wanted else band_name(text) for text in given]
        if not any(names):
            raise InputError(
                f"{path} has {source.count} bands without names; say which is which with "
                f"--bands, in file order, for example --bands {','.join(wanted)}"
            )
    if len(names) != source.count:
        raise InputError(
            f"--bands gives {len(names)} names ({', '.join(names)}) but {path} has "
            f"{source.count} bands"
        )
    repeated = sorted({name for name in names if name and list(names).count(name) > 1})
    if set(repeated) & set(wanted):
        raise InputError(f"{path} has several bands called {', '.join(repeated)}; use --bands")
    return list(names)


def _layer(name: str, source: DatasetReader, number: int, nodata: float | None) -> Layer:
    declared = source.nodatavals[number - 1]
    return Layer(name, source, number, nodata if declared is None else declared)


def finest(layers: Sequence[Layer]) -> Grid:
    """Give the grid of the band with the smallest pixels."""
    return min((Grid.of(layer.source) for layer in layers), key=lambda grid: grid.pixel)


def align(layer: Layer, grid: Grid, stack: ExitStack) -> Layer:
    """Bring a coarser band onto the grid, bilinear between pixel centres.

    Raises:
        InputError: It has another CRS, or covers other ground.
    """
    own = Grid.of(layer.source)
    if own == grid:
        return layer
    where = layer.source.name
    if own.crs is None or own.crs != grid.crs:
        raise InputError(
            f"{where} (band {layer.name}) has the CRS {own.crs} but the finest band has "
            f"{grid.crs}; warp the files to one CRS first"
        )
    if max(abs(a - b) for a, b in zip(own.bounds, grid.bounds, strict=True)) > own.pixel:
        raise InputError(
            f"{where} (band {layer.name}) covers {own.bounds}, the finest band {grid.bounds}; "
            "all bands must cover the same ground"
        )
    warped = stack.enter_context(
        WarpedVRT(
            layer.source,
            crs=grid.crs,
            transform=grid.transform,
            height=grid.height,
            width=grid.width,
            resampling=Resampling.bilinear,
            src_nodata=layer.nodata,
            nodata=layer.nodata,
        )
    )
    return Layer(layer.name, warped, layer.number, layer.nodata)
