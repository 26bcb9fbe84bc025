"""From a scene to probabilities, strip by strip: tiles through the engine, blended.

Nothing here writes; `agri_map.mapping` puts the strips into files.
"""

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from agri_core.files.console import Bar
from numpy.typing import NDArray

from agri_map.bundle.preprocess import normalise
from agri_map.inference.blend import StripBlender
from agri_map.inference.engine import Engine
from agri_map.inference.tiles import Axis
from agri_map.scene.scene import Scene

Array = NDArray[np.float32]


def predict(
    scene: Scene,
    engine: Engine,
    axes: tuple[Axis, Axis],
    batch: int,
    bar: Bar | None = None,
) -> Generator[tuple[int, Array, NDArray[np.bool_], int]]:
    """Map a scene strip by strip; memory does not grow with its height.

    The next strip is read while the engine works on this one.

    Args:
        scene: Bands in the order of the engine's spec.
        engine: A model that segments.
        axes: Tiles along rows and columns.
        batch: Tiles per run of the engine.
        bar: Advanced by one for each tile.

    Yields:
        First row, probabilities `(K, rows, W)` (which stay as they are until the step after the
        next), valid pixels `(rows, W)`, and how many tiles of the strip were run.
    """
    rows, cols = axes
    blender = StripBlender(rows, cols, len(engine.spec.legend))
    left = cols.starts()[0]
    for start, (image, valid) in zip(rows.starts(), _strips(scene, axes), strict=True):
        blender.begin_row()
        run = 0
        for tiles in _batches(valid, cols, batch, bar):
            _run_tiles(engine, blender, image, valid, cols, tiles)
            run += len(tiles)
        top, done = blender.finish_row()
        inside = valid[top - start : top - start + done.shape[1], -left : cols.length - left]
        # A copy, because the buffer is read into again while this strip is written.
        yield top, done, inside.copy(), run


def _strips(
    scene: Scene, axes: tuple[Axis, Axis]
) -> Iterator[tuple[NDArray[Any], NDArray[np.bool_]]]:
    """Read the scene one row of tiles after the other, always one ahead; each lasts one step."""
    rows, cols = axes
    across = cols.starts()[0], cols.starts()[-1] + cols.tile
    starts = rows.starts()
    # Two buffers: one is read into while the engine works on the other.
    rooms = [scene.blank(rows.tile, across[1] - across[0]) for _ in starts[:2]]
    with ThreadPoolExecutor(1, "read") as reader:
        ahead = reader.submit(scene.read, (starts[0], starts[0] + rows.tile), across, rooms[0])
        for number, start in enumerate(starts[1:], start=1):
            strip = ahead.result()
            room = rooms[number % 2]
            ahead = reader.submit(scene.read, (start, start + rows.tile), across, room)
            yield strip
        yield ahead.result()


def _batches(
    valid: NDArray[np.bool_], cols: Axis, batch: int, bar: Bar | None
) -> Iterator[list[int]]:
    """Group the columns of tiles that hold any data; the others are not run."""
    starts = cols.starts()
    waiting: list[int] = []
    for number, start in enumerate(starts):
        at = start - starts[0]
        if valid[:, at : at + cols.tile].any():
            waiting.append(number)
        if bar is not None:
            bar.update()
        if len(waiting) == batch:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _run_tiles(
    engine: Engine,
    blender: StripBlender,
    image: NDArray[np.generic],
    valid: NDArray[np.bool_],
    cols: Axis,
    tiles: Sequence[int],
) -> None:
    starts = cols.starts()
    spans = [slice(starts[t] - starts[0], starts[t] - starts[0] + cols.tile) for t in tiles]
    block = [normalise(image[:, span], engine.spec, valid[:, span]) for span in spans]
    ready = block[0][None] if len(block) == 1 else np.stack(block)
    for tile, probabilities in zip(tiles, engine.run(ready), strict=True):
        blender.add(tile, probabilities)
