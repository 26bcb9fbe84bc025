"""The choice of pieces of imagery to annotate: few, and unlike each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.csvfile import read_rows
from agri_core.files.errors import InputError
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def describe_piece(image: NDArray[Any], nodata: float | None) -> Floats:
    """Return the mean and the deviation of each band over pixels with data, `(2 C,)`.

    Args:
        image: `(H, W, C)`.
        nodata: the value that means "no data"; None where there is none.
    """
    pixels = image.reshape(-1, image.shape[-1]).astype(np.float64)
    good = np.isfinite(pixels).all(axis=1)
    if nodata is not None:
        good &= (pixels != nodata).any(axis=1)
    if not good.any():
        return np.zeros(2 * image.shape[-1])
    return np.concatenate([pixels[good].mean(axis=0), pixels[good].std(axis=0)])


def spread(features: Floats, count: int) -> Ints:
    """Return `count` rows, each as far as can be from all before it; the first is the most usual.

    Farthest-first traversal (Gonzalez 1985, Theoretical Computer Science 38): no choice of as many
    rows leaves the others nearer than half of what this one does. Features are standardised.

    Args:
        features: `(N, F)`.
        count: number of rows, at most N.
    """
    if not len(features):
        return np.zeros(0, np.int64)
    scale = features.std(axis=0)
    return farthest_first(
        (features - features.mean(axis=0)) / np.where(scale > 0, scale, 1.0), count
    )


def farthest_first(points: NDArray[np.floating], count: int) -> Ints:
    """Return `count` rows of `points` `(N, F)` by farthest-first traversal, from the mean on."""
    if not len(points):
        return np.zeros(0, np.int64)
    chosen = [int(np.argmin(np.square(points - points.mean(axis=0)).sum(axis=1)))]
    gap = np.square(points - points[chosen[0]]).sum(axis=1)
    while len(chosen) < min(count, len(points)):
        # Below every squared distance, so that no row is chosen twice even among equal rows.
        gap[chosen[-1]] = -1.0
        chosen.append(int(np.argmax(gap)))
        gap = np.minimum(gap, np.square(points - points[chosen[-1]]).sum(axis=1))
    return np.array(chosen, np.int64)


def spread_by_group(features: Floats, groups: Sequence[str], count: int) -> Ints:
    """Return `count` rows, the groups alternating; within a group as `spread` has it."""
    names = np.asarray(groups)
    queues = []
    for name in sorted(set(groups)):
        rows = np.flatnonzero(names == name)
        queues.append(list(rows[spread(features[rows], count)]))
    chosen: list[int] = []
    while len(chosen) < count and any(queues):
        for queue in queues:
            if queue and len(chosen) < count:
                chosen.append(int(queue.pop(0)))
    return np.array(chosen, np.int64)


def read_groups(path: Path) -> dict[str, str]:
    """Read a CSV with the columns `chip_id` and `group` (or `cluster`).

    Raises:
        MissingError: there is no such file.
        InputError: a column is missing.
    """
    rows = read_rows(path)
    names = [name for name in ("group", "cluster") if rows and name in rows[0]]
    if not rows or "chip_id" not in rows[0] or not names:
        raise InputError(f"{path}: a CSV with the columns chip_id and group is expected")
    return {row["chip_id"]: row[names[0]] for row in rows}


def read_chosen(path: Path) -> dict[str, str]:
    """Read a list of pieces, in order: a CSV with `chip_id` and maybe `name`, `group` or `cluster`.

    Returns:
        The group of each piece, "" where the list has none.

    Raises:
        MissingError: there is no such file.
        InputError: it lists no piece, or one twice.
    """
    rows = read_rows(path)
    if not rows or any(not row.get("chip_id") for row in rows):
        raise InputError(f"{path}: a CSV with the column chip_id and a row a piece is expected")
    chosen = {row["chip_id"]: _group(row) for row in rows}
    if len(chosen) < len(rows):
        twice = Counter(row["chip_id"] for row in rows).most_common(1)[0][0]
        raise InputError(f"{path} lists the piece {twice} twice")
    return chosen


def _group(row: Mapping[str, str]) -> str:
    return next((row[name] for name in ("group", "name", "cluster") if row.get(name)), "")


def match_groups(ids: Sequence[str], groups: Mapping[str, str]) -> list[str]:
    """Return the group of each piece.

    Raises:
        InputError: a piece has no group.
    """
    missing = [name for name in ids if name not in groups]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(ids)} pieces have no group, the first is {missing[0]}; were "
            "the groups made with the same size and overlap?"
        )
    return [groups[name] for name in ids]
