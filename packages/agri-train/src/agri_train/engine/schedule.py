"""Learning rate schedules by name, built from torch's own schedulers."""

import math
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LinearLR, ReduceLROnPlateau

from agri_train.config import TrainConfig

# Milder than torch's default of 0.1.
PLATEAU_FACTOR = 0.5
SCHEDULE_NAME = "lr"
"""Lightning's LearningRateMonitor logs the learning rate under this name."""


def build_schedulers(optimizer: Optimizer, config: TrainConfig) -> list[dict[str, Any]]:
    """Build the schedulers of `config` in Lightning's form; each is stepped once per epoch."""
    if config.schedule != "plateau":
        # A closed form of the epoch: torch's CosineAnnealingLR accumulates rounding errors.
        factor = LambdaLR(optimizer, lambda epoch: learning_rate(config, epoch) / config.lr)
        return [{"scheduler": factor, "name": SCHEDULE_NAME}]
    plateau = ReduceLROnPlateau(
        optimizer,
        factor=PLATEAU_FACTOR,
        # Torch reduces after more than `patience` epochs, we after exactly so many.
        patience=config.plateau_patience - 1,
        threshold=0.0,
        min_lr=config.min_lr,
        eps=0.0,
    )
    found = [{"scheduler": plateau, "monitor": "val_loss", "name": SCHEDULE_NAME}]
    if config.warmup:
        start = max(1 / (config.warmup + 1), config.min_lr / config.lr)
        warmup = LinearLR(optimizer, start_factor=start, total_iters=config.warmup)
        found.append({"scheduler": warmup, "name": "warmup"})
    return found


def learning_rate(config: TrainConfig, epoch: int) -> float:
    """Return the learning rate of epoch 0, 1, ... of the constant and the cosine schedule.

    Example:
        >>> config = TrainConfig(epochs=10, lr=0.1, schedule="cosine", warmup=0, min_lr=0.0)
        >>> [round(learning_rate(config, epoch), 3) for epoch in (0, 5, 10)]
        [0.1, 0.05, 0.0]
    """
    lr = config.lr
    if config.schedule == "cosine":
        span = max(config.epochs - config.warmup, 1)
        progress = min(max(epoch - config.warmup, 0) / span, 1.0)
        lr = config.min_lr + (lr - config.min_lr) * (1 + math.cos(math.pi * progress)) / 2
    if epoch < config.warmup:
        lr *= (epoch + 1) / (config.warmup + 1)
    return max(lr, config.min_lr)
