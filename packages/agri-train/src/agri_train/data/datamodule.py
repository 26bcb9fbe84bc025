"""The training, validation and test split of a chip store as a LightningDataModule."""

from typing import Any

import numpy as np
import torch
from agri_core.bands import TRUE_COLOUR
from agri_core.files.errors import InputError, MissingError
from agri_data.store.store import ChipStore
from agri_map.bundle.spec import BundleSpec
from lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader

from agri_train.config import TrainConfig
from agri_train.data.dataset import ChipDataset, Task
from agri_train.data.sampler import BatchSpec, EpochBatchSampler, Rows
from agri_train.device.hardware import choose


class ChipDataModule(LightningDataModule):
    """Data loaders over the splits of a chip store.

    Raises:
        InputError: chips without masks for a segmentation, or `jpeg` for other than RGB in uint8.
    """

    def __init__(
        self, store: ChipStore, spec: BundleSpec, config: TrainConfig, task: Task = "segment"
    ) -> None:
        super().__init__()
        self.store, self.spec, self.config, self.task = store, spec, config, task
        if task == "segment" and not store.has_masks:
            raise InputError(
                f"The chips in {store.path} have no masks, so a segmentation cannot be trained. "
                "Build the store from labelled data (`agri-data chips` with a kind that has truth)."
            )
        if config.jpeg and (spec.bands != TRUE_COLOUR or spec.unit != "uint8"):
            raise InputError(
                f"`jpeg` is for {', '.join(TRUE_COLOUR)} in uint8; set it to 0 for "
                f"{', '.join(spec.bands)} in {spec.unit}."
            )

    def rows(self, split: str) -> Rows:
        """Return the positions of the chips of a split.

        Raises:
            MissingError: the split is empty.
        """
        rows = self.store.indices(split)
        if len(rows) == 0:
            raise MissingError(
                f"No chip in {self.store.path} is in the {split} split. Split the store first: "
                f"`agri-data split {self.store.path}`."
            )
        return rows

    def train_dataloader(self) -> DataLoader[Any]:
        """Return shuffled, augmented batches."""
        return self._loader("train")

    def val_dataloader(self) -> DataLoader[Any]:
        """Return batches in store order, not augmented."""
        return self._loader("val")

    def test_dataloader(self) -> DataLoader[Any]:
        """Return batches in store order, not augmented."""
        return self._loader("test")

    def read(self, rows: Rows) -> tuple[Tensor, Tensor]:
        """Read chips as one batch, not augmented."""
        return self._dataset(augmented=False)[BatchSpec(0, rows, np.zeros_like(rows))]

    def _dataset(self, augmented: bool) -> ChipDataset:
        return ChipDataset(self.store, self.spec, self.config, self.task, augmented)

    def _loader(self, split: str) -> DataLoader[Any]:
        train, hardware = split == "train", choose(self.config)
        return DataLoader(
            self._dataset(augmented=train and self.config.augment),
            batch_size=None,
            sampler=EpochBatchSampler(self.rows(split), self.config, train),
            num_workers=hardware.workers,
            persistent_workers=hardware.workers > 0,
            pin_memory=hardware.device == "gpu",
            # Its own generator: otherwise each start of an epoch draws from the one of dropout.
            generator=torch.Generator().manual_seed(self.config.seed),
        )
