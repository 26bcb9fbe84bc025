"""Compose a place: water, roads, villages and pits first, then parcels in what is left."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize
from shapely.geometry import LineString, Polygon

from agri_data.synth.layout import roads, water
from agri_data.synth.layout.cover import Rest, cover_parcels
from agri_data.synth.layout.frame import Frame
from agri_data.synth.layout.land import Feature, Land
from agri_data.synth.layout.noise import fractal, standard
from agri_data.synth.layout.parcels import Tessellation, tessellate
from agri_data.synth.layout.shapes import blob, pieces, sample, total
from agri_data.synth.layout.villages import Detail, standing, village

# Shares of a scene; `cover` has those of forest and meadow, fields take the rest.
WATER, BUILT, BARE = 0.048, 0.064, 0.028
# Shares of the bare ground, a pit each; they add up to 1.
PITS = (0.27, 0.2, 0.15, 0.12, 0.1, 0.07, 0.05, 0.04)
# Hectares of built-up land for each village.
VILLAGE = 34.0


@dataclass(slots=True)
class Draft:
    """A place while it is drawn: later features only get the ground earlier ones left free."""

    frame: Frame
    rng: np.random.Generator
    features: list[Feature] = field(default_factory=list)
    details: list[Detail] = field(default_factory=list)
    taken: Any = field(default_factory=Polygon)

    def claim(self, shape: Any, kind: str, angle: float = 0.0, smallest: float = 150.0) -> None:
        """Add what of `shape` lies in the scene and is free."""
        free = shape.intersection(self.frame.square).difference(self.taken)
        claimed = list(pieces(free, smallest))
        self.features.extend(Feature(part, kind, angle) for part in claimed)
        self.taken = shapely.union_all([self.taken, *claimed])


def compose(frame: Frame, seed: tuple[int, ...]) -> Land:
    """Draw the land of one place; the same seed gives the same land."""
    rng = np.random.default_rng(seed)
    draft = Draft(frame, rng)
    grid = tessellate(rng, frame.metres)
    course = water.river(rng, frame.metres)
    network = roads.Network.along(grid.blocks)
    sites = _sites(draft, network, course)
    ways = roads.join(network, sites, frame.metres)
    if ways:
        # 15 m wide, more than a pixel, so that roads can be labelled.
        draft.claim(shapely.union_all(_bent(grid, ways)).buffer(7.5), "road")
    _water(draft, course, [*(f.shape for f in draft.features), *_yards(sites)])
    _villages(draft, grid, network, sites)
    height = _height(rng, frame, course)
    _pits(draft, height)
    _tracks(draft, _bent(grid, roads.tracks(network, ways)))
    rest = Rest(frame, draft.taken, height, course.shape)
    draft.features.extend(cover_parcels(rng, grid.parcels, rest))
    return Land(frame, tuple(draft.features), tuple(draft.details), height)


def _sites(draft: Draft, network: roads.Network, course: water.River) -> list[roads.Node]:
    """Choose village sites: corners of blocks that keep away from each other and the border."""
    size = draft.frame.metres
    wanted = max(1, round(draft.frame.hectares * BUILT / VILLAGE))
    inner = [n for n in network.links if min(*n, size - n[0], size - n[1]) > 0.12 * size]
    # Villages keep 160 m off the river where they can.
    inner = [n for n in inner if course.line.distance(shapely.Point(n)) > 160] or inner
    draft.rng.shuffle(inner)
    chosen = [inner[0]]
    while len(chosen) < min(wanted, len(inner)):
        chosen.append(max(inner, key=lambda node: min(roads.far(node, stop) for stop in chosen)))
    return chosen


def _yards(sites: list[roads.Node]) -> list[Polygon]:
    # Metres around a village to come that lakes leave free.
    return [shapely.Point(x, y).buffer(330) for x, y in sites]


def _bent(grid: Tessellation, lines: list[LineString]) -> Any:
    # A vertex every 40 m lets a line follow the warp, whose waves are over 1 km long.
    return shapely.transform(shapely.segmentize(lines, 40.0), grid.warp)


def _water(draft: Draft, course: water.River, avoid: list[Polygon]) -> None:
    draft.claim(course.shape, "river")
    flowing = total(feature.shape for feature in draft.features if feature.kind == "river")
    left = draft.frame.hectares * WATER - flowing
    for shape in water.lakes(draft.rng, draft.frame.metres, course, max(left, 2.0), avoid):
        draft.claim(shape, "lake")


def _villages(
    draft: Draft, grid: Tessellation, network: roads.Network, sites: list[roads.Node]
) -> None:
    roads_area = total(f.shape for f in draft.features if f.kind == "road")
    each = max(draft.frame.hectares * BUILT - roads_area * 0.5, 5.0) / len(sites)
    for site in sites:
        x, y = grid.warp(np.array([site]))[0]
        toward = next(iter(network.links[site]))
        angle = float(np.degrees(np.arctan2(toward[1] - site[1], toward[0] - site[0])))
        built = village(draft.rng, (x, y), each * draft.rng.uniform(0.7, 1.3), angle)
        free = built.shape.difference(draft.taken)
        draft.claim(built.shape, "village", angle)
        draft.details.extend(standing(built.details, free))


def _height(rng: np.random.Generator, frame: Frame, course: water.River) -> NDArray[np.float32]:
    """Return terrain at 10 m, deviation 1: rolling hills that fall towards the river."""
    shape = (frame.size, frame.size)
    wet = rasterize([course.shape], shape, transform=frame.local(), dtype="uint8", fill=0)
    away = cv2.distanceTransform(1 - wet, cv2.DIST_L2, 5) * 10 if wet.any() else np.ones(shape)
    # The land rises from the river over some 700 m.
    valley = 1 - np.exp(-away / 700)
    return standard(np.asarray(fractal(rng, shape, 170, 5) + 2.2 * valley, np.float32))


def _pits(draft: Draft, height: NDArray[np.float32]) -> None:
    """Open quarries on the hills and sand pits in the valley, until bare ground has its share."""
    wanted = draft.frame.hectares * BARE
    for number, share in enumerate(PITS):
        kind = ("quarry", "sand")[number % 2]
        size = max(0.6, wanted * share)
        spots = draft.rng.uniform(0.1, 0.9, (40, 2)) * draft.frame.metres
        level = sample(height, spots, draft.frame.metres)
        order = np.argsort(-level if kind == "quarry" else np.abs(level + 0.3))
        shapes = [blob(draft.rng, (x, y), size, 0.3) for x, y in spots[order[:12]]]
        draft.claim(min(shapes, key=lambda shape: shape.intersection(draft.taken).area), kind)


def _tracks(draft: Draft, lines: Any) -> None:
    """Run field tracks between the blocks, and a hedge along every third."""
    for line in lines:
        free = line.difference(draft.taken)
        draft.details.append(Detail(free.buffer(2.6), "track"))
        if draft.rng.random() < 0.35:
            draft.details.append(Detail(free.buffer(6.5, single_sided=True), "hedge"))
