"""Mapped hectares per class: pixel counts times the area of each pixel."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.csvfile import csv_text
from agri_core.legend import IGNORE, Legend
from agri_core.raster.grid import Grid
from agri_core.raster.pixel_area import HECTARE, PixelArea, measure_pixel_area
from numpy.typing import NDArray

from agri_map.maps.mapfile import open_map, read_blocks, read_legend

CAVEAT = "mapped hectares (pixel count), not an area estimate"
DIGITS = 6
"""Of hectares and shares in files: a hundredth of a square metre, above the noise of sums."""

COLUMNS = ("class_id", "class", "pixels", "hectares", "share")


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One class of a map.

    Attributes:
        class_id: Value in the map.
        name: Class name, or `no data`.
        pixels: Pixels of the class.
        hectares: Hectares they cover.
        share: Share of the ground that was mapped, None for the no-data row.
    """

    class_id: int
    name: str
    pixels: int
    hectares: float
    share: float | None


@dataclass(frozen=True, slots=True)
class AreaTable:
    """All classes in legend order, then codes outside the legend, then the no-data row."""

    rows: tuple[AreaRow, ...]
    method: str

    @property
    def mapped(self) -> float:
        """Hectares of all classes."""
        return sum(row.hectares for row in self.rows if row.share is not None)

    @property
    def total(self) -> float:
        """Hectares of the whole raster."""
        return sum(row.hectares for row in self.rows)


def measure(path: Path, pixel: float | None = None) -> tuple[AreaTable, Legend]:
    """Measure a map, reading it block by block.

    Raises:
        MissingError: No such file.
        InputError: Not a class map, or the size of its pixels is unknown.
    """
    with open_map(path) as dataset:
        area = AreaAccumulator(measure_pixel_area(Grid.of(dataset), pixel))
        legend = read_legend(dataset)
        for window, block in read_blocks(dataset):
            area.add(window.row_off, block)
    return area.table(legend), legend


class AreaAccumulator:
    """Accumulator of the pixels and the area of each value of a map, fed with its rows.

    Attributes:
        pixels: Pixels by value, `(256,)`.
        metres: Their square metres, `(256,)`; all 0 without `pixel_area`.
    """

    def __init__(self, pixel_area: PixelArea | None) -> None:
        self.pixel_area = pixel_area
        self.pixels = np.zeros(256, np.int64)
        self.metres = np.zeros(256)

    def add(self, top: int, block: NDArray[np.uint8]) -> None:
        """Count the rows `(H, W)` that begin at row `top` of the map."""
        if self.pixel_area is None:
            self.pixels += np.bincount(block.ravel(), minlength=256)
            return
        for columns, areas in self.pixel_area.strips(top, len(block)):
            rows = [np.bincount(row, minlength=256) for row in block[:, columns]]
            counts = np.asarray(rows, np.int64).reshape(-1, 256)
            self.pixels += counts.sum(0)
            # (rows) @ (rows, 256): the pixels of each row times the ground of one of its pixels.
            self.metres += areas @ counts

    def table(self, legend: Legend) -> AreaTable:
        """Return the hectares; only with `pixel_area`."""
        assert self.pixel_area is not None
        return make_table(self.pixels, self.metres / HECTARE, legend, self.pixel_area)


def make_table(
    pixels: NDArray[np.int64], hectares: NDArray[np.float64], legend: Legend, pixel_area: PixelArea
) -> AreaTable:
    """Return counts and hectares by value, both `(256,)`, as rows."""
    mapped = float(hectares[:IGNORE].sum())
    names: dict[int, str] = dict(enumerate(legend.names))
    strange = [int(code) for code in np.flatnonzero(pixels[:IGNORE]) if int(code) not in names]
    rows = [
        AreaRow(
            code,
            names.get(code, f"value {code} (not in the legend)"),
            int(pixels[code]),
            float(hectares[code]),
            float(hectares[code]) / mapped if mapped else 0.0,
        )
        for code in [*names, *strange]
    ]
    rows.append(AreaRow(IGNORE, "no data", int(pixels[IGNORE]), float(hectares[IGNORE]), None))
    return AreaTable(tuple(rows), pixel_area.method)


def to_text(table: AreaTable) -> str:
    """Return the table as readable text."""
    lines = [f"{'class':<28}{'pixels':>14}{'hectares':>16}{'share':>9}"]
    for row in table.rows:
        share = "" if row.share is None else f"{100 * row.share:.2f} %"
        lines.append(f"{row.name:<28}{row.pixels:>14,}{row.hectares:>16,.2f}{share:>9}")
    lines.append(
        f"{'total':<28}{sum(r.pixels for r in table.rows):>14,}{table.total:>16,.2f}{'':>9}"
    )
    return "\n".join([*lines, f"{CAVEAT}; pixel size: {table.method}"])


def shares(counts: NDArray[np.int64], legend: Legend) -> str:
    """Return the pixels and shares of a map without CRS, which has no hectares."""
    mapped = max(1, int(counts[:IGNORE].sum()))
    lines = [f"{'class':<28}{'pixels':>14}{'share':>9}"]
    for code, name in enumerate(legend.names):
        lines.append(f"{name:<28}{counts[code]:>14,}{100 * counts[code] / mapped:>7.2f} %")
    lines.append(f"{'no data':<28}{counts[IGNORE]:>14,}")
    return "\n".join([*lines, "the scene has no CRS: shares of pixels, no hectares"])


def to_csv(table: AreaTable) -> str:
    """Return the table as CSV; the share of no-data is empty."""
    rows = [
        (row.class_id, row.name, row.pixels, _round(row.hectares), _round(row.share))
        for row in table.rows
    ]
    return csv_text(COLUMNS, rows)


def to_json(table: AreaTable) -> dict[str, Any]:
    """Return the table as an object for JSON."""
    return {
        "note": CAVEAT,
        "method": table.method,
        "mapped_hectares": _round(table.mapped),
        "total_hectares": _round(table.total),
        "classes": [
            {
                "class_id": row.class_id,
                "class": row.name,
                "pixels": row.pixels,
                "hectares": _round(row.hectares),
                "share": _round(row.share),
            }
            for row in table.rows
        ],
    }


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
