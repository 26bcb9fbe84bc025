"""A class map to few-vertex outlines that, drawn in their order, are the map again.

A region is a set of pixels of one class that touch along their edges. VIA knows no holes: a region
is its outer ring, and what lies within it is drawn later, above it. Outlines are ordered by the
area within their ring, largest first, so that whatever is inside another comes after it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from agri_core.files.errors import InputError
from agri_core.legend import IGNORE
from numpy.typing import NDArray
from rasterio import features
from shapely.geometry import shape as to_geometry

from agri_annotate.choices import Background
from agri_annotate.masks.coverage import cover
from agri_annotate.model.shape import Points, Polygon
from agri_annotate.vectorise.arcs import Arc, corner_count, cut, junctions, thin

FIDELITY = 0.98
"""No class is thinned so far that the IoU with its pixels falls below this."""

REGION_MARGIN = 0.1
"""How far below FIDELITY a single region may fall: one pixel is a large share of a small region."""

STEP = 0.7
"""By how much the tolerance of a region is lowered at a time."""

FINEST = 0.1
"""Below this tolerance, in pixels, every pixel edge is kept."""

Mask = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Outline:
    """One region to draw.

    Attributes:
        code: class of its pixels.
        points: its outer ring, not closed, in pixels of the picture.
        pixels: of the region, without what lies inside it.
        confidence: mean over its pixels, None where none is known.
    """

    code: int
    points: Points
    pixels: int
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Drawing:
    """The outlines of one class map, in the order of drawing.

    Attributes:
        corners: vertices of the rings as pixel edges, before thinning.
        small: pixels of regions under the minimum, given to the neighbour or not drawn.
        covered: pixels to ignore that lie under a drawn region, since VIA has no holes.
    """

    outlines: tuple[Outline, ...]
    corners: int
    small: int
    covered: int

    @property
    def vertices(self) -> int:
        """Vertices to draw."""
        return sum(len(outline.points) for outline in self.outlines)


@dataclass(frozen=True, slots=True)
class _Parts:
    """Regions of a map, numbered from 1 in `labels`, `(height, width)`; 0 is to ignore."""

    labels: NDArray[np.int32]
    rings: Mapping[int, shapely.Polygon]
    codes: NDArray[np.int64]
    pixels: NDArray[np.int64]


def polygonise(
    mask: Mask,
    *,
    tolerance: float = 1.0,
    minimum: int = 64,
    background: Background = "holes",
    fidelity: float = FIDELITY,
    confidence: NDArray[np.floating] | None = None,
) -> Drawing:
    """Outline the regions of a map.

    Args:
        mask: `(height, width)`; 0 is the background, 255 is never drawn.
        tolerance: pixels a border may be moved; 0 keeps every pixel edge.
        minimum: regions of fewer pixels go to the neighbour with the most pixels.
        background: which regions of class 0 are drawn: those inside another region (without
            them a hole would be filled), all, or none.
        fidelity: IoU with its pixels that each class keeps: where the tolerance costs more, it is
            lowered for the regions that lose most.
        confidence: `(height, width)`, NaN where unknown.

    Raises:
        InputError: a number out of its range, arrays of other shapes.
    """
    _check(mask, tolerance, minimum, fidelity, confidence)
    sieved = _sieve(mask, minimum)
    parts = _parts(sieved)
    drawn = _drawn(parts, minimum, background)
    means = _means(parts, confidence)
    exact = _paint(parts.rings, drawn, mask.shape)
    rings, corners = _thin(parts, drawn, exact, tolerance, fidelity)
    outlines = tuple(
        Outline(
            int(parts.codes[part]),
            _points(ring),
            int(parts.pixels[part]),
            None if np.isnan(means[part]) else float(means[part]),
        )
        for part, ring in zip(drawn, rings, strict=True)
    )
    return Drawing(outlines, corners, *_unlike(mask, sieved, exact, parts, drawn))


def _check(
    mask: Mask,
    tolerance: float,
    minimum: int,
    fidelity: float,
    confidence: NDArray[np.floating] | None,
) -> None:
    if mask.ndim != 2 or mask.dtype != np.uint8 or mask.size == 0:
        raise InputError(f"a map is (height, width) of bytes, got {mask.shape} of {mask.dtype}")
    if not 0 <= tolerance <= 100:
        raise InputError(f"the tolerance is in pixels, 0 to 100, got {tolerance:g}")
    if minimum < 1:
        raise InputError(f"the minimum is a number of pixels, 1 or more, got {minimum}")
    if not 0 <= fidelity <= 1:
        raise InputError(f"the fidelity is an IoU, 0 to 1, got {fidelity:g}")
    if confidence is not None and confidence.shape != mask.shape:
        raise InputError(f"the confidence is {confidence.shape}, the map is {mask.shape}")


def _sieve(mask: Mask, minimum: int) -> Mask:
    # rasterio refuses a threshold of all pixels of the map.
    size = min(minimum, mask.size - 1)
    if size <= 1:
        return mask
    known = mask != IGNORE
    sieved: Mask = features.sieve(mask, size, mask=known, connectivity=4)
    return np.where(known, sieved, mask).astype(np.uint8)


def _parts(mask: Mask) -> _Parts:
    found = list(features.shapes(mask, mask=mask != IGNORE, connectivity=4))
    polygons = [to_geometry(geometry) for geometry, _ in found]
    labels = np.zeros(mask.shape, dtype=np.int32)
    if polygons:
        numbered = zip(polygons, range(1, len(polygons) + 1), strict=True)
        labels = features.rasterize(numbered, out=labels)
    return _Parts(
        labels,
        {part: shapely.Polygon(polygon.exterior) for part, polygon in enumerate(polygons)},
        np.array([value for _, value in found], dtype=np.int64),
        np.bincount(labels.ravel(), minlength=len(polygons) + 1)[1:],
    )


def _drawn(parts: _Parts, minimum: int, background: Background) -> list[int]:
    """Indices of the regions to draw, the largest ring first."""
    large = parts.pixels >= minimum
    chosen = large if background == "all" else large & (parts.codes != 0)
    if background == "holes":
        # Background inside a drawn ring must be drawn above it, or the ring would fill it.
        inside = _paint(parts.rings, np.flatnonzero(chosen).tolist(), parts.labels.shape) > 0
        within = np.unique(parts.labels[inside])
        chosen[within[within > 0] - 1] |= large[within[within > 0] - 1]
    order = np.flatnonzero(chosen).tolist()
    # The number settles ties, so that the order is the same every time.
    return sorted(order, key=lambda part: (-parts.rings[part].area, part))


def _paint(
    rings: Mapping[int, shapely.Polygon], drawn: Sequence[int], shape: tuple[int, ...]
) -> NDArray[np.int32]:
    """Fill rings in the order given with their region's number, from 1; 0 elsewhere."""
    canvas = np.zeros(shape, dtype=np.int32)
    if len(drawn) == 0:
        return canvas
    painted: NDArray[np.int32] = features.rasterize(
        [(rings[part], part + 1) for part in drawn], out=canvas
    )
    return painted


def _means(parts: _Parts, confidence: NDArray[np.floating] | None) -> NDArray[np.float64]:
    """Mean confidence per region, NaN where none of its pixels has one."""
    if confidence is None:
        return np.full(len(parts.rings), np.nan)
    known = np.isfinite(confidence)
    labels, size = parts.labels[known], len(parts.rings) + 1
    sums = np.bincount(labels, weights=confidence[known].astype(np.float64), minlength=size)
    counts = np.bincount(labels, minlength=size)
    means = np.full(size, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means[1:]


def _thin(
    parts: _Parts,
    drawn: Sequence[int],
    exact: NDArray[np.int32],
    tolerance: float,
    fidelity: float,
) -> tuple[list[NDArray[np.float64]], int]:
    """Thin the rings as far as the IoU allows; neighbours share the result."""
    if not drawn:
        return [], 0
    meets = junctions(parts.labels)
    arcs = [
        cut(shapely.get_coordinates(parts.rings[part]), part + 1, parts.labels, meets)
        for part in drawn
    ]
    corners = sum(corner_count(ring) for ring in arcs)
    # By label, 0 to n; one more at the end, which -1, the outside, reads.
    limits = np.full(len(parts.rings) + 2, float(tolerance))
    while True:
        rings = _join(arcs, drawn, limits)
        painted = _redrawn(rings, drawn, exact.shape)
        bad = _unlike_pixels(painted, drawn, exact, parts.codes, fidelity)
        bad |= {part + 1 for part, ring in zip(drawn, rings, strict=True) if not _is_plain(ring)}
        # What keeps every edge and is still wrong is covered by neighbours: thin those less.
        stuck = [label for label in bad if limits[label] == 0]
        bad |= set(np.unique(painted[np.isin(exact, stuck)]).tolist()) - {0}
        lower = [label for label in sorted(bad) if limits[label] > 0]
        if not lower:
            return rings, corners
        limits[lower] *= STEP
        # Ends the loop: seven steps of 0.7 lead from 1 pixel to 0, where nothing is thinned.
        limits[limits < FINEST] = 0


def _join(
    arcs: Sequence[Sequence[Arc]], drawn: Sequence[int], limits: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Rings of thinned arcs, not closed; `limits` is per label, the last for the outside."""
    flat = [arc for ring in arcs for arc in ring]
    owners = [part + 1 for part, ring in zip(drawn, arcs, strict=True) for _ in ring]
    # An arc has two sides: with the stricter limit both neighbours thin it alike.
    shared = np.minimum(limits[owners], limits[[arc.other for arc in flat]])
    thinned = iter(thin(flat, shared.tolist()))
    return [np.concatenate([next(thinned)[:-1] for _ in ring]) for ring in arcs]


def _is_plain(ring: NDArray[np.float64]) -> bool:
    """Whether a ring encloses something and does not cross itself."""
    return len(ring) >= 3 and bool(shapely.Polygon(ring).is_valid)


def _redrawn(
    rings: Sequence[NDArray[np.float64]], drawn: Sequence[int], shape: tuple[int, ...]
) -> NDArray[np.int32]:
    """Paint thinned rings in their order with their labels, as masks are drawn."""
    canvas = np.zeros(shape, dtype=np.int32)
    for part, ring in zip(drawn, rings, strict=True):
        if len(np.unique(ring, axis=0)) >= 3:
            covered = cover(Polygon(_points(ring)), *shape)
            np.copyto(canvas[covered.window], part + 1, where=covered.inside)
    return canvas


def _points(ring: NDArray[np.float64]) -> Points:
    return tuple((float(x), float(y)) for x, y in ring)


def _unlike_pixels(
    painted: NDArray[np.int32],
    drawn: Sequence[int],
    exact: NDArray[np.int32],
    codes: NDArray[np.int64],
    fidelity: float,
) -> set[int]:
    """Labels of the regions to thin less, those that cost their class its IoU.

    What is not drawn is a class here too: it loses what the drawn regions gain.
    """
    own = _agreement(exact, painted, max(drawn) + 2)
    of = np.concatenate([[IGNORE], codes]).astype(np.int32)
    weak = _agreement(of[exact], of[painted], IGNORE + 1) < fidelity
    # Any class may have taken the pixels that the undrawn ones lost.
    if weak[IGNORE]:
        weak[:] = True
    return {
        part + 1
        for part in drawn
        if own[part + 1] < fidelity - REGION_MARGIN
        or (weak[codes[part]] and own[part + 1] < fidelity)
    }


def _agreement(
    first: NDArray[np.int32], second: NDArray[np.int32], size: int
) -> NDArray[np.float64]:
    """IoU of each number below `size`, 1 where neither holds it."""
    same: NDArray[np.int64] = np.bincount(first[first == second], minlength=size)
    either = np.bincount(first.ravel(), minlength=size)
    either += np.bincount(second.ravel(), minlength=size) - same
    shares = np.ones(size)
    np.divide(same, either, out=shares, where=either > 0)
    return shares


def _unlike(
    mask: Mask,
    sieved: Mask,
    exact: NDArray[np.int32],
    parts: _Parts,
    drawn: Sequence[int],
) -> tuple[int, int]:
    """Pixels of small regions, and pixels to ignore that are covered."""
    kept = np.zeros(len(parts.rings) + 1, dtype=bool)
    kept[[part + 1 for part in drawn]] = True
    # Background is left out on purpose, not because it is small.
    kept[1:] |= parts.codes == 0
    small = (sieved != mask) | ((parts.labels > 0) & ~kept[parts.labels])
    covered = (mask == IGNORE) & (exact > 0)
    return int(np.count_nonzero(small)), int(np.count_nonzero(covered))
