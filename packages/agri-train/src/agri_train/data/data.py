"""Batches from a chip store: read memory-mapped, varied, then normalised by the one function.

A batch is one slice of the store, so memory does not grow with the set. Order and variation come
from `(seed, epoch)` alone: neither workers nor a resume change what the network sees.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from agri_core.bands import TRUE_COLOUR
from agri_core.files.errors import InputError, MissingError
from agri_core.legend import IGNORE
from agri_core.raster.validity import chip_validity
from agri_data.augment.augment import Augment, augment
from agri_data.store.store import ChipStore
from agri_map.bundle.preprocess import normalise
from agri_map.bundle.spec import BundleSpec
from lightning import LightningDataModule
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from agri_train.config import TrainConfig
from agri_train.device.hardware import choose

Task = Literal["segment", "classify"]
Rows = NDArray[np.int64]


def make_policy(config: TrainConfig, nodata: float | None) -> Augment:
    """Mirror and turn by quarters; `strength` above 0 adds free warps and changes of light.

    `downscale` above 0 also resamples some, `jpeg` saves some again.
    """
    s = config.strength
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


@dataclass(frozen=True, slots=True)
class Ticket:
    """One batch to be read: which chips, as which copy, in which epoch."""

    epoch: int
    rows: Rows
    copies: Rows


class Order(Sampler[Ticket]):
    """The batches of an epoch; training batches are shuffled and as even as can be.

    Nothing is dropped: 9 chips in batches of 8 become 5 and 4, which spares batch-norm layers a
    batch of one.
    """

    def __init__(self, rows: Rows, config: TrainConfig, train: bool) -> None:
        self.rows, self.config, self.train, self.epoch = rows, config, train, 0
        self.times = config.copies if train else 1

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch; Lightning calls this."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-len(self.rows) * self.times // self.config.batch)

    def __iter__(self) -> Iterator[Ticket]:
        rows, copies = np.tile(self.rows, self.times), np.arange(self.times).repeat(len(self.rows))
        order = np.arange(len(rows))
        if self.train:
            order = np.random.default_rng([self.config.seed, self.epoch]).permutation(len(rows))
            parts: Sequence[Rows] = np.array_split(order, len(self))
        else:
            parts = [
                order[i : i + self.config.batch] for i in range(0, len(order), self.config.batch)
            ]
        for part in parts:
            yield Ticket(self.epoch, rows[part], copies[part])


class Chips(Dataset[tuple[Tensor, Tensor]]):
    """Reads a ticket into `(images (N, C, H, W) float32, truth)`.

    Truth is `(N, H, W)` class ids for pixels and `(N,)` for patches, int64, 255 = ignore. Pixels
    without data are 0 in the input, as in use, and ignored in the truth.
    """

    def __init__(
        self, store: ChipStore, spec: BundleSpec, config: TrainConfig, task: Task, vary: bool
    ) -> None:
        self.store, self.spec, self.config, self.task = store, spec, config, task
        self.policy = make_policy(config, store.info.nodata) if vary else None

    def __getitem__(self, ticket: Ticket) -> tuple[Tensor, Tensor]:
        images = self.store.images(ticket.rows, self.spec.bands)
        masks = self.store.masks(ticket.rows) if self.task == "segment" else None
        if self.policy is not None:
            self._vary(ticket, images, masks, self.policy)
        valid = chip_validity(images, self.store.info.nodata)
        batch = torch.from_numpy(normalise(images, self.spec, valid))
        if masks is None:
            return batch, torch.from_numpy(self.store.labels(ticket.rows))
        masks[~valid] = IGNORE
        self._check(masks, ticket.rows)
        return batch, torch.from_numpy(masks.astype(np.int64))

    def _vary(
        self,
        ticket: Ticket,
        images: NDArray[Any],
        masks: NDArray[np.uint8] | None,
        policy: Augment,
    ) -> None:
        """Vary a batch in place, each chip by its own generator."""
        for place, (row, copy) in enumerate(zip(ticket.rows, ticket.copies, strict=True)):
            rng = np.random.default_rng([self.config.seed, ticket.epoch, int(row), int(copy)])
            given = None if masks is None else masks[place]
            images[place], moved = augment(images[place], given, rng, policy)
            if masks is not None and moved is not None:
                masks[place] = moved

    def _check(self, masks: NDArray[np.uint8], rows: Rows) -> None:
        wrong = (masks >= len(self.spec.legend)) & (masks != IGNORE)
        if wrong.any():
            chip = self.store.table["chip_id"].iloc[int(rows[np.nonzero(wrong)[0][0]])]
            raise InputError(
                f"The mask of chip {chip} in {self.store.path} holds class {masks[wrong].max()}; "
                f"the legend has 0..{len(self.spec.legend) - 1} and {IGNORE} for ignore. "
                "Build the chips again with the right legend."
            )


class ChipDataModule(LightningDataModule):
    """The train, val and test parts of a chip store as Lightning wants them."""

    def __init__(
        self, store: ChipStore, spec: BundleSpec, config: TrainConfig, task: Task = "segment"
    ) -> None:
        super().__init__()
        self.store, self.spec, self.config, self.task = store, spec, config, task
        if task == "segment" and not store.has_masks:
            raise InputError(
                f"The chips in {store.path} have no masks, so there is nothing to learn from. "
                "Build the store from labelled data (`agri-data chips` with a kind that has truth)."
            )
        if config.jpeg and (spec.bands != TRUE_COLOUR or spec.unit != "uint8"):
            raise InputError(
                f"`jpeg` is for {', '.join(TRUE_COLOUR)} in uint8; set it to 0 for "
                f"{', '.join(spec.bands)} in {spec.unit}."
            )

    def rows(self, part: str) -> Rows:
        """Positions of a part's chips.

        Raises:
            MissingError: the part is empty.
        """
        rows = self.store.indices(part)
        if len(rows) == 0:
            raise MissingError(
                f"No chip in {self.store.path} is in the {part} part. Split it by place first: "
                f"`agri-data split {self.store.path}`."
            )
        return rows

    def train_dataloader(self) -> DataLoader[Any]:
        """Shuffled, varied batches."""
        return self._loader("train")

    def val_dataloader(self) -> DataLoader[Any]:
        """Batches in store order, as they are."""
        return self._loader("val")

    def test_dataloader(self) -> DataLoader[Any]:
        """Batches in store order, as they are."""
        return self._loader("test")

    def read(self, rows: Rows) -> tuple[Tensor, Tensor]:
        """Read chips as they are, as one batch."""
        return self._chips(vary=False)[Ticket(0, rows, np.zeros_like(rows))]

    def _chips(self, vary: bool) -> Chips:
        return Chips(self.store, self.spec, self.config, self.task, vary)

    def _loader(self, part: str) -> DataLoader[Any]:
        train, setting = part == "train", choose(self.config)
        return DataLoader(
            self._chips(vary=train and self.config.augment),
            batch_size=None,
            sampler=Order(self.rows(part), self.config, train),
            num_workers=setting.workers,
            persistent_workers=setting.workers > 0,
            pin_memory=setting.device == "gpu",
            # Its own generator: otherwise each start of an epoch draws from the one of dropout.
            generator=torch.Generator().manual_seed(self.config.seed),
        )
