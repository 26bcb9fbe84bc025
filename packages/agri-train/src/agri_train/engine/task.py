"""One Lightning module for pixels and patches: logits to loss, counts to scores."""

import math
import time
from typing import Any

import numpy as np
import torch
from agri_core import confusion as scores
from agri_core.files.errors import AgriError
from agri_core.legend import IGNORE, Legend
from lightning import LightningModule
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.optim import Optimizer

from agri_train.config import TrainConfig
from agri_train.data.data import Task as Kind
from agri_train.data.mix import mix
from agri_train.device.graph import Graphs
from agri_train.engine.loss import Loss
from agri_train.engine.optim import build_optimizer
from agri_train.engine.schedule import Schedule
from agri_train.engine.seed import seed_epoch
from agri_train.network.ema import RunningMean
from agri_train.network.freeze import stages, thaw

Batch = tuple[Tensor, Tensor]
LOOKED = 32
"""Batches whose losses are looked at together on a GPU: each look waits for it."""
METRICS = ("loss", "iou", "f1", "accuracy", "majority")


class DivergedError(AgriError, ArithmeticError):
    """The loss is no longer a number."""


class Tally:
    """What an epoch adds up: the sums of the loss and a confusion matrix.

    Every score is computed once, from the totals, so batch size and an uneven last batch have no
    effect on it.
    """

    def __init__(self, loss: Loss) -> None:
        self.loss, self.classes, self.images = loss, loss.classes, 0
        self.sums = torch.zeros(sum(loss.sizes), dtype=torch.float64)
        self.counts = torch.zeros(loss.classes**2, dtype=torch.int64)

    def add(self, sums: Tensor, logits: Tensor, truth: Tensor) -> None:
        """Count one batch; totals stay on the device, so that nothing waits for it."""
        self.sums = self.sums.to(sums.device) + sums.detach().double()
        self.count(logits, truth)

    def count(self, logits: Tensor, truth: Tensor) -> None:
        """Count classes alone."""
        pairs = count(truth, predict(logits.detach(), self.loss.head), self.classes)
        self.counts = self.counts.to(pairs.device) + pairs
        self.images += len(truth)

    def matrix(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The confusion matrix `(K, K)` so far, rows = truth."""
        counts: np.ndarray[Any, np.dtype[np.int64]] = self.counts.cpu().numpy()
        return counts.reshape(self.classes, self.classes)

    def scores(self) -> dict[str, float]:
        """Loss, mean IoU and F1 over the classes present, accuracy, and the majority baseline.

        All are NaN when nothing was counted: an epoch of ignored pixels is not a perfect one.
        """
        cm = self.matrix()
        return {
            "loss": float(self.loss.compute(self.sums)) if cm.any() else math.nan,
            "iou": scores.mean_iou(cm),
            "f1": scores.mean_f1(cm),
            "accuracy": scores.accuracy(cm),
            "majority": scores.majority(cm)[0],
        }


def predict(logits: Tensor, head: str) -> Tensor:
    """Class ids `(N, ...)` from logits `(N, K or 1, ...)`."""
    return (logits[:, 0] > 0).long() if head == "binary" else logits.argmax(dim=1)


def count(truth: Tensor, predicted: Tensor, classes: int) -> Tensor:
    """Flat confusion counts (row = truth), as `agri_core.confusion.confusion`, on any device."""
    # Neither a mask nor `bincount`: both make a GPU tell the processor a size, which waits for it.
    ignored = classes * classes
    pairs = torch.where(truth == IGNORE, ignored, truth * classes + predicted).flatten()
    counts = torch.zeros(ignored + 1, dtype=torch.int64, device=pairs.device)
    return counts.scatter_add_(0, pairs, torch.ones_like(pairs))[:-1]


class Task(LightningModule):
    """Trains a network; `record` holds the numbers of the last finished epoch."""

    def __init__(
        self, net: nn.Module, task: Kind, legend: Legend, loss: Loss, config: TrainConfig
    ) -> None:
        super().__init__()
        self.net, self.loss, self.config = net, loss, config
        self._stages = stages(net) if config.thaw else []
        self.average = RunningMean(net, config.average) if config.average else None
        self.graphs: Graphs | None = None
        self.task, self.legend = task, legend
        self.schedule = Schedule(config)
        self.channels_last = False
        self.record: dict[str, float] = {}
        self.moments: tuple[float, float] | None = None
        self._tallies = {"train": Tally(loss), "val": Tally(loss)}
        self._losses: dict[int, Tensor] = {}
        self._started = self._paused = 0.0

    def forward(self, image: Tensor) -> Tensor:
        """Return logits."""
        image = self._laid_out(image)
        if self.graphs is not None and self.training:
            return self.graphs(image)
        logits: Tensor = self.net(image)
        return logits

    def _laid_out(self, image: Tensor) -> Tensor:
        if self.channels_last:
            return image.contiguous(memory_format=torch.channels_last)
        return image

    def configure_optimizers(self) -> Optimizer:
        """Return the optimiser; the rate is set by `Schedule` at the start of each epoch."""
        return build_optimizer(self.net, self.config)

    def on_train_epoch_start(self) -> None:
        """Set the rate, the seed and the clock of the epoch, and wake what is to learn from now."""
        seed_epoch(self.config.seed, self.current_epoch)
        if self.config.thaw:
            thaw(self._stages, self.current_epoch // self.config.thaw)
        if self.graphs is not None:
            self.graphs.refresh()
        if self.average is not None:
            self.average.follow(self.net)
        optimizer = self.optimizers()
        assert isinstance(optimizer, LightningOptimizer)
        for group in optimizer.param_groups:
            group["lr"] = self.schedule.rate(self.current_epoch)
        self.record = {"epoch": self.current_epoch + 1, "lr": group["lr"]}
        self._tallies["train"] = Tally(self.loss)
        self._started, self._paused = time.perf_counter(), 0.0

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of a batch.

        Raises:
            DivergedError: the loss is NaN or infinite.
        """
        image, truth = batch
        if self.moments is None:
            self.moments = (float(image.mean()), float(image.std()))
        logits, sums, value = self._learn(image, truth)
        self._tallies["train"].add(sums, logits, truth)
        self._losses[batch_idx + 1] = value.detach()
        if len(self._losses) >= (LOOKED if image.is_cuda else 1):
            self._look()
        return value

    def _look(self) -> None:
        """See that the losses since the last look are numbers.

        Raises:
            DivergedError: one is NaN or infinite.
        """
        losses, self._losses = self._losses, {}
        values = torch.stack(list(losses.values())).tolist() if losses else []
        for place, value in zip(losses, values, strict=True):
            if not math.isfinite(value):
                raise DivergedError(
                    f"The loss became {value} in epoch {self.current_epoch + 1}, batch {place}, "
                    f"at lr {self.record['lr']:g}. Lower `lr`, set `clip`, or check the chips for "
                    "values far outside their band statistics."
                )

    def _learn(self, image: Tensor, truth: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits, sums of the loss, and the loss; those of mixed patches where asked for."""
        if self.config.mix == "none":
            logits = self(image)
            sums = self.loss.sums(logits, truth)
            return logits, sums, self.loss.compute(sums)
        mixed = mix(image, truth, self.config.mix)
        logits = self(mixed.images)
        own, partner = self.loss.sums(logits, truth), self.loss.sums(logits, mixed.partner)
        sums = mixed.share * own + (1 - mixed.share) * partner
        parts = self.loss.compute(own), self.loss.compute(partner)
        return logits, sums, mixed.share * parts[0] + (1 - mixed.share) * parts[1]

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Let the running mean of the weights follow."""
        if self.average is not None:
            self.average.update()

    @property
    def judged(self) -> nn.Module:
        """The network that is scored and kept: the running mean of the weights if there is one."""
        return self.net if self.average is None else self.average

    def judge(self, image: Tensor) -> Tensor:
        """Return the logits of the network that is scored and kept."""
        logits: Tensor = self.judged(self._laid_out(image))
        return logits

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip gradients; done here since Lightning refuses fused optimisers."""
        if self.config.clamp:
            nn.utils.clip_grad_value_(self.net.parameters(), self.config.clamp)
        if self.config.clip:
            nn.utils.clip_grad_norm_(self.net.parameters(), self.config.clip)

    def on_validation_epoch_start(self) -> None:
        """Start counting afresh; validation time is not training time."""
        self._look()
        self._tallies["val"] = Tally(self.loss)
        self._val_started = time.perf_counter()

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Count one batch, in float32: the arithmetic of the bundle that will be shipped."""
        image, truth = batch
        with torch.autocast(image.device.type, enabled=False):
            logits = self.judge(image)
        self._tallies["val"].add(self.loss.sums(logits, truth), logits, truth)

    def on_validation_epoch_end(self) -> None:
        """Compute the scores of the validation part."""
        self._paused += time.perf_counter() - self._val_started
        values = self._tallies["val"].scores()
        self.record |= {f"val_{name}": values[name] for name in METRICS}
        self.log_dict({f"val_{name}": values[name] for name in METRICS if name != "majority"})

    def on_train_epoch_end(self) -> None:
        """Complete the record of the epoch."""
        tally = self._tallies["train"]
        values = tally.scores()
        seconds = time.perf_counter() - self._started
        self.record |= {f"train_{name}": values[name] for name in METRICS}
        self.record["seconds"] = seconds
        self.record["rate"] = tally.images / max(seconds - self._paused, 1e-9)
        self.schedule.report(self.record["val_loss"])

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the schedule's memory."""
        checkpoint["schedule"] = self.schedule.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up the schedule's memory."""
        self.schedule.load_state_dict(checkpoint["schedule"])
