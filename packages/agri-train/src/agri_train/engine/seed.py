"""One seed for every source of chance."""

import random

import numpy as np
import torch


def seed_all(seed: int) -> None:
    """Seed Python, numpy's legacy generator and torch; call it before a network is built.

    The engine itself draws from generators made of the seed and the epoch, so that a run that is
    taken up again sees the same order and the same augmentation as one that never stopped.
    """
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002  (for libraries that still use it)
    torch.manual_seed(seed)


def seed_epoch(seed: int, epoch: int) -> None:
    """Seed torch for one epoch (dropout), so that epoch n is the same after a resume."""
    torch.manual_seed((seed * 1_000_003 + epoch) % 2**63)
