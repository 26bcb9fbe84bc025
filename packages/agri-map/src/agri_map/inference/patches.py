"""Maps from a patch classifier: the class of a patch counts for all of its pixels."""

import numpy as np
from agri_core.files.errors import InputError
from agri_core.raster.grid import Grid
from numpy.typing import NDArray

from agri_map.bundle.spec import BundleSpec
from agri_map.inference.engine import Engine
from agri_map.inference.tiles import Axis

Array = NDArray[np.float32]


class Patches:
    """An engine that spreads the answer for a patch over its pixels."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.spec = engine.spec
        self.name = engine.name
        self.precision = engine.precision

    def run(self, batch: Array) -> Array:
        """Return probabilities `(N, K, H, W)`, a view of `(N, K)` that costs no memory."""
        answers = self._engine.run(batch)
        return np.broadcast_to(answers[:, :, None, None], (*answers.shape, *batch.shape[2:]))


def patch_axes(grid: Grid, spec: BundleSpec, step: int | None) -> tuple[Axis, Axis]:
    """Lay out patches of the size that the model was trained on, `step` pixels apart.

    Half a patch apart when None: a pixel then is a blend of four patches, weighted towards
    those whose centre is near.

    Raises:
        InputError: Patches so far apart would leave gaps.
    """
    step = (spec.tile + 1) // 2 if step is None else step
    if not 1 <= step <= spec.tile:
        raise InputError(
            f"step must lie in 1 to {spec.tile}, the patch of the bundle {spec.name}, got {step}"
        )
    overlap = spec.tile - step
    return (
        Axis(grid.height, spec.tile, overlap, whole=True),
        Axis(grid.width, spec.tile, overlap, whole=True),
    )
