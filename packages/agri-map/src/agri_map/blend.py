"""Add up overlapping tiles in a moving strip of rows, so that a whole scene never is in memory.

The strip holds `K x tile x width` float32 values. Rows that no later tile can reach are handed
out and the rest moves up.
"""

import numpy as np
from numpy.typing import NDArray

from agri_map.tiles import Axis

Array = NDArray[np.float32]


class StripBlender:
    """Blend the probabilities of a scene's tiles, one row of tiles after the other."""

    def __init__(self, rows: Axis, cols: Axis, classes: int) -> None:
        self._rows, self._cols = rows, cols
        self._row_starts, self._col_starts = rows.starts(), cols.starts()
        self._row_weights, self._col_weights = rows.weights(), cols.weights()
        width = self._col_starts[-1] + cols.tile - self._col_starts[0]
        self._strip = np.zeros((classes, rows.tile, width), np.float32)
        self._work = np.empty((classes, rows.tile, cols.tile), np.float32)
        self._row = 0

    def add(self, col: int, probabilities: Array) -> None:
        """Add the tile `(K, tile, tile)` of column number `col` in the current row of tiles."""
        left = self._col_starts[col] - self._col_starts[0]
        np.multiply(probabilities, self._col_weights[col], out=self._work)
        self._work *= self._row_weights[self._row][:, None]
        self._strip[:, :, left : left + self._cols.tile] += self._work

    def finish_row(self) -> tuple[int, Array]:
        """Close the current row of tiles.

        Returns:
            The scene row at which the finished rows begin, and the rows, `(K, rows, width)`;
            the array is only valid until the next call.
        """
        start = self._row_starts[self._row]
        stop = self._rows.length
        if self._row + 1 < len(self._row_starts):
            stop = self._row_starts[self._row + 1]
        self._row += 1
        top, bottom = max(start, 0), min(stop, self._rows.length)
        left = -self._col_starts[0]
        done = self._strip[:, top - start : bottom - start, left : left + self._cols.length].copy()
        self._advance(stop - start)
        return top, done

    def _advance(self, step: int) -> None:
        """Move the strip up by `step` rows, one class at a time to keep the copy small."""
        keep = self._rows.tile - step
        for plane in self._strip:
            if keep > 0:
                plane[:keep] = plane[step:].copy()
            plane[max(keep, 0) :] = 0
