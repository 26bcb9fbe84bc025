"""The progress bar of a run."""

import sys
from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import TQDMProgressBar
from lightning.pytorch.callbacks.progress.tqdm_progress import Tqdm


class ProgressBar(TQDMProgressBar):
    """Lightning's progress bar, on stderr and removed at the end of each epoch.

    Lightning draws on stdout, which is for results, and leaves the bar standing where the line of
    the epoch is to be printed.
    """

    def __init__(self) -> None:
        super().__init__(leave=True)  # opens a bar in each epoch, and closes it at its end

    def init_train_tqdm(self) -> Tqdm:
        """Open the bar of an epoch."""
        return _bar(position=0)

    def init_validation_tqdm(self) -> Tqdm:
        """Open the bar of a validation, below that of the epoch."""
        return _bar(position=1)

    def on_train_start(self, *args: Any) -> None:
        """Open no bar before the first epoch."""

    def on_train_epoch_start(self, trainer: Trainer, *args: Any) -> None:
        """Open the bar of an epoch; epochs are counted from 1."""
        super().on_train_epoch_start(trainer, *args)
        self.train_progress_bar.set_description(f"epoch {trainer.current_epoch + 1}")

    def get_metrics(
        self, trainer: Trainer, pl_module: LightningModule
    ) -> dict[str, int | str | float | dict[str, float]]:
        """Show no metrics: the line of the epoch does."""
        return {}

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Close the bars, so that the terminal is left as it was."""
        for bar in (self._val_progress_bar, self._train_progress_bar):
            if bar is not None:
                bar.close()


def _bar(position: int) -> Tqdm:
    return Tqdm(position=position, leave=False, dynamic_ncols=True, file=sys.stderr, unit="batch")
