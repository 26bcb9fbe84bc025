"""Layouts of the embedding in a plane by t-SNE, and a series of them that keeps its orientation."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from agri_core.files.console import progress
from numpy.typing import NDArray

Points = NDArray[np.float64]

LEAST = 8
"""Fewer tiles than this have no layout by t-SNE; their principal components are used."""

# scikit-learn's default; at most a third of the other tiles below, as t-SNE looks at three times
# the perplexity of neighbours.
PERPLEXITY = 30.0
FIRST, NEXT = 750, 250
SPREAD = 1e-4


def layout(rows: NDArray[np.floating], seed: int, start: Points | None = None) -> Points:
    """Return a plane layout `(M, 2)` of rows `(M, D)`; the same seed gives the same layout.

    With `start` the layout continues from there: few iterations and no early exaggeration, so that
    points move only as far as the rows did.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    begin = _components(rows, np.random.default_rng(seed)) if start is None else start
    if len(rows) < LEAST:
        return np.asarray(begin, np.float64)
    model = TSNE(
        perplexity=min(PERPLEXITY, (len(rows) - 1) / 3),
        # scikit-learn's default of 12 for a new layout; 1, none, where one continues, or early
        # exaggeration would tear it apart.
        early_exaggeration=12.0 if start is None else 1.0,
        max_iter=FIRST if start is None else NEXT,
        init=np.asarray(begin, np.float32),
        random_state=seed,
    )
    # The sum of forces depends on the number of threads.
    with threadpool_limits(1):
        return np.asarray(model.fit_transform(np.asarray(rows, np.float32)), np.float64)


def layouts(frames: Sequence[NDArray[np.floating]], seed: int) -> list[Points]:
    """Return layouts of the same M tiles at several moments, each starting from the last one.

    Every layout is rotated or mirrored to lie on the one before. At the end all are centred,
    scaled to a root mean square radius of 1 and rotated together so that the last one lies
    lengthwise.
    """
    found: list[Points] = []
    for rows in progress(frames, "t-SNE"):
        points = layout(rows, seed, found[-1] if found else None)
        found.append(align_rotation(points, found[-1]) if found else points)
    centred = [_unit(points) for points in found]
    _, _, axes = np.linalg.svd(centred[-1], full_matrices=False)
    return [points @ axes.T for points in centred]


def chosen(count: int, most: int) -> list[int]:
    """Return up to `most` positions of `count`, evenly spaced, with the first and the last."""
    return sorted({round(position) for position in np.linspace(0, count - 1, min(count, most))})


def align_rotation(points: Points, onto: Points) -> Points:
    """Rotate or mirror `points` about their centre to lie on `onto` (orthogonal Procrustes)."""
    from scipy.linalg import orthogonal_procrustes

    centred = points - points.mean(axis=0)
    rotation, _ = orthogonal_procrustes(centred, onto - onto.mean(axis=0))
    return np.asarray(centred @ rotation, np.float64)


def between(frames: Sequence[Points], steps: int) -> list[tuple[int, Points]]:
    """Return all frames and `steps` eased positions between each two: (frame shown, points)."""
    moves = [(0, frames[0])]
    for number, (old, new) in enumerate(pairwise(frames), start=1):
        for step in range(1, steps + 1):
            share = step / (steps + 1)
            # The smoothstep polynomial: speed 0 at both ends, so that the animation does not
            # jerk.
            eased = share * share * (3 - 2 * share)
            moves.append((number if share >= 0.5 else number - 1, old + eased * (new - old)))
        moves.append((number, new))
    return moves


def _components(rows: NDArray[np.floating], rng: np.random.Generator) -> Points:
    """The first two principal components, tiny as t-SNE wants them, never quite equal."""
    centred = np.asarray(rows, np.float64) - rows.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    points = np.zeros((len(rows), 2))
    found = centred @ axes[:2].T
    points[:, : found.shape[1]] = found
    deviation = float(points[:, 0].std())
    scaled = points / deviation * SPREAD if deviation > 0 else points
    return np.asarray(scaled + rng.normal(scale=SPREAD / 100, size=points.shape), np.float64)


def _unit(points: Points) -> Points:
    centred = points - points.mean(axis=0)
    radius = float(np.sqrt((centred**2).sum(axis=1).mean()))
    return np.asarray(centred / radius if radius > 0 else centred, np.float64)
