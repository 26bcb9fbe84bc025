"""The bands of a scene: by name, from one file or many, brought onto one grid."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.bands import band_indices, canonical_name
from agri_core.files.errors import InputError
from agri_core.raster.align import align
from agri_core.raster.grid import Grid
from agri_core.raster.opening import opened
from agri_core.raster.validity import Masking, masking_of, settle_nodata


@dataclass(frozen=True, slots=True)
class Layer:
    """One band of the scene.

    Attributes:
        name: Of the band.
        source: The open raster it comes from.
        number: Of the band in there, from 1.
        nodata: The value that means "no data", None for none.
        masking: Where `source` keeps its validity apart from its values.
    """

    name: str
    source: Any
    number: int
    nodata: float | None
    masking: Masking


def stored(layers: Sequence[Layer]) -> np.dtype[Any]:
    """Return the common dtype of the values in the files."""
    return np.result_type(*(np.dtype(item.source.dtypes[item.number - 1]) for item in layers))


def block_row_bytes(layers: Sequence[Layer]) -> int:
    """Give the memory that one row of blocks of all files takes, as GDAL caches it, in bytes.

    A strip of tiles that ends inside a row of blocks leaves that row to the next strip. While the
    row stays in the cache it is decoded once; JPEG 2000 decodes for longer than a network runs.
    """
    return sum(_block_row(source) for source in {id(i.source): i.source for i in layers}.values())


def _block_row(source: Any) -> int:
    rows, cols = source.block_shapes[0]
    across = -(-source.width // cols) * cols
    return int(rows * across * sum(np.dtype(dtype).itemsize for dtype in source.dtypes))


def masked(layers: Sequence[Layer]) -> list[tuple[Any, Masking]]:
    """Return the sources that carry a mask or an alpha band, each once."""
    found = {id(layer.source): (layer.source, layer.masking) for layer in layers if layer.masking}
    return list(found.values())


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
        InputError: A file is no readable raster, holds other bands than given, or its bands have
            no names or the same one.
    """
    found: dict[str, Layer] = {}
    if path is not None:
        source = opened(path, stack)
        given = band_names(source, path, names, wanted)
        masking = masking_of(source, names or ())
        settle_nodata(nodata, source.nodata, str(path))
        for number, name in enumerate(given, start=1):
            empty = source.nodatavals[number - 1] if nodata is None else nodata
            found[name] = Layer(name, source, number, empty, masking)
    for name, file in files.items():
        if name not in wanted:
            raise InputError(f"--band {name}={file}: the model takes {', '.join(wanted)}")
        source = opened(file, stack)
        masking = masking_of(source, (name,))
        if source.count - (masking.alpha is not None) != 1:
            raise InputError(f"{file} must hold one band to be band {name}, got {source.count}")
        empty = settle_nodata(nodata, source.nodata, str(file))
        found[name] = Layer(name, source, 1, empty, masking)
    band_indices(list(found), wanted, str(path or "the scene"))
    return [found[name] for name in wanted]


def band_names(
    source: Any, path: Path, names: Sequence[str] | None, wanted: Sequence[str] = ()
) -> list[str]:
    """Return the names of the bands of an open raster in file order, without that of an alpha band.

    Args:
        source: The open raster.
        path: For messages.
        names: As the user gives them; its band descriptions when None.
        wanted: Bands that the model takes; a description that equals one stays as it is.

    Raises:
        InputError: The bands have no names, another number of them, or a wanted one twice.
    """
    alpha = masking_of(source, names or ()).alpha
    count = source.count - (alpha is not None)
    if names is None:
        given = [text or "" for text in source.descriptions[:count]]
        names = [text if text in wanted else canonical_name(text) for text in given]
        if not any(names):
            raise InputError(
                f"{path} has {count} bands without names; name them with --bands, in "
                f"file order, for example --bands {','.join(wanted) or 'B04,B03,B02'}"
            )
    names = names[:count] if len(names) == source.count else names
    if len(names) != count:
        raise InputError(
            f"--bands gives {len(names)} names ({', '.join(names)}) but {path} has "
            f"{source.count} bands"
        )
    repeated = sorted({name for name in names if name and list(names).count(name) > 1})
    if set(repeated) & set(wanted):
        raise InputError(f"{path} has several bands called {', '.join(repeated)}; use --bands")
    return list(names)


def finest(layers: Sequence[Layer]) -> Grid:
    """Return the grid of the band with the smallest pixels."""
    return min((Grid.of(layer.source) for layer in layers), key=lambda grid: grid.pixel)


def align_layers(layers: Sequence[Layer], grid: Grid, stack: ExitStack) -> list[Layer]:
    """Bring coarser bands onto the grid, bilinear between pixel centres; `stack` closes views.

    Raises:
        InputError: A file has another CRS, or covers other ground.
    """
    views = {}
    for layer in layers:
        key = id(layer.source), str(layer.nodata)
        if key not in views:
            own = Grid.of(layer.source)
            _check_ground(layer, own, grid)
            views[key] = align(
                layer.source, own, grid, stack, masking=layer.masking, nodata=layer.nodata
            )
    made = [views[id(layer.source), str(layer.nodata)] for layer in layers]
    pairs = zip(layers, made, strict=True)
    return [replace(layer, source=view.source, masking=view.masking) for layer, view in pairs]


def _check_ground(layer: Layer, own: Grid, grid: Grid) -> None:
    if own.same_as(grid):
        return
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
