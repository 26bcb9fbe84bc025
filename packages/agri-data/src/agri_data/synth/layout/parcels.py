"""Parcels: a scene cut into blocks of one orientation each, and the blocks into fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.affinity import rotate
from shapely.geometry import MultiPoint, Polygon, box

from agri_data.synth.layout.shapes import pieces

# Metres around the scene: the warp must not bend the rim of the land into it.
MARGIN = 250.0
# Metres between the seeds of neighbouring blocks.
BLOCK = 780.0

Warp = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Parcel:
    """A piece of land with straight-ish edges; `angle` (degrees) is how its block is worked."""

    shape: Polygon
    angle: float
    block: int


@dataclass(frozen=True, slots=True)
class Tessellation:
    """Blocks before the warp (for the roads between them) and the warped, clipped parcels."""

    blocks: tuple[Polygon, ...]
    parcels: tuple[Parcel, ...]
    warp: Warp


def tessellate(rng: np.random.Generator, metres: float) -> Tessellation:
    """Cut the square `0..metres` into parcels of about 1 to 20 ha without gap or overlap."""
    blocks = _blocks(rng, metres)
    angles = rng.uniform(0, 180, len(blocks))
    cut = [_fields(rng, block, angle) for block, angle in zip(blocks, angles, strict=True)]
    warp = _warp(rng)
    return Tessellation(tuple(blocks), tuple(_noded(blocks, angles, cut, warp, metres)), warp)


def _blocks(rng: np.random.Generator, metres: float) -> list[Polygon]:
    span = metres + 2 * MARGIN
    count = max(2, round(span / BLOCK))
    step = span / count
    axis = (np.arange(count) + 0.5) * step - MARGIN
    seeds = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    seeds = seeds + rng.uniform(-0.42, 0.42, seeds.shape) * step
    outline = box(-MARGIN, -MARGIN, metres + MARGIN, metres + MARGIN)
    cells = shapely.voronoi_polygons(MultiPoint(seeds), extend_to=outline, ordered=True)
    return [cell.intersection(outline) for cell in cells.geoms]


def _fields(rng: np.random.Generator, block: Polygon, angle: float) -> list[Polygon]:
    """Cut one block along its own axes until each piece is near the block's field size."""
    # Square metres; field sizes are log-normal about 5.5 ha, one size for each block.
    target = float(np.clip(rng.lognormal(np.log(5.5), 0.65), 1.2, 18.0)) * 1e4
    aspect = rng.uniform(3.0, 6.0) if target < 3e4 else rng.uniform(1.2, 2.2)
    centre = block.centroid
    done: list[Polygon] = []
    open_: list[Polygon] = [rotate(block, -angle, origin=centre)]
    while open_:
        piece = open_.pop()
        if piece.area < target * rng.uniform(1.2, 1.8):
            done.append(rotate(piece, angle, origin=centre))
        else:
            open_.extend(_cut(rng, piece, aspect))
    return done


def _cut(rng: np.random.Generator, piece: Polygon, aspect: float) -> list[Polygon]:
    left, low, right, high = piece.bounds
    share = rng.uniform(0.36, 0.64)
    if (right - left) > aspect * (high - low):
        x = left + share * (right - left)
        halves = box(left, low, x, high), box(x, low, right, high)
    else:
        y = low + share * (high - low)
        halves = box(left, low, right, y), box(left, y, right, high)
    return [part for half in halves for part in pieces(piece.intersection(half))]


def _warp(rng: np.random.Generator) -> Warp:
    """Bend everything a little: roads and field edges follow the land, never a ruler."""
    waves = 2 * np.pi / rng.uniform(1100, 2600, (4, 2)) * rng.choice([-1, 1], (4, 2))
    phase = rng.uniform(0, 2 * np.pi, 4)
    push = rng.normal(0, 16.0, (4, 2))

    def warp(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(points + np.sin(points @ waves.T + phase) @ push)

    return warp


def _noded(
    blocks: list[Polygon],
    angles: NDArray[np.float64],
    cut: list[list[Polygon]],
    warp: Warp,
    metres: float,
) -> list[Parcel]:
    """Snap all edges together first, so that neighbours still share every vertex once warped."""
    edges = [field.boundary for fields in cut for field in fields]
    # A grid of 1 cm joins vertices that differ by rounding only.
    lines = shapely.union_all(edges, grid_size=0.01)
    cells = shapely.get_parts(shapely.polygonize([lines]))
    tree = shapely.STRtree(blocks)
    home = tree.nearest(shapely.point_on_surface(cells))
    square = box(0, 0, metres, metres)
    bent: Any = shapely.transform(shapely.segmentize(cells, 40.0), warp)
    clipped = shapely.intersection(bent, square)
    return [
        Parcel(part, float(angles[block]), int(block))
        for shape, block in zip(clipped, home, strict=True)
        for part in pieces(shape)
    ]
