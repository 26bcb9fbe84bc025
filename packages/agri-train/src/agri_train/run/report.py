"""What a run prints and draws in each epoch: one line and a sample picture."""

from typing import Any

import numpy as np
import torch
from agri_core.files.console import tell, warn
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from agri_train.data.datamodule import ChipDataModule
from agri_train.data.sampler import Rows
from agri_train.engine.accumulator import predict
from agri_train.engine.module import TrainingModule
from agri_train.run.folder import RunFolder
from agri_train.run.history import HistoryLogger, describe, is_best
from agri_train.run.samples import draw_samples

FAR = 3.0
"""Largest plausible mean of a normalised batch, in standard deviations."""


class EpochReport(Checkpoint):
    """Prints the line of each epoch and draws its sample picture.

    It is a `Checkpoint` only because Lightning runs those after the module's own hooks, when the
    metrics of the epoch are known.
    """

    def __init__(self, folder: RunFolder, data: ChipDataModule, history: HistoryLogger) -> None:
        self.folder, self.data, self.history = folder, data, history
        self.rows = sample_rows(data) if data.config.sample_rows else None
        self._checked = False

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, *args: Any, **kwargs: Any
    ) -> None:
        """Print the statistics of the first normalised batch."""
        assert isinstance(pl_module, TrainingModule)
        if not self._checked and pl_module.input_stats is not None:
            self._checked = True
            _check_input(*pl_module.input_stats)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print a line about the epoch and draw the sample picture."""
        assert isinstance(pl_module, TrainingModule)
        config, rows = self.data.config, self.history.rows
        note(describe(rows[-1], config.epochs, is_best(rows, config.monitor)))
        self.draw(pl_module, int(rows[-1]["epoch"]))

    def draw(self, module: TrainingModule, epoch: int) -> None:
        """Draw the sample picture of an epoch with the weights that are validated."""
        if self.rows is None:
            return
        image, _ = self.data.read(self.rows)
        module.eval()
        with torch.inference_mode():
            logits = module.eval_logits(image.to(module.device))
            found = predict(logits, module.loss.head).cpu().numpy()
        module.train()
        draw_samples(self.data, self.rows, found, self.folder.sample(epoch), epoch)


def sample_rows(data: ChipDataModule) -> Rows:
    """Return chips spread evenly over the validation split, the same in every epoch."""
    rows = data.rows("val")
    positions = np.linspace(0, len(rows) - 1, min(data.config.sample_rows, len(rows)))
    return rows[np.unique(positions.round().astype(np.int64))]


def note(message: str) -> None:
    """Write a line about the run to stderr; stdout is for results."""
    tell(message)


def _check_input(mean: float, std: float) -> None:
    note(f"first normalised batch: mean {mean:.2f}, standard deviation {std:.2f}")
    if abs(mean) > FAR:
        warn(
            f"the first normalised batch has a mean of {mean:.1f} standard deviations instead of "
            "about 0: the statistics of the store do not fit its chips. Are they in another unit? "
            "Measure them again with `agri-data split`."
        )
