"""A scene as the model wants it: bands by name, on one grid, read window by window."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.raster.grid import Grid
from agri_core.raster.opening import reading
from agri_core.raster.validity import keep_valid
from numpy.typing import NDArray
from rasterio.windows import Window

from agri_map.scene.bytescale import check_scale, to_bytes
from agri_map.scene.layers import (
    Layer,
    align_layers,
    block_row_bytes,
    finest,
    masked,
    open_layers,
    stored,
)
from agri_map.scene.reflection import reflect

Values = tuple[NDArray[Any], NDArray[np.bool_]]
"""Values, and where they are valid."""


class Scene:
    """Bands in the order asked for; use as a context manager.

    Attributes:
        grid: The grid of the finest band.
        bands: Band names.
        dtype: The common dtype of the values.
        scale: The value in the files that is read as 255, None where values are as they are.
        block_row_bytes: What one row of blocks of its files takes in GDAL's cache.
    """

    def __init__(
        self,
        grid: Grid,
        layers: Sequence[Layer],
        stack: ExitStack,
        path: Path,
        scale: float | None = None,
        block_row_bytes: int = 0,
    ) -> None:
        self.grid = grid
        self.path = path
        self.bands = tuple(layer.name for layer in layers)
        self._stored = stored(layers)
        self.dtype = self._stored if scale is None else np.dtype(np.uint8)
        self.scale = scale
        self.block_row_bytes = block_row_bytes
        self._layers = tuple(layers)
        self._masked = masked(layers)
        self._stack = stack

    def __enter__(self) -> "Scene":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def has_nodata(self) -> bool:
        """Return whether any band declares where it has no data."""
        return bool(self._masked) or any(layer.nodata is not None for layer in self._layers)

    def blank(self, height: int, width: int) -> Values:
        """Return buffers for a window, `(C, H, W)` and `(H, W)`, which reading fills again."""
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
        # The range folds back before it holds the window in order: read first, then index.
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
            bands = [i for i, layer in enumerate(self._layers) if layer.source is source]
            numbers = [self._layers[i].number for i in bands]
            # Bands that follow each other are read straight into place, without a copy.
            together = bands == list(range(bands[0], bands[-1] + 1))
            target = out[bands[0] : bands[-1] + 1] if together else np.empty_like(out[bands])
            with reading(source.name):
                source.read(numbers, window=window, out=target)
            if not together:
                out[bands] = target

    def _valid(self, image: NDArray[Any], window: Window, valid: NDArray[np.bool_]) -> None:
        valid[...] = True
        for layer, plane in zip(self._layers, image, strict=True):
            keep_valid(valid, plane, layer.nodata)
        for source, masking in self._masked:
            with reading(source.name):
                unmasked = masking.read(source, window)
            if unmasked is not None:
                valid &= unmasked


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
        files: Single-band files by band name, of any resolution; they take precedence over `path`.
        nodata: Value that means "no data", whatever the files declare.
        scale: Read 0 to `scale` as 0 to 255 (`to_bytes`), for a model of 8-bit values; no data
            is detected before.

    Raises:
        MissingError: A file or a band is not there.
        InputError: A file is no readable raster, the files do not cover the same ground, or
            their values have 8 bits already and a scale is given.
    """
    files = dict(files or {})
    with ExitStack() as stack:
        layers = open_layers(path, wanted, names, files, nodata, stack)
        grid = finest(layers)
        cached = block_row_bytes(layers)
        layers = align_layers(layers, grid, stack)
        first = path or next(iter(files.values()))
        if scale is not None:
            check_scale(scale, stored(layers), first)
        return Scene(grid, layers, stack.pop_all(), Path(first), scale, cached)
    raise AssertionError


def _span(positions: NDArray[np.int64]) -> tuple[NDArray[np.int64], int, int]:
    """Return positions relative to their smallest, the smallest, and the length of the span."""
    first = int(positions.min())
    return positions - first, first, int(positions.max()) + 1 - first


def _inside(positions: NDArray[np.int64], length: int) -> int | None:
    """Return where 0, 1, ... length - 1 begins in reflected positions, None where it is cut off."""
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
