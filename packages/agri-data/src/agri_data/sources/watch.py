"""Watching the labels of a build for a mask that was read as nothing but "ignore"."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agri_data.errors import InputError
from agri_data.legend import IGNORE, Legend
from agri_data.sources.label import LabelSpec


class LabelWatch:
    """Counts class pixels; masks of 0 and 255 without `codes` are a trap it refuses.

    255 is "ignore" by contract, yet many tools write a binary mask as 0 and 255.
    """

    def __init__(self, spec: LabelSpec, legend: Legend | None) -> None:
        self._spec, self._legend = spec, legend
        self._pixels = np.zeros(256, np.int64)

    def add(self, mask: NDArray[np.uint8] | None) -> None:
        """Count a mask."""
        if mask is not None:
            self._pixels += np.bincount(mask.ravel(), minlength=256)

    def finish(self) -> None:
        """Check the counts of the whole set.

        Raises:
            InputError: no pixel is labelled, or only the first class and 255 ever occurred while
                `codes` was not written.
        """
        if self._legend is None:
            return
        if self._pixels[IGNORE] and not self._pixels[:IGNORE].any():
            raise InputError(
                "not one pixel is labelled; do the labels lie on the imagery, and are their values "
                f"those of the legend ({', '.join(self._legend.names)})?"
            )
        if self._spec.kind not in ("raster", "band") or self._spec.explicit:
            return
        used = set(np.flatnonzero(self._pixels).tolist())
        if used == {0, IGNORE} and len(self._legend) > 1:
            first, second = self._legend.names[:2]
            raise InputError(
                "the masks hold 0 and 255 only, and 255 means 'ignore'; if 255 is a class, write "
                f"'codes: {{0: {first}, 255: {second}}}' under 'label'"
            )
