"""Checks of the labels of a build: notes for the user, and errors that stop the build."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from agri_core.files.errors import InputError
from agri_core.legend import IGNORE, Legend
from numpy.typing import NDArray

from agri_data.sources.description.label import LabelSpec


class LabelWatch:
    """Counter of class pixels; it refuses binary masks of 0 and 255 without `codes`.

    255 is "ignore" by contract, yet many tools write a binary mask as 0 and 255.
    """

    def __init__(self, spec: LabelSpec, legend: Legend | None) -> None:
        self._spec, self._legend = spec, legend
        self._pixels = np.zeros(256, np.int64)
        self._marked = False
        self._notes: dict[str, None] = {}

    @property
    def notes(self) -> list[str]:
        """Remarks about the label files for the user, each line once."""
        return list(self._notes)

    def note(self, lines: Iterable[str]) -> None:
        """Keep lines for `notes`."""
        self._notes.update(dict.fromkeys(lines))

    def look(self, values: NDArray[Any]) -> None:
        """Note whether the values of a label file, as stored, hold 255."""
        self._marked = self._marked or bool((values == IGNORE).any())

    def add(self, mask: NDArray[np.uint8] | None) -> None:
        """Count the class ids of a mask."""
        if mask is not None:
            self._pixels += np.bincount(mask.ravel(), minlength=256)

    def finish(self) -> None:
        """Check the counts of the whole set.

        Raises:
            InputError: no pixel is labelled, or the files hold nothing but the first class and 255
                while `codes` was not written.
        """
        if self._legend is None or not self._pixels.any():
            return
        if not self._pixels[:IGNORE].any():
            raise InputError(
                "not one pixel is labelled; do the labels lie on the imagery, and are their values "
                f"those of the legend ({', '.join(self._legend.names)})?"
            )
        first_only = not self._pixels[1:IGNORE].any()
        if self._marked and first_only and not self._spec.explicit and len(self._legend) > 1:
            first, second = self._legend.names[:2]
            raise InputError(
                "the masks hold 0 and 255 only, and 255 means 'ignore'; if 255 is a class, write "
                f"'codes: {{0: {first}, 255: {second}}}' under 'label'"
            )
