"""Cover the parcels: forest where the land is high, meadows near the river, fields elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon, box

from agri_data.synth.layout.frame import Frame
from agri_data.synth.layout.land import Feature
from agri_data.synth.layout.noise import fractal, ranks
from agri_data.synth.layout.parcels import Parcel
from agri_data.synth.layout.shapes import above, pieces, sample

# Shares of a scene for the first two; FELLED is the chance of a parcel of forest.
FOREST, MEADOW, FELLED = 0.27, 0.225, 0.04
# Square metres below which a piece becomes a meadow first, and of the smallest clear-cut.
SLIVER = 2500.0
CLEARCUT = 8000.0
# Metres: large polygons are cut to such cells first, since overlays cost by the vertex.
NEIGHBOURHOOD = 600.0


@dataclass(frozen=True, slots=True)
class Rest:
    """What the parcels have to respect: taken ground, terrain and the river."""

    frame: Frame
    taken: Any
    height: NDArray[np.float32]
    course: Polygon


def cover_parcels(rng: np.random.Generator, parcels: Sequence[Parcel], rest: Rest) -> list[Feature]:
    """Return the forest, meadow and field features that fill the ground not yet taken."""
    shapes = np.array([parcel.shape for parcel in parcels], dtype=object)
    free = _less(shapes, rest.taken)
    woods = _woods(rng, rest, shapes)
    kinds = _stands(rng, rest, shapes)
    features = [
        Feature(part, _stand(part, kinds[i]), parcels[i].angle)
        for i, shape in enumerate(_within(free, woods))
        for part in pieces(shape)
    ]
    open_ = [
        Feature(part, "field", parcels[i].angle)
        for i, shape in enumerate(_less(free, woods))
        for part in pieces(shape)
    ]
    return features + _meadows(rng, rest, open_)


def _woods(rng: np.random.Generator, rest: Rest, shapes: NDArray[Any]) -> Any:
    """Forest with ragged edges on the hills, whole parcels of it here and there, river trees."""
    shape = rest.height.shape
    field = rest.height + 0.5 * fractal(rng, shape, 60, 3) + 0.16 * fractal(rng, shape, 9, 3)
    # 3.5 % less on the hills, which single lots and river trees make up for.
    level = float(np.quantile(field, 1 - FOREST + 0.035))
    hills = above(field, level, rest.frame.metres)
    centres = shapely.get_coordinates(shapely.centroid(shapes))
    score = sample(field, centres, rest.frame.metres) + rng.normal(0, 0.5, len(shapes))
    small = shapely.area(shapes) < 6e4
    lots = shapes[small & (score > level - 0.15) & (rng.random(len(shapes)) < 0.35)]
    groves = above(fractal(rng, shape, 24, 3), 0.6, rest.frame.metres)
    bank = rest.course.buffer(16).intersection(groves)
    return shapely.union_all([hills, *lots, bank])


def _stands(rng: np.random.Generator, rest: Rest, shapes: NDArray[Any]) -> list[str]:
    """Give each parcel the kind its forest would be: conifers on high ground, more or less."""
    centres = shapely.get_coordinates(shapely.centroid(shapes))
    level = sample(rest.height, centres, rest.frame.metres) - 0.8 + rng.normal(0, 0.8, len(shapes))
    index = np.digitize(level, [-0.3, 0.3])
    index[rng.random(len(shapes)) < FELLED] = 3
    return [("broadleaf", "mixed", "conifer", "felled")[i] for i in index]


def _stand(part: Polygon, kind: str) -> str:
    """Keep clear-cuts to whole stands: a narrow strip of trees is left standing."""
    # Isoperimetric quotient: 1 for a disc, 0.79 for a square; strips fall below 0.3.
    compact = 4 * np.pi * part.area / part.length**2 > 0.3
    return kind if kind != "felled" or (compact and part.area > CLEARCUT) else "broadleaf"


def _meadows(rng: np.random.Generator, rest: Rest, fields: list[Feature]) -> list[Feature]:
    """Convert fields to meadows until these have their share: wet, steep and odd pieces first."""
    areas = np.array([f.shape.area for f in fields])
    shapes = np.array([f.shape for f in fields], dtype=object)
    centres = shapely.get_coordinates(shapely.point_on_surface(shapes))
    slope = ranks(np.hypot(*np.gradient(rest.height)))
    wet = np.exp(-shapely.distance(shapes, rest.course) / 250)
    thin = areas / np.maximum(shapely.length(shapes), 1.0) < 12
    score = wet + 0.9 * sample(slope, centres, rest.frame.metres) + 3.0 * (thin | (areas < SLIVER))
    score = score + rng.normal(0, 0.45, len(fields))
    order = np.argsort(-score)
    filled = np.cumsum(areas[order]) - areas[order]
    chosen = {int(i) for i in order[filled < MEADOW * rest.frame.hectares * 1e4]}
    return [
        Feature(f.shape, "meadow" if i in chosen else "field", f.angle)
        for i, f in enumerate(fields)
    ]


def _less(shapes: NDArray[Any], cut: Any) -> NDArray[Any]:
    return np.asarray(shapely.difference(shapes, _near(shapes, cut)), dtype=object)


def _within(shapes: NDArray[Any], area: Any) -> NDArray[Any]:
    return np.asarray(shapely.intersection(shapes, _near(shapes, area)), dtype=object)


def _near(shapes: NDArray[Any], area: Any) -> NDArray[Any]:
    """Return the part of a large area around each shape, so that overlays stay small."""
    near = np.full(len(shapes), Polygon(), dtype=object)
    full = np.flatnonzero(~shapely.is_empty(shapes))
    cells = shapely.get_coordinates(shapely.centroid(shapes[full])) // NEIGHBOURHOOD
    for cell in np.unique(cells, axis=0):
        members = full[(cells == cell).all(axis=1)]
        around = box(*shapely.total_bounds(shapes[members])).buffer(5, join_style="mitre")
        near[members] = area.intersection(around)
    return near
