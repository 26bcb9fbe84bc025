"""Write maps: row by row into a tiled temporary file, then as a cloud-optimised GeoTIFF.

The finished file takes its name in one rename, so a killed or failed run leaves no map.
"""

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import rasterio
import rasterio.shutil
from agri_core.files.atomic import replacing_file
from agri_core.files.ownership import check_companions, check_file
from agri_core.legend import IGNORE, Legend
from agri_core.raster.grid import Grid
from agri_core.raster.naming import CLASS, LEGEND
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError
from rasterio.enums import ColorInterp
from rasterio.io import DatasetWriter
from rasterio.windows import Window

from agri_map.maps.sidecar import names_file, write_sidecars

Kind = Literal["classes", "probabilities", "confidence"]
PERCENT_NODATA = 255
# Few enough for the planes of all classes to stay in the processor's cache, see `argmax`.
ARGMAX_ROWS = 8
KIND = "AGRI_KIND"


@dataclass(frozen=True, slots=True)
class Layout:
    """What one output file holds.

    Attributes:
        kind: Class codes, a probability per class, or the probability of the mapped class.
        legend: The classes.
        exact: Probabilities as float32 that add up to 1; else whole percent in uint8.
    """

    kind: Kind
    legend: Legend
    exact: bool = False

    @property
    def dtype(self) -> str:
        """Dtype of the pixels."""
        return "float32" if self.exact and self.kind != "classes" else "uint8"

    @property
    def nodata(self) -> float:
        """Value of pixels without data."""
        return float("nan") if self.dtype == "float32" else float(IGNORE)

    @property
    def names(self) -> tuple[str, ...]:
        """A description per band."""
        if self.kind == "probabilities":
            return tuple(f"probability of {name}" for name in self.legend.names)
        return ("class",) if self.kind == "classes" else ("confidence",)


class Sink:
    """An output that takes rows from top to bottom."""

    def __init__(self, dataset: DatasetWriter, layout: Layout) -> None:
        self._dataset = dataset
        self._layout = layout
        self.written = 0

    def put(
        self, top: int, probabilities: NDArray[np.float32], valid: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Write rows from `top` on and give what was written, `(bands, rows, W)`.

        Args:
            top: First row.
            probabilities: `(K, rows, W)`.
            valid: `(rows, W)`, False where the output is no-data.
        """
        block = encode(probabilities, valid, self._layout)
        self._dataset.write(block, window=Window(0, top, block.shape[2], block.shape[1]))
        self.written += bit_sum(block)
        return block


def encode(
    probabilities: NDArray[np.float32], valid: NDArray[np.bool_], layout: Layout
) -> NDArray[Any]:
    """Convert `(K, H, W)` probabilities to the bands of an output, `(bands, H, W)`."""
    block: NDArray[Any] = probabilities
    if layout.kind == "classes":
        block = argmax(probabilities)[None]
    elif layout.kind == "confidence":
        block = probabilities.max(0)[None]
    if block.dtype != layout.dtype:
        block = np.rint(np.clip(block, 0, 1) * 100).astype(np.uint8)
    return np.where(valid, block, np.asarray(layout.nodata, block.dtype))


def argmax(probabilities: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the most probable class of `(K, H, W)`; the first one of equals.

    Plane by plane and a few rows at a time, which stay in the processor's cache: numpy's own
    argmax over the first axis takes ten times as long.

    Example:
        >>> argmax(np.array([[[0.6, 0.5]], [[0.4, 0.5]]], np.float32)).tolist()
        [[0, 0]]
    """
    codes = np.zeros(probabilities.shape[1:], np.uint8)
    for top in range(0, len(codes), ARGMAX_ROWS):
        some, part = probabilities[:, top : top + ARGMAX_ROWS], codes[top : top + ARGMAX_ROWS]
        best = some[0].copy()
        for code, plane in enumerate(some[1:], start=1):
            np.maximum(part, (plane > best) * np.uint8(code), out=part)
            np.maximum(best, plane, out=best)
    return codes


@contextmanager
def raster_sink(
    path: Path, grid: Grid, layout: Layout, tags: Mapping[str, str], threads: int = 1
) -> Iterator[Sink]:
    """Return a sink whose rows become the cloud-optimised GeoTIFF `path` on a clean exit.

    Raises:
        InputError: `path` exists and is not this command's own, unchanged since.
        OSError: The disk is full, or the file cannot be written.
    """
    check_raster(path, layout)
    with (
        warnings.catch_warnings(action="ignore", category=rasterio.errors.NotGeoreferencedWarning),
        replacing_file(path) as target,
    ):
        rows = target.with_suffix(".rows.tif")  # removed with its GDAL side files
        try:
            with rasterio.open(rows, "w", **_profile(grid, layout)) as dataset:
                _describe(dataset, layout, tags)
                sink = Sink(dataset, layout)
                yield sink
            _to_cog(rows, target, layout, threads)
            _check_written(target, path, sink.written)
        except (rasterio.errors.RasterioError, CPLE_BaseError) as error:
            reason = error.__cause__ or error
            raise OSError(f"cannot write {path}, is the disk full? ({reason})") from error
        if layout.kind == "classes":
            write_sidecars(path, layout.legend)


def check_raster(path: Path, layout: Layout) -> None:
    """Refuse a map file that this command may not write, and one with side files of another map.

    Raises:
        InputError: as said; GDAL would read the overviews or the mask of the map before.
    """
    check_file(path)
    if layout.kind == "classes":
        check_file(names_file(path))
    check_companions(path, (".ovr", ".msk"))


def bit_sum(block: NDArray[Any]) -> int:
    """Add up the bit patterns of an array: a sum that does not depend on the order of blocks."""
    whole = np.ascontiguousarray(block).view(f"u{block.dtype.itemsize}")
    return int(whole.sum(dtype=np.uint64))


def _check_written(target: Path, path: Path, expected: int) -> None:
    """Read the file back: on a full disk GDAL can lose blocks as it closes, without an error."""
    found = 0
    with rasterio.open(target, driver="GTiff") as dataset:
        for _, window in dataset.block_windows(1):
            found += bit_sum(dataset.read(window=window))
    if found != expected:
        reason = "it does not read back as it was written"
        raise OSError(f"cannot write {path}, is the disk full? ({reason})")


def _profile(grid: Grid, layout: Layout) -> dict[str, Any]:
    return {
        "driver": "GTiff",
        "dtype": layout.dtype,
        "count": len(layout.names),
        "height": grid.height,
        "width": grid.width,
        "crs": grid.crs,
        "transform": grid.transform,
        "nodata": layout.nodata,
        "tiled": True,
        "blockxsize": 512,
        "blockysize": 256,
        "compress": "deflate",
        # This file is read once and removed: time counts, not size.
        "zlevel": 1,
        "interleave": "band",
        "bigtiff": "if_safer",
        # Blocks without data take no space on the disk.
        "sparse_ok": True,
    }


def _describe(dataset: DatasetWriter, layout: Layout, tags: Mapping[str, str]) -> None:
    facts = {KIND: layout.kind, LEGEND: json.dumps(layout.legend.to_list(), ensure_ascii=False)}
    dataset.update_tags(**facts, **tags)
    for number, name in enumerate(layout.names, start=1):
        dataset.set_band_description(number, name)
        if layout.dtype == "uint8" and layout.kind != "classes":
            dataset.update_tags(number, UNIT="percent")
    if layout.kind == "classes":
        dataset.colorinterp = [ColorInterp.palette]
        dataset.write_colormap(1, _colours(layout.legend))
        names = {f"{CLASS}{item.id}": item.name for item in layout.legend.classes}
        dataset.update_tags(1, **names)


def _colours(legend: Legend) -> dict[int, Sequence[int]]:
    colours: dict[int, Sequence[int]] = {
        item.id: (*map(int, rgb), 255) for item, rgb in zip(legend.classes, legend.rgb, strict=True)
    }
    return colours | {IGNORE: (0, 0, 0, 0)}


def _to_cog(source: Path, target: Path, layout: Layout, threads: int) -> None:
    classes = layout.kind == "classes"
    rasterio.shutil.copy(
        source,
        target,
        driver="COG",
        compress="DEFLATE",
        level=3,
        # Differences of neighbours compress smooth numbers, not class codes.
        predictor="NO" if classes else "YES",
        blocksize=512,
        overviews="IGNORE_EXISTING",
        # The mean of class codes would be another class.
        overview_resampling="MODE" if classes else "AVERAGE",
        resampling="NEAREST",
        bigtiff="IF_SAFER",
        num_threads=str(threads),
    )
