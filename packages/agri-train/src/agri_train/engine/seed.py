"""The seed of a run and of each of its epochs."""

import torch
from lightning import seed_everything

_PRIME = 1_000_003
"""Keeps the epochs of neighbouring seeds apart: seed 7, epoch 1 is not seed 8, epoch 0."""


def seed_all(seed: int) -> None:
    """Seed Python, numpy and torch; call it before a network is built."""
    seed_everything(seed, verbose=False)


def seed_epoch(seed: int, epoch: int) -> None:
    """Seed torch (dropout, mixing) for one epoch, so that a resumed run repeats the epoch exactly.

    Batch order and augmentation have generators of their own, made from the seed and the epoch.
    """
    torch.manual_seed((seed * _PRIME + epoch) % 2**63)
