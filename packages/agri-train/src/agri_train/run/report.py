"""What a run says and draws while it goes on: a bar, a line an epoch, the log, sample pictures."""

import sys
from typing import Any

import numpy as np
import torch
from agri_core.files.console import Bar, progress_bar, warn
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from agri_train.data.data import ChipDataModule, Rows
from agri_train.engine.task import Task, predict
from agri_train.run.checkpoint import Keeper
from agri_train.run.folder import RunFolder
from agri_train.run.history import COLUMNS, describe, draw_curves, write_history
from agri_train.run.samples import draw_samples

FAR = 3.0


class Report(Checkpoint):
    """Runs after the numbers of an epoch are complete and before they are saved."""

    def __init__(self, folder: RunFolder, data: ChipDataModule, keeper: Keeper) -> None:
        self.folder, self.data, self.keeper = folder, data, keeper
        self.chosen = choose_samples(data) if data.config.samples else None
        self.images, self.seconds = 0.0, 0.0
        self._bar: Bar | None = None
        self._told = False

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Open the bar of the epoch."""
        total = int(trainer.num_training_batches)
        self._bar = progress_bar(f"epoch {trainer.current_epoch + 1}", total, "batch")

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, *args: Any, **kwargs: Any
    ) -> None:
        """Advance the bar; once, tell how the input is scaled."""
        assert isinstance(pl_module, Task)
        if self._bar is not None:
            self._bar.update()
        if not self._told and pl_module.moments is not None:
            self._told = True
            _tell_moments(*pl_module.moments)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the epoch, say a line and draw the samples."""
        assert isinstance(pl_module, Task)
        record = pl_module.record
        self._close()
        self.keeper.rows.append({name: record[name] for name in COLUMNS})
        write_history(self.folder.history, self.keeper.rows)
        better = self.keeper.sign * record[f"val_{self.data.config.monitor}"] < self.keeper.best
        say(describe(record, self.data.config.epochs, better))
        images = len(self.data.rows("train")) * self.data.config.copies
        self.images, self.seconds = self.images + images, self.seconds + images / record["rate"]
        self.draw(pl_module, int(record["epoch"]))

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Leave the terminal as it was."""
        self._close()

    def close(self) -> None:
        """Write the log again and draw its curves, whether the run ended or was stopped."""
        if self.keeper.rows:
            write_history(self.folder.history, self.keeper.rows)
            draw_curves(self.keeper.rows, self.folder.curves, self.data.spec.name)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def draw(self, task: Task, epoch: int) -> None:
        """Draw the sample picture of an epoch from the weights that are judged."""
        if self.chosen is None:
            return
        image, _ = self.data.read(self.chosen)
        task.eval()
        with torch.inference_mode():
            found = predict(task.judge(image.to(task.device)), task.loss.head).cpu().numpy()
        task.train()
        draw_samples(self.data, self.chosen, found, self.folder.sample(epoch), epoch)


def choose_samples(data: ChipDataModule) -> Rows:
    """Pick chips of the validation part, evenly spread over it, the same in every epoch."""
    rows = data.rows("val")
    places = np.linspace(0, len(rows) - 1, min(data.config.samples, len(rows)))
    return rows[np.unique(places.round().astype(np.int64))]


def say(message: str) -> None:
    """Write a line about the run to stderr; stdout is for results."""
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


def _tell_moments(mean: float, std: float) -> None:
    say(f"first batch after normalisation: mean {mean:.2f}, deviation {std:.2f}")
    if abs(mean) > FAR:
        warn(
            f"the first batch has a mean of {mean:.1f} deviations instead of about 0: the "
            "statistics of the store do not fit its chips. Are they in another unit? "
            "Measure them again with `agri-data split`."
        )
