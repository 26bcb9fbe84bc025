"""The LightningModule that trains and validates a network on pixels or patches."""

import math
import time
from typing import Any

import torch
from agri_core.files.errors import AgriError
from agri_core.legend import Legend
from lightning import LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from agri_train.config import TrainConfig
from agri_train.data.dataset import Task
from agri_train.data.mix import mix
from agri_train.device.cuda_graph import CudaGraphs
from agri_train.engine.accumulator import METRICS, ConfusionAccumulator
from agri_train.engine.loss import Loss
from agri_train.engine.optim import build_optimizer
from agri_train.engine.schedule import build_schedulers
from agri_train.engine.seed import seed_epoch
from agri_train.network.ema import EMA
from agri_train.network.freeze import frozen_stages, unfreeze_stages

Batch = tuple[Tensor, Tensor]
LOSS_CHECK_INTERVAL = 32
"""Steps whose losses are checked together on a GPU: each check waits for the GPU."""


class DivergedError(AgriError, ArithmeticError):
    """The loss is NaN or infinite."""


class TrainingModule(LightningModule):
    """Trains a network; logs one row of metrics per epoch.

    Attributes:
        ema: the moving average of the weights, None without `ema_decay`.
        cuda_graphs: replays training steps on a GPU, None to run them kernel by kernel.
        channels_last: whether images are laid out channels-last.
        input_stats: mean and standard deviation of the first batch, None before it.
    """

    def __init__(
        self, net: nn.Module, task: Task, legend: Legend, loss: Loss, config: TrainConfig
    ) -> None:
        super().__init__()
        self.net, self.loss, self.config = net, loss, config
        self.task, self.legend = task, legend
        self.ema = EMA(net, config.ema_decay) if config.ema_decay else None
        self.cuda_graphs: CudaGraphs | None = None
        self.channels_last = False
        self.input_stats: tuple[float, float] | None = None
        self._stages = frozen_stages(net) if config.unfreeze_every else []
        self._train = self._val = ConfusionAccumulator(loss)
        self._losses: dict[int, Tensor] = {}
        self._val_scores: dict[str, float] = {}
        self._started = self._val_started = self._val_seconds = 0.0

    def forward(self, image: Tensor) -> Tensor:
        """Return logits."""
        image = self._laid_out(image)
        if self.cuda_graphs is not None and self.training:
            return self.cuda_graphs(image)
        logits: Tensor = self.net(image)
        return logits

    @property
    def eval_net(self) -> nn.Module:
        """The network that is validated and exported: the moving average if there is one."""
        return self.net if self.ema is None else self.ema

    def eval_logits(self, image: Tensor) -> Tensor:
        """Return the logits of the network that is validated and exported."""
        logits: Tensor = self.eval_net(self._laid_out(image))
        return logits

    def _laid_out(self, image: Tensor) -> Tensor:
        if self.channels_last:
            return image.contiguous(memory_format=torch.channels_last)
        return image

    def configure_optimizers(self) -> Any:
        """Return the optimiser and its learning rate schedulers."""
        optimizer = build_optimizer(self.net, self.config)
        return [optimizer], build_schedulers(optimizer, self.config)

    def on_train_epoch_start(self) -> None:
        """Seed the epoch, unfreeze the stages that are due and start the clock."""
        seed_epoch(self.config.seed, self.current_epoch)
        if self.config.unfreeze_every:
            unfreeze_stages(self._stages, self.current_epoch // self.config.unfreeze_every)
        if self.cuda_graphs is not None:
            self.cuda_graphs.refresh()
        if self.ema is not None:
            self.ema.follow(self.net)
        self._train = ConfusionAccumulator(self.loss)
        self._started, self._val_seconds = time.perf_counter(), 0.0

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of a batch.

        Raises:
            DivergedError: the loss is NaN or infinite.
        """
        image, truth = batch
        if self.input_stats is None:
            self.input_stats = (float(image.mean()), float(image.std()))
        logits, sums, value = self._forward_loss(image, truth)
        self._train.add(sums, logits, truth)
        self._losses[batch_idx + 1] = value.detach()
        if len(self._losses) >= (LOSS_CHECK_INTERVAL if image.is_cuda else 1):
            self._check_losses()
        return value

    def _check_losses(self) -> None:
        """Check that the losses since the last check are finite.

        Raises:
            DivergedError: one is NaN or infinite.
        """
        losses, self._losses = self._losses, {}
        values = torch.stack(list(losses.values())).tolist() if losses else []
        for step, value in zip(losses, values, strict=True):
            if not math.isfinite(value):
                raise DivergedError(
                    f"The loss became {value} in epoch {self.current_epoch + 1}, batch {step}, "
                    f"at lr {self._lr():g}. Lower `lr`, set `clip_grad_norm`, or check the chips "
                    "for values far outside their band statistics."
                )

    def _lr(self) -> float:
        optimizer: Any = self.optimizers()
        return float(optimizer.param_groups[0]["lr"])

    def _forward_loss(self, image: Tensor, truth: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits, loss sums and loss of a batch, mixed in pairs if `mix` is set."""
        if self.config.mix == "none":
            logits = self(image)
            sums = self.loss.sums(logits, truth)
            return logits, sums, self.loss.compute(sums)
        mixed = mix(image, truth, self.config.mix)
        logits = self(mixed.images)
        own, partner = self.loss.sums(logits, truth), self.loss.sums(logits, mixed.partner)
        sums = mixed.share * own + (1 - mixed.share) * partner
        losses = self.loss.compute(own), self.loss.compute(partner)
        return logits, sums, mixed.share * losses[0] + (1 - mixed.share) * losses[1]

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Update the moving average of the weights."""
        if self.ema is not None:
            self.ema.update()

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip gradients; done here because Lightning does not clip for fused optimisers."""
        if self.config.clip_grad_value:
            nn.utils.clip_grad_value_(self.net.parameters(), self.config.clip_grad_value)
        if self.config.clip_grad_norm:
            nn.utils.clip_grad_norm_(self.net.parameters(), self.config.clip_grad_norm)

    def on_validation_epoch_start(self) -> None:
        """Reset the validation counts; validation time is not training time."""
        self._check_losses()
        self._val = ConfusionAccumulator(self.loss)
        self._val_started = time.perf_counter()

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Count one batch in float32, the arithmetic of the exported bundle."""
        image, truth = batch
        with torch.autocast(image.device.type, enabled=False):
            logits = self.eval_logits(image)
        self._val.add(self.loss.sums(logits, truth), logits, truth)

    def on_validation_epoch_end(self) -> None:
        """Compute the validation scores and stop the validation clock."""
        self._val_scores = self._val.scores()
        self._val_seconds += time.perf_counter() - self._val_started

    def on_train_epoch_end(self) -> None:
        """Log the epoch and step the plateau schedule."""
        row = self._row()
        # Lightning logs an epoch after its checkpoint is written; the row must be in the checkpoint
        # to resume exactly, so it goes to the logger now. Callbacks monitor float64, as counted.
        if self.logger is not None:
            self.logger.log_metrics(row, step=self.current_epoch)
        self.log_dict(
            {name: torch.tensor(value, dtype=torch.float64) for name, value in row.items()},
            logger=False,
        )
        schedulers: Any = self.lr_schedulers()
        for scheduler in schedulers if isinstance(schedulers, list) else [schedulers]:
            if isinstance(scheduler, ReduceLROnPlateau):
                scheduler.step(row["val_loss"])

    def _row(self) -> dict[str, float]:
        train = self._train.scores()  # waits for the GPU, so it comes before the clock is read
        seconds = time.perf_counter() - self._started
        return {
            "epoch": self.current_epoch + 1,
            **{f"train_{name}": train[name] for name in METRICS},
            **{f"val_{name}": self._val_scores[name] for name in METRICS},
            "seconds": seconds,
            "rate": self._train.images / max(seconds - self._val_seconds, 1e-9),
        }

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:
        """Step a scheduler, except for a plateau schedule."""
        # Lightning steps it after the checkpoint of the epoch is written, so a resumed run would
        # forget the epoch; `on_train_epoch_end` has stepped it before.
        if not isinstance(scheduler, ReduceLROnPlateau):
            super().lr_scheduler_step(scheduler, metric)
