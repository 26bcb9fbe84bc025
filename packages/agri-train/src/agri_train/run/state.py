"""The state of a run: history, checkpoints and early stopping, and how they are resumed."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agri_core.files.errors import InputError, MissingError
from agri_core.files.ownership import check_file
from lightning.pytorch.callbacks import Callback, EarlyStopping
from torch import nn

from agri_train.config import MONITORS, TrainConfig
from agri_train.network.weights import RUN_KEY
from agri_train.run.checkpoint import (
    LAST,
    RunCheckpointIO,
    RunFacts,
    best_checkpoint,
    last_checkpoint,
    net_weights,
    periodic_checkpoint,
    read_checkpoint,
)
from agri_train.run.folder import RunFolder
from agri_train.run.history import HistoryLogger


class RunState:
    """History, checkpoints and early stopping of one run.

    Attributes:
        threads: that computed the epochs before this call; None without any.
    """

    def __init__(self, folder: RunFolder, config: TrainConfig, facts: RunFacts) -> None:
        self.folder, self.config, self.facts = folder, config, facts
        self.history = HistoryLogger(folder.history)
        self.checkpoint_io = RunCheckpointIO(facts, self.history)
        self.threads: int | None = None
        self.best = best_checkpoint(folder.checkpoints, config)
        self.early_stopping = early_stopping(config) if config.patience else None
        self.resumed = False

    def callbacks(self) -> list[Callback]:
        """Return the callbacks, in the order in which they must run at the end of an epoch."""
        every, checkpoints = self.config.checkpoint_every, self.folder.checkpoints
        return [
            *([self.early_stopping] if self.early_stopping else []),
            self.best,
            *([periodic_checkpoint(checkpoints, every)] if every else []),
            last_checkpoint(checkpoints),
        ]

    def resume(self, checkpoint: Mapping[str, Any]) -> None:
        """Restore the state of an interrupted or finished run."""
        self.resumed = True
        run = checkpoint[RUN_KEY]
        self.history.rows = list(run["rows"])
        for callback in (self.best, self.early_stopping):
            if callback is not None:
                callback.load_state_dict(checkpoint["callbacks"][callback.state_key])
        self.threads = run["threads"]

    @property
    def last(self) -> Path | None:
        """The checkpoint to resume from, None to start from the beginning."""
        return self.folder.checkpoints / LAST if self.resumed else None

    @property
    def done(self) -> bool:
        """Whether no epoch is left to train."""
        stop = self.early_stopping
        stopped = stop is not None and stop.wait_count >= stop.patience
        return stopped or len(self.history.rows) >= self.config.epochs

    def restore_best(self, net: nn.Module) -> tuple[Path, int]:
        """Load the best weights into the network; return their file and epoch.

        Raises:
            InputError: no epoch has a finite validation metric, or the file was changed since.
            MissingError: the file is gone.
        """
        score = self.best.best_model_score
        if score is None or not math.isfinite(float(score)):
            raise InputError(
                f"No epoch has a finite validation {self.config.monitor}, so there is no best "
                "epoch. Is every pixel of the val split ignored?"
            )
        path = Path(self.best.best_model_path)
        if not path.is_file():
            raise MissingError(
                f"{path}, the best epoch of this run, is gone; remove {self.folder.checkpoints} to "
                "train from the start"
            )
        check_file(path)
        checkpoint = read_checkpoint(path)
        net.load_state_dict(net_weights(checkpoint))
        return path, int(checkpoint["epoch"]) + 1


def early_stopping(config: TrainConfig) -> EarlyStopping:
    """Return the callback that stops when the monitored metric stops improving."""
    return EarlyStopping(
        monitor=f"val_{config.monitor}",
        mode=MONITORS[config.monitor],
        patience=config.patience,
        # A split of ignored pixels gives NaN; `restore_best` then reports it with its reason.
        check_finite=False,
        check_on_train_epoch_end=True,
    )
