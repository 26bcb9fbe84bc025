"""Water: a meandering river and lakes that fill up a wanted share of the scene."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString, Polygon

from agri_data.synth.layout.shapes import blob


@dataclass(frozen=True, slots=True)
class River:
    """A river: its centre line and the water between its banks."""

    line: LineString
    shape: Polygon


def river(rng: np.random.Generator, metres: float) -> River:
    """Draw a river that crosses the scene, meanders and changes width."""
    # Shares of the side: the river begins and ends beyond the borders.
    along = np.linspace(-0.15, 1.15, max(60, int(metres / 25)))
    bend = _meander(rng, along * metres)
    across = metres * rng.uniform(0.3, 0.7) + metres * rng.uniform(-0.3, 0.3) * (along - 0.5)
    points = np.column_stack([along * metres, across + bend])
    if rng.random() < 0.5:
        points = points[:, ::-1]
    width = 17 + 5 * np.sin(along * metres / 370 + rng.uniform(0, 6)) + rng.uniform(0, 4)
    line = LineString(points)
    return River(line, _banks(points, width))


def _meander(rng: np.random.Generator, metres: NDArray[np.float64]) -> NDArray[np.float64]:
    bend = np.zeros_like(metres)
    # Wave lengths and deflections in metres.
    for wave, push in ((2300, 150), (900, 75), (430, 38)):
        length = wave * rng.uniform(0.8, 1.25)
        drift = 0.8 * np.sin(metres / (2.7 * length) + rng.uniform(0, 6))
        phase = 2 * np.pi * metres / length + drift + rng.uniform(0, 6.3)
        bend += push * rng.uniform(0.7, 1.2) * np.sin(phase)
    return bend


def _banks(points: NDArray[np.float64], width: NDArray[np.float64]) -> Any:
    discs = shapely.buffer(shapely.points(points), width)
    hulls = [shapely.union_all([a, b]).convex_hull for a, b in itertools.pairwise(discs)]
    return shapely.union_all(hulls).simplify(0.5)


def lakes(
    rng: np.random.Generator,
    metres: float,
    course: River,
    hectares: float,
    avoid: Sequence[Polygon] = (),
) -> list[Polygon]:
    """Place one lake and ponds near the river until they hold `hectares`, clear of `avoid`."""
    # One lake and four ponds; the shares add up to 1.
    shares = np.array([0.62, 0.2, 0.09, 0.06, 0.03])
    placed: list[Polygon] = []
    for share in shares:
        size = max(0.4, float(share * hectares))
        placed.append(_place(rng, metres, course, size, [*avoid, *placed]))
    return placed


def _place(
    rng: np.random.Generator, metres: float, course: River, size: float, placed: list[Polygon]
) -> Polygon:
    radius = np.sqrt(size * 1e4 / np.pi)
    best: tuple[float, Polygon] | None = None
    for _ in range(24):
        low, high = min(1.5 * radius, metres / 2), max(metres - 1.5 * radius, metres / 2)
        x, y = rng.uniform(low, high + 1e-6, 2)
        shape = blob(rng, (x, y), size)
        crowd = sum(shape.intersection(other).area for other in [course.shape, *placed])
        # Best some 120 m from the river, and never on it if that can be.
        far = abs(shape.distance(course.line) - 120)
        cost = 3 * crowd + far * 20
        if best is None or cost < best[0]:
            best = (cost, shape)
    assert best is not None
    return best[1]
