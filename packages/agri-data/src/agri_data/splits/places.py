"""Positions of chips: boxes in a common frame, and blocks of ground.

A frame is a plane in which distances mean something: the map for chips with coordinates, else the
pixel grid of the chip's own source. Chips of different frames never meet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from agri_core.files.errors import InputError
from agri_core.raster.pixel_area import METRES_PER_DEGREE
from numpy.typing import NDArray

if TYPE_CHECKING:
    from rasterio.crs import CRS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Boxes:
    """Axis-aligned boxes of N chips.

    Attributes:
        frame: number of the plane each box lies in, `(N,)`.
        edges: x0, y0, x1, y1 with x0 < x1 and y0 < y1, `(N, 4)`; metres on the map, else pixels.
        tolerance: how far two boxes may seem to overlap when they only touch, `(N,)`.
        metric: whether each box is in metres, `(N,)`.
    """

    frame: Ints
    edges: Floats
    tolerance: Floats
    metric: NDArray[np.bool_]

    @property
    def centres(self) -> Floats:
        """x, y of the centres, `(N, 2)`."""
        return (self.edges[:, :2] + self.edges[:, 2:]) / 2

    @property
    def sides(self) -> Floats:
        """Widths and heights, `(N, 2)`."""
        return self.edges[:, 2:] - self.edges[:, :2]


def windows(table: pd.DataFrame, size: int) -> Boxes:
    """Return the pixel windows of the chips in their sources; the frame is the source."""
    start = np.stack([table["col"], table["row"]], axis=1).astype(np.float64)
    frame = pd.factorize(table["source"])[0].astype(np.int64)
    none = np.zeros(len(table), bool)
    return Boxes(frame, np.hstack([start, start + size]), np.zeros(len(table)), none)


def locate(table: pd.DataFrame, size: int) -> Boxes:
    """Return the chips' boxes: on the map where they have coordinates, else windows in the source.

    In one projected CRS the boxes are the chips' bounds in metres. Chips in degrees, or in several
    CRSs, are laid on one equirectangular plane by their centres, so that two dates or two UTM
    zones over one place do meet.

    Raises:
        InputError: a CRS or a transform cannot be read.
    """
    boxes = windows(table, size)
    on_map = ((table["crs"] != "") & (table["transform"] != "")).to_numpy()
    if not on_map.any():
        return boxes
    edges, tolerance = _map_edges(table[on_map], size)
    boxes.frame[on_map] = boxes.frame.max() + 1
    boxes.edges[on_map], boxes.tolerance[on_map] = edges, tolerance
    boxes.metric[on_map] = True
    return boxes


def blocks(boxes: Boxes, side: float) -> Ints:
    """Return the number of the square block, `side` wide, that holds each chip's centre.

    Example:
        >>> corners = np.array([[0, 0], [64, 0], [128, 0]])
        >>> edges = np.hstack([corners, corners + 64]).astype(np.float64)
        >>> boxes = Boxes(np.zeros(3, np.int64), edges, np.zeros(3), np.zeros(3, bool))
        >>> blocks(boxes, side=128).tolist()
        [0, 0, 1]
    """
    cells = np.floor(boxes.centres / side).astype(np.int64)
    keys = np.column_stack([boxes.frame, cells])
    return np.unique(keys, axis=0, return_inverse=True)[1].ravel().astype(np.int64)


def default_side(boxes: Boxes, count: int = 48) -> float:
    """Return a block side, whole chips wide, that cuts the ground covered into about `count`.

    A block is never narrower than two chips, else most chips would lie on a border.
    """
    chip = float(np.median(boxes.sides.max(axis=1)))
    cells = np.column_stack([boxes.frame, np.floor(boxes.centres / chip).astype(np.int64)])
    covered = len(np.unique(cells, axis=0)) * chip * chip
    return chip * max(2.0, float(np.round(np.sqrt(covered / count) / chip)))


def _map_edges(table: pd.DataFrame, size: int) -> tuple[Floats, Floats]:
    systems = {text: _read_crs(text) for text in table["crs"].unique()}
    bounds = _bounds(_transforms(table), size)
    only = next(iter(systems.values()))
    if len(systems) == 1 and not only.is_geographic:
        edges = bounds * float(only.linear_units_factor[1])
        # A millionth of a chip is rounding of the coordinates.
        return edges, 1e-6 * (edges[:, 2] - edges[:, 0])
    edges = np.zeros_like(bounds)
    for text, crs in systems.items():
        here = (table["crs"] == text).to_numpy()
        edges[here] = _to_degrees(bounds[here], crs)
    edges *= _metres_per_degree(edges)
    # Seen from another zone or in degrees a chip is a rotated box: half a pixel is not an overlap.
    return edges, 0.5 * (edges[:, 2] - edges[:, 0]) / size


def _bounds(affines: Floats, size: int) -> Floats:
    a, b, c, d, e, f = affines.T
    x = np.stack([c, c + a * size, c + b * size, c + (a + b) * size])
    y = np.stack([f, f + d * size, f + e * size, f + (d + e) * size])
    return np.column_stack([x.min(0), y.min(0), x.max(0), y.max(0)])


def _to_degrees(bounds: Floats, crs: CRS) -> Floats:
    from rasterio.warp import transform

    if crs.is_geographic:
        return bounds
    middle = (bounds[:, :2] + bounds[:, 2:]) / 2
    lon, lat = (np.array(v) for v in transform(crs, "EPSG:4326", middle[:, 0], middle[:, 1]))
    metres = (bounds[:, 2:] - bounds[:, :2]) * float(crs.linear_units_factor[1])
    # A degree of longitude shrinks with the cosine of the latitude.
    half_x = metres[:, 0] / 2 / (METRES_PER_DEGREE * np.cos(np.radians(lat)))
    half_y = metres[:, 1] / 2 / METRES_PER_DEGREE
    return np.column_stack([lon - half_x, lat - half_y, lon + half_x, lat + half_y])


def _metres_per_degree(degrees: Floats) -> Floats:
    # One factor, at the mean latitude, keeps all chips in one plane.
    shrink = np.cos(np.radians(np.mean(degrees[:, 1::2])))
    return METRES_PER_DEGREE * np.array([shrink, 1.0, shrink, 1.0])


def _transforms(table: pd.DataFrame) -> Floats:
    try:
        found = np.array([text.split() for text in table["transform"]], np.float64)
    except ValueError as error:
        raise InputError(
            f"a chip's transform is six numbers 'a b c d e f', got something else ({error})"
        ) from error
    if found.ndim != 2 or found.shape[1] != 6:
        raise InputError(f"a chip's transform is six numbers 'a b c d e f', got {found.shape[1:]}")
    return found


def _read_crs(text: str) -> CRS:
    from rasterio.crs import CRS
    from rasterio.errors import CRSError

    try:
        return CRS.from_user_input(text)
    except (CRSError, ValueError) as error:
        raise InputError(f"the chips' CRS {text!r} cannot be read ({error})") from error
