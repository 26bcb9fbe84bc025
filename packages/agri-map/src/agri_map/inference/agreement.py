"""Agreement of a faster engine with float32, measured on tiles of the scene itself."""

from collections.abc import Iterator

import numpy as np
from agri_core.files.errors import InputError
from numpy.typing import NDArray

from agri_map.bundle.preprocess import normalise
from agri_map.inference.engine import Engine
from agri_map.inference.tiles import Axis
from agri_map.maps.write import argmax
from agri_map.scene.scene import Scene

SAMPLE_TILES = 8


def measure_agreement(
    scene: Scene, engine: Engine, exact: Engine, axes: tuple[Axis, Axis]
) -> float:
    """Return the share of pixels of sampled tiles that both engines put into the same class.

    Raises:
        InputError: No sampled tile holds data.
    """
    same = total = 0
    total_tiles = len(axes[0].starts()) * len(axes[1].starts())
    # About 2 % of the tiles, so that the check of a small scene costs little of what is gained.
    count = min(SAMPLE_TILES, 1 + total_tiles // 50)
    for image, valid in sample_tiles(scene, axes, count):
        batch = normalise(image[None], engine.spec, valid[None])
        equal = argmax(engine.run(batch)[0]) == argmax(exact.run(batch)[0])
        same += int(equal[valid].sum())
        total += int(valid.sum())
    if not total:
        raise InputError(f"{scene.path} holds no valid pixel in the tiles sampled")
    return same / total


def sample_tiles(
    scene: Scene, axes: tuple[Axis, Axis], count: int
) -> Iterator[tuple[NDArray[np.generic], NDArray[np.bool_]]]:
    """Read at most `count` tiles with data, spread evenly over the scene."""
    rows, cols = axes
    positions = [(row, col) for row in rows.starts() for col in cols.starts()]
    # Twice as many positions as needed, since some hold no data.
    step = max(1, len(positions) // (2 * count))
    found = 0
    for row, col in positions[step // 2 :: step]:
        image, valid = scene.read((row, row + rows.tile), (col, col + cols.tile))
        if valid.any() and found < count:
            found += 1
            yield image, valid
