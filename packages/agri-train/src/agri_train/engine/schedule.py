"""The learning rate of each epoch."""

import math
from typing import Any

from agri_train.config import TrainConfig

FACTOR = 0.5


class Schedule:
    """Gives the rate of an epoch; only the plateau rule remembers anything.

    Its memory goes into the checkpoint together with the epoch it belongs to, so a run taken up
    again has the rates of one that never stopped.
    """

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.best, self.waited, self.scale = math.inf, 0, 1.0

    def rate(self, epoch: int) -> float:
        """Rate of epoch 0, 1, ...; never below the floor."""
        c = self.config
        lr = c.lr * self.scale
        if c.schedule == "cosine":
            span = max(c.epochs - c.warmup, 1)
            share = min(max(epoch - c.warmup, 0) / span, 1.0)
            lr = c.floor + (c.lr - c.floor) * (1 + math.cos(math.pi * share)) / 2
        if epoch < c.warmup:
            lr *= (epoch + 1) / (c.warmup + 1)
        return max(lr, c.floor)

    def report(self, loss: float) -> None:
        """Tell the validation loss of the epoch that has ended."""
        if loss < self.best:
            self.best, self.waited = loss, 0
            return
        self.waited += 1
        if self.config.schedule == "plateau" and self.waited >= self.config.wait:
            self.scale, self.waited = self.scale * FACTOR, 0

    def state_dict(self) -> dict[str, Any]:
        """What must survive a stop."""
        return {"best": self.best, "waited": self.waited, "scale": self.scale}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the memory of a stopped run."""
        self.best, self.waited, self.scale = state["best"], state["waited"], state["scale"]
