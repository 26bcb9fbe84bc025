"""Holes of polygons, which VIA does not know: regions of the background above the polygon."""

from collections.abc import Mapping, Sequence
from typing import Any

import shapely

from agri_annotate.model.project import Problem

SLIVER = 0.01
"""Square pixels; a smaller piece cut off at a border comes from rounding."""

Rings = list[tuple[Any, int, bool]]
"""A ring, the number of its polygon in the layer, whether it is a hole."""


def open_holes(rings: Rings, areas: Mapping[int, Any], name: str) -> tuple[Rings, list[Problem]]:
    """Leave out holes that other polygons fill, and report what became of the rest."""
    rows = list(areas)
    tree = shapely.STRtree([areas[row] for row in rows])
    kept: Rings = []
    problems = []
    for ring, row, hole in rings:
        others = tree.query(shapely.Polygon(ring), "intersects") if hole else []
        near = [areas[rows[int(other)]] for other in others if rows[int(other)] != row]
        rest, below = _rest(shapely.Polygon(ring), near)
        if hole and rest.area <= SLIVER:
            continue
        kept.append((ring, row, hole))
        if hole and below:
            what = "another polygon shows through its hole; there it is drawn as background"
            problems.append(Problem(f"feature {row + 1} on {name}", what, "changed"))
    if any(hole for _, _, hole in kept):
        what = "holes are later regions of the background; regions go from the largest down"
        problems.append(Problem(name, what, "note"))
    return kept, problems


def _rest(hole: Any, near: Sequence[Any]) -> tuple[Any, bool]:
    """Return what the polygons within a hole leave of it, and whether one reaches beyond it."""
    # Room for rounding: what fills a hole shares its border.
    reach = hole.buffer(SLIVER)
    within = [shape for shape in near if reach.covers(shape)]
    rest = shapely.difference(hole, shapely.union_all(within)) if within else hole
    beyond = (shape for shape in near if not reach.covers(shape))
    return rest, any(shapely.intersection(rest, shape).area > SLIVER for shape in beyond)
