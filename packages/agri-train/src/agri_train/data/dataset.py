"""Batches of a chip store: read memory-mapped, augmented, then normalised.

A batch is one slice of the store, so memory does not grow with the data set. Augmentation depends
on `(seed, epoch)` only: neither the number of workers nor a resume changes what the network sees.
"""

from typing import Any, Literal

import numpy as np
import torch
from agri_core.files.errors import InputError
from agri_core.legend import IGNORE
from agri_core.raster.validity import chip_validity
from agri_data.augment.augment import Augment, augment
from agri_data.store.store import ChipStore
from agri_map.bundle.preprocess import normalise
from agri_map.bundle.spec import BundleSpec
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from agri_train.config import TrainConfig
from agri_train.data.sampler import BatchSpec, Rows

Task = Literal["segment", "classify"]


def make_policy(config: TrainConfig, nodata: float | None) -> Augment:
    """Return the augmentation: mirrors and quarter turns; free warps and photometric changes.

    The latter grow with `augment_strength`, from none at 0. `downscale` and `jpeg` are the
    probabilities of resampling and of JPEG compression.
    """
    s = config.augment_strength
    return Augment(
        rotation=30 * s,
        shift=0.1 * s,
        scale=0.2 * s,
        shear=10 * s,
        brightness=0.2 * s,
        contrast=0.2 * s,
        channel=0.2 * s,
        noise=0.1 * s,
        downscale=config.downscale,
        jpeg=config.jpeg,
        nodata=nodata,
    )


class ChipDataset(Dataset[tuple[Tensor, Tensor]]):
    """Reads a batch as `(images (N, C, H, W) float32, truth)`.

    Truth is `(N, H, W)` class ids for pixels and `(N,)` for patches, int64, 255 = ignore. Pixels
    without data are 0 in the input, as in inference, and ignored in the truth.
    """

    def __init__(
        self, store: ChipStore, spec: BundleSpec, config: TrainConfig, task: Task, augmented: bool
    ) -> None:
        self.store, self.spec, self.config, self.task = store, spec, config, task
        self.policy = make_policy(config, store.info.nodata) if augmented else None

    def __getitem__(self, batch: BatchSpec) -> tuple[Tensor, Tensor]:
        images = self.store.images(batch.rows, self.spec.bands)
        masks = self.store.masks(batch.rows) if self.task == "segment" else None
        if self.policy is not None:
            self._augment(batch, images, masks, self.policy)
        valid = chip_validity(images, self.store.info.nodata)
        inputs = torch.from_numpy(normalise(images, self.spec, valid))
        if masks is None:
            return inputs, torch.from_numpy(self.store.labels(batch.rows))
        masks[~valid] = IGNORE
        self._check(masks, batch.rows)
        return inputs, torch.from_numpy(masks.astype(np.int64))

    def _augment(
        self,
        batch: BatchSpec,
        images: NDArray[Any],
        masks: NDArray[np.uint8] | None,
        policy: Augment,
    ) -> None:
        """Augment a batch in place, each chip by its own generator."""
        for position, (row, repeat) in enumerate(zip(batch.rows, batch.repeats, strict=True)):
            rng = np.random.default_rng([self.config.seed, batch.epoch, int(row), int(repeat)])
            given = None if masks is None else masks[position]
            images[position], moved = augment(images[position], given, rng, policy)
            if masks is not None and moved is not None:
                masks[position] = moved

    def _check(self, masks: NDArray[np.uint8], rows: Rows) -> None:
        wrong = (masks >= len(self.spec.legend)) & (masks != IGNORE)
        if wrong.any():
            chip = self.store.table["chip_id"].iloc[int(rows[np.nonzero(wrong)[0][0]])]
            raise InputError(
                f"The mask of chip {chip} in {self.store.path} holds class {masks[wrong].max()}; "
                f"the legend has 0..{len(self.spec.legend) - 1} and {IGNORE} for ignore. "
                "Build the chips again with the right legend."
            )
