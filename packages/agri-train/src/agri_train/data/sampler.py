"""The batches of an epoch: which chips, in which order, as which repeat."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from agri_train.config import TrainConfig

Rows = NDArray[np.int64]
"""Positions of chips in their store."""


@dataclass(frozen=True, slots=True)
class BatchSpec:
    """The chips of one batch; `repeats` and `epoch` seed the augmentation of each chip."""

    epoch: int
    rows: Rows
    repeats: Rows


class EpochBatchSampler(Sampler[BatchSpec]):
    """Yields the batches of an epoch; training batches are shuffled and of nearly equal size.

    No chip is dropped: 9 chips in batches of 8 become 5 and 4, so that no batch-norm layer sees a
    batch of one. The order depends on the seed and the epoch only, so a resumed run repeats it.
    """

    def __init__(self, rows: Rows, config: TrainConfig, train: bool) -> None:
        self.rows, self.config, self.train, self.epoch = rows, config, train, 0
        self.times = config.repeats if train else 1

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch; Lightning calls this."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-len(self.rows) * self.times // self.config.batch_size)

    def __iter__(self) -> Iterator[BatchSpec]:
        rows, repeats = np.tile(self.rows, self.times), np.arange(self.times).repeat(len(self.rows))
        for part in self._parts(len(rows)):
            yield BatchSpec(self.epoch, rows[part], repeats[part])

    def _parts(self, count: int) -> Sequence[Rows]:
        if self.train:
            order = np.random.default_rng([self.config.seed, self.epoch]).permutation(count)
            return np.array_split(order, len(self))
        size = self.config.batch_size
        return [np.arange(start, min(start + size, count)) for start in range(0, count, size)]
