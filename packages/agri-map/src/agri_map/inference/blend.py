"""Add up overlapping tiles in a moving strip of rows, so that a whole scene never is in memory.

The strip holds `K x tile x width` float32 values. Rows that no later tile can reach are handed
out and the rest moves up.
"""

import numpy as np
from numpy.typing import NDArray

from agri_map.inference.tiles import Axis

Array = NDArray[np.float32]


class StripBlender:
    """Blend the probabilities of a scene's tiles, one row of tiles after the other.

    Two strips alternate, so that finished rows can still be written while the next are added up.
    """

    def __init__(self, rows: Axis, cols: Axis, classes: int) -> None:
        self._rows, self._cols = rows, cols
        self._row_starts, self._col_starts = rows.starts(), cols.starts()
        self._row_weights, self._col_weights = rows.weights(), cols.weights()
        width = self._col_starts[-1] + cols.tile - self._col_starts[0]
        self._strips = [np.zeros((classes, rows.tile, width), np.float32) for _ in range(2)]
        self._work = np.empty((classes, rows.tile, cols.tile), np.float32)
        self._weight = np.empty((rows.tile, cols.tile), np.float32)
        self._row = -1

    def begin_row(self) -> None:
        """Go on to the next row of tiles; what it shares with the last one is carried over."""
        self._row += 1
        if not self._row:
            return
        old, new = self._strips
        step = self._row_starts[self._row] - self._row_starts[self._row - 1]
        keep = max(self._rows.tile - step, 0)
        new[:, :keep] = old[:, self._rows.tile - keep :]
        new[:, keep:] = 0
        self._strips = [new, old]

    def add(self, col: int, probabilities: Array) -> None:
        """Add the tile `(K, tile, tile)` of column number `col` in the current row of tiles."""
        left = self._col_starts[col] - self._col_starts[0]
        # Weights along both axes add up to 1, so their products do too.
        np.outer(self._row_weights[self._row], self._col_weights[col], out=self._weight)
        np.multiply(probabilities, self._weight, out=self._work)
        self._strips[0][:, :, left : left + self._cols.tile] += self._work

    def finish_row(self) -> tuple[int, Array]:
        """Close the current row of tiles.

        Returns:
            The scene row at which the finished rows begin, and the rows, `(K, rows, width)`, which
            stay as they are until the row after the next begins.
        """
        start = self._row_starts[self._row]
        stop = self._rows.length
        if self._row + 1 < len(self._row_starts):
            stop = self._row_starts[self._row + 1]
        top, bottom = max(start, 0), min(stop, self._rows.length)
        left = -self._col_starts[0]
        return top, self._strips[0][
            :, top - start : bottom - start, left : left + self._cols.length
        ]
