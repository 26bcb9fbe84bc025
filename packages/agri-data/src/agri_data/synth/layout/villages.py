"""Villages: streets, houses, gardens and halls inside one built-up outline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from shapely.affinity import rotate
from shapely.geometry import LineString, Polygon

from agri_data.synth.layout.shapes import blob, pieces, rectangle

ROOFS = ("tile", "tile", "tile", "slate", "slate", "metal")


@dataclass(frozen=True, slots=True)
class Detail:
    """A thing that is drawn but, narrower than a pixel or inside its cover, not labelled."""

    shape: Any
    kind: str
    later: bool = False


@dataclass(frozen=True, slots=True)
class Village:
    """A built-up outline and the details inside it."""

    shape: Polygon
    details: tuple[Detail, ...]


def village(
    rng: np.random.Generator, centre: tuple[float, float], hectares: float, angle: float
) -> Village:
    """Build a village of about `hectares` whose streets run along `angle` degrees."""
    core = blob(rng, centre, hectares * 0.72, wobble=0.4)
    streets = _streets(rng, core, angle)
    # In and out again by 9 m removes necks narrower than 18 m.
    outline = (
        shapely.union_all([core.buffer(-20), streets.buffer(36, quad_segs=4)]).buffer(-9).buffer(9)
    )
    shape = max(pieces(outline, 0.0), key=lambda part: part.area)
    shape = Polygon(shape.exterior).simplify(1.0)
    return Village(shape, tuple(build(rng, shape, streets)))


def standing(details: Iterable[Detail], free: Any) -> list[Detail]:
    """Return the details whose middle is on free ground, cut to it."""
    shapely.prepare(free)
    kept = []
    for detail in details:
        shape = detail.shape
        if detail.kind in ROOFS:
            if free.contains(shape.centroid):
                kept.append(detail)
        else:
            kept.append(replace(detail, shape=shape.intersection(free)))
    return kept


def estate(
    rng: np.random.Generator, shape: Polygon, angle: float, later: bool = True
) -> list[Detail]:
    """Fill a given outline with streets and houses, or with halls where it is large enough."""
    if rng.random() < 0.5 and shape.area > 1.5e4:
        return halls(rng, shape, angle, later)
    return build(rng, shape, _streets(rng, shape.buffer(-25), angle), later)


def build(
    rng: np.random.Generator, shape: Polygon, streets: Any, later: bool = False
) -> list[Detail]:
    """Line the streets with houses and set trees between them."""
    details = [Detail(streets.buffer(3.4, quad_segs=2).intersection(shape), "street", later)]
    inside = shape.buffer(-6)
    shapely.prepare(inside)
    for line in shapely.get_parts(streets):
        if isinstance(line, LineString) and line.length > 20:
            details.extend(_houses(rng, line, inside, later))
    details.extend(_trees(rng, shape, later))
    return details


def _streets(rng: np.random.Generator, area: Any, angle: float) -> Any:
    if area.is_empty:
        return LineString()
    centre = area.centroid
    flat = rotate(area, -angle, origin=centre)
    left, low, right, high = flat.bounds
    lines = []
    # Metres between streets: a row of houses with gardens fits on either side.
    for y in np.arange(low + 25, high, rng.uniform(62, 80)):
        lines.append(LineString([(left, y + rng.normal(0, 5)), (right, y + rng.normal(0, 5))]))
    for x in np.arange(left + 30, right, rng.uniform(130, 190)):
        lines.append(LineString([(x + rng.normal(0, 8), low), (x + rng.normal(0, 8), high)]))
    kept = shapely.union_all(lines).intersection(flat)
    return rotate(kept, angle, origin=centre)


def _houses(
    rng: np.random.Generator, line: LineString, inside: Polygon, later: bool
) -> list[Detail]:
    details = []
    at = rng.uniform(6, 16)
    while at < line.length - 6:
        here, ahead = line.interpolate(at), line.interpolate(at + 1)
        dx, dy = ahead.x - here.x, ahead.y - here.y
        for side in (-1, 1):
            gap = side * rng.uniform(12, 17)
            x, y = here.x - dy * gap, here.y + dx * gap
            if rng.random() < 0.86 and shapely.contains_xy(inside, x, y):
                turn = np.degrees(np.arctan2(dy, dx)) + rng.normal(0, 4)
                house = rectangle(x, y, rng.uniform(10, 19), rng.uniform(8, 12), turn)
                details.append(Detail(house, str(rng.choice(ROOFS)), later))
        at += rng.uniform(17, 27)
    return details


def _trees(rng: np.random.Generator, shape: Polygon, later: bool) -> list[Detail]:
    count = int(shape.area / (2600 if not later else 9000))
    left, low, right, high = shape.bounds
    points = rng.uniform((left, low), (right, high), (count, 2))
    crowns = shapely.buffer(shapely.points(points), rng.uniform(3, 8, count), quad_segs=2)
    inside = crowns[shapely.contains_xy(shape, points[:, 0], points[:, 1])]
    return [Detail(shapely.union_all(inside), "crown", later)]


def halls(rng: np.random.Generator, shape: Polygon, angle: float, later: bool) -> list[Detail]:
    """Cover an outline with a paved yard and large flat roofs."""
    details = [Detail(shape.buffer(-8), "yard", later)]
    inside = shape.buffer(-14)
    flat = rotate(inside, -angle, origin=shape.centroid)
    if flat.is_empty:
        return details
    left, low, right, high = flat.bounds
    for y in np.arange(low + 22, high, 62):
        for x in np.arange(left + 45, right, 100):
            hall = rectangle(x, y, rng.uniform(50, 86), rng.uniform(28, 46), 0)
            if flat.contains(hall):
                roof = str(rng.choice(("white", "metal", "slate")))
                details.append(Detail(rotate(hall, angle, origin=shape.centroid), roof, later))
    return details
