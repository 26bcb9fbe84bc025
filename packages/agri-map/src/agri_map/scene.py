"""A scene as the model wants it: bands by name, on one grid, read window by window."""

import math
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from agri_data.bands import band_indices
from agri_data.errors import InputError
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.enums import MaskFlags, Resampling
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from agri_map.bytescale import check_scale, to_bytes
from agri_map.raster import damaged, open_raster
from agri_map.tiles import reflect


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the pixels of a raster lie; `crs` is None for an image that is not georeferenced."""

    crs: CRS | None
    transform: Affine
    height: int
    width: int

    @classmethod
    def of(cls, dataset: DatasetReader) -> "Grid":
        """Take the grid of an open raster."""
        return cls(dataset.crs, dataset.transform, dataset.height, dataset.width)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top of the four corners."""
        a, b, c, d, e, f = self.transform[:6]
        ends = [(x, y) for x in (0, self.width) for y in (0, self.height)]
        xs = [a * x + b * y + c for x, y in ends]
        ys = [d * x + e * y + f for x, y in ends]
        return min(xs), min(ys), max(xs), max(ys)

    @property
    def pixel(self) -> float:
        """Side of a pixel in units of the CRS (geometric mean)."""
        return math.sqrt(abs(self.transform.determinant))


Values = tuple[NDArray[Any], NDArray[np.bool_]]
"""Values, and where they are valid."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One band of the scene: the open raster it comes from, its number there, its no-data."""

    name: str
    source: Any
    number: int
    nodata: float | None


class Scene:
    """Bands in the order asked for; use as a context manager.

    Attributes:
        grid: The grid of the finest band.
        bands: Band names.
        dtype: The common dtype of the values.
        scale: The value in the files that is read as 255, None where values are as they are.
    """

    def __init__(
        self,
        grid: Grid,
        layers: Sequence[Layer],
        stack: ExitStack,
        path: Path,
        scale: float | None = None,
    ) -> None:
        self.grid = grid
        self.path = path
        self.bands = tuple(layer.name for layer in layers)
        self._stored = _stored(layers)
        self.dtype = self._stored if scale is None else np.dtype(np.uint8)
        self.scale = scale
        self._layers = tuple(layers)
        self._masked = _masked(layers)
        self._stack = stack

    def __enter__(self) -> "Scene":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def has_nodata(self) -> bool:
        """Tell whether any band says where it has no data."""
        return bool(self._masked) or any(layer.nodata is not None for layer in self._layers)

    def blank(self, height: int, width: int) -> Values:
        """Give room for a window: values `(C, H, W)` and `(H, W)`, to be read into again."""
        image = np.empty((len(self._layers), height, width), self._stored)
        return image, np.empty((height, width), np.bool_)

    def read(
        self, rows: tuple[int, int], cols: tuple[int, int], room: Values | None = None
    ) -> Values:
        """Read a window; parts outside the scene are its reflection.

        Args:
            rows: Half-open range, may begin below 0 and end after the height.
            cols: The same for columns.
            room: From `blank`, overwritten; new when omitted. Reading strip after strip into the
                same memory spares the system from handing out, and clearing, its pages again.

        Returns:
            Values `(H, W, C)` (a view of `(C, H, W)`), and `(H, W)` True where every band has
            data.

        Raises:
            InputError: The file is damaged.
        """
        down, top, height = _span(reflect(*rows, self.grid.height))
        across, left, width = _span(reflect(*cols, self.grid.width))
        window = Window(left, top, width, height)
        image, valid = room or self.blank(len(down), len(across))
        row, col = _inside(down, height), _inside(across, width)
        if row is None or col is None:
            core, good = self.blank(height, width)
            self._fill(core, window)
            self._valid(core, window, good)
            image[...], valid[...] = core[:, down][:, :, across], good[down][:, across]
        else:
            inner = slice(row, row + height), slice(col, col + width)
            self._fill(image[:, *inner], window)
            self._valid(image[:, *inner], window, valid[inner])
            for plane in (*image, valid):
                _reflect_rims(plane, inner, down, across)
        if self.scale is not None:
            image = to_bytes(image, self.scale, valid)
        return np.moveaxis(image, 0, -1), valid

    def _fill(self, out: NDArray[Any], window: Window) -> None:
        """Read a window of the scene into `(C, H, W)`, the bands of a file in one go."""
        for source in {id(layer.source): layer.source for layer in self._layers}.values():
            places = [i for i, layer in enumerate(self._layers) if layer.source is source]
            numbers = [self._layers[i].number for i in places]
            together = places == list(range(places[0], places[-1] + 1))
            target = out[places[0] : places[-1] + 1] if together else np.empty_like(out[places])
            try:
                source.read(numbers, window=window, out=target)
            except rasterio.errors.RasterioError as error:
                raise damaged(self.path, error) from error
            if not together:
                out[places] = target

    def _valid(self, image: NDArray[Any], window: Window, valid: NDArray[np.bool_]) -> None:
        valid[...] = True
        for layer, plane in zip(self._layers, image, strict=True):
            if plane.dtype.kind == "f":
                valid &= np.isfinite(plane)
            if layer.nodata is not None and not np.isnan(layer.nodata):
                valid &= plane != layer.nodata
        for source in self._masked:
            valid &= source.dataset_mask(window=window) > 0


def open_scene(
    path: Path | None,
    wanted: Sequence[str],
    *,
    names: Sequence[str] | None = None,
    files: Mapping[str, Path] | None = None,
    nodata: float | None = None,
    scale: float | None = None,
) -> Scene:
    """Open a scene and pick `wanted` bands by name.

    Args:
        path: A raster of several bands, None when every band has its own file.
        wanted: Band names in the order the model takes them.
        names: Names of the bands of `path` in file order; its band descriptions when omitted.
        files: Single-band files by band name, of any resolution; they add to `path` and win.
        nodata: Value that means "no data" where a file does not declare one.
        scale: Read 0 to `scale` as 0 to 255 (`to_bytes`), for a model of 8-bit values; what has
            no data is told before.

    Raises:
        MissingError: A file or a band is not there.
        InputError: A file is no readable raster, the files do not cover the same ground, or
            their values have 8 bits already and a scale is given.
    """
    files = dict(files or {})
    with ExitStack() as stack:
        layers = _open_layers(path, wanted, names, files, nodata, stack)
        grid = _finest(layers)
        layers = [_align(layer, grid, stack) for layer in layers]
        first = path or next(iter(files.values()))
        if scale is not None:
            check_scale(scale, _stored(layers), first)
        return Scene(grid, layers, stack.pop_all(), Path(first), scale)
    raise AssertionError


def _stored(layers: Sequence[Layer]) -> np.dtype[Any]:
    """Give the common dtype of the values in the files."""
    return np.result_type(*(np.dtype(item.source.dtypes[item.number - 1]) for item in layers))


def _masked(layers: Sequence[Layer]) -> list[Any]:
    """Give the sources that carry a mask or an alpha band."""
    sources = {id(layer.source): layer.source for layer in layers}
    return [
        source
        for source in sources.values()
        if any(MaskFlags.per_dataset in flags for flags in source.mask_flag_enums)
    ]


def _span(positions: NDArray[np.int64]) -> tuple[NDArray[np.int64], int, int]:
    """Give positions counted from their smallest, the smallest, and how many it is to the last."""
    first = int(positions.min())
    return positions - first, first, int(positions.max()) + 1 - first


def _inside(positions: NDArray[np.int64], length: int) -> int | None:
    """Give where 0, 1, ... length - 1 stands in reflected positions, None where it is cut off."""
    start = int(np.argmin(positions))
    run = positions[start : start + length]
    return start if np.array_equal(run, np.arange(length)) else None


def _reflect_rims(
    plane: NDArray[Any],
    inner: tuple[slice, slice],
    down: NDArray[np.int64],
    across: NDArray[np.int64],
) -> None:
    """Fill what lies around `inner` of `(H, W)` with its reflection."""
    rows, cols = inner
    core = plane[inner]
    plane[rows, : cols.start] = core[:, across[: cols.start]]
    plane[rows, cols.stop :] = core[:, across[cols.stop :]]
    middle = plane[rows]
    plane[: rows.start] = middle[down[: rows.start]]
    plane[rows.stop :] = middle[down[rows.stop :]]


def band_name(description: str) -> str:
    """Give the band name at the start of a description: `B2 (blue)` is `B02`."""
    found = re.match(r"\s*B(\d{1,2})(A?)(?![0-9A-Za-z])", description, re.IGNORECASE)
    if not found:
        return description.strip()
    number, letter = found.groups()
    return f"B{number}{letter.upper()}" if letter else f"B{int(number):02d}"


def _open_layers(
    path: Path | None,
    wanted: Sequence[str],
    names: Sequence[str] | None,
    files: dict[str, Path],
    nodata: float | None,
    stack: ExitStack,
) -> list[Layer]:
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


def _finest(layers: Sequence[Layer]) -> Grid:
    return min((Grid.of(layer.source) for layer in layers), key=lambda grid: grid.pixel)


def _align(layer: Layer, grid: Grid, stack: ExitStack) -> Layer:
    """Bring a coarser band onto the grid, bilinear between pixel centres."""
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
