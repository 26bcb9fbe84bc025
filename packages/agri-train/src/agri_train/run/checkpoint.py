"""Checkpoints in the run's own folder, early stopping, and the way back to the best weights."""

import math
import pickle
import shutil
from pathlib import Path
from typing import Any

import torch
from agri_core.files.atomic import replacing_file
from agri_core.files.errors import InputError
from agri_core.files.ownership import remove_file
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from torch import nn

from agri_train.config import MONITORS, TrainConfig
from agri_train.run.history import Row

LAST = "last.ckpt"
AVERAGE = "average.module."
"""Where a checkpoint has the running mean of the weights, which is then what was judged."""


class Keeper(Checkpoint):
    """Keeps last, best and every n-th epoch; stops when the monitor has not gained for long.

    Every file is written beside and renamed, and `last.ckpt` comes after all that it refers to,
    so a kill at any moment leaves a state that a rerun goes on from. Names hold epoch, loss and
    IoU and are legal on every system.
    """

    def __init__(self, folder: Path, config: TrainConfig, fingerprint: str) -> None:
        self.folder, self.config, self.fingerprint = folder, config, fingerprint
        self.rows: list[Row] = []
        self.sign = 1.0 if MONITORS[config.monitor] == "min" else -1.0
        self.best, self.epoch, self.waited, self.name = math.inf, 0, 0, ""

    @property
    def last(self) -> Path:
        """The checkpoint a rerun goes on from."""
        return self.folder / LAST

    @property
    def impatient(self) -> bool:
        """Whether patience has run out."""
        return 0 < self.config.patience <= self.waited

    @property
    def done(self) -> bool:
        """Whether no epoch is left to run."""
        return self.impatient or len(self.rows) >= self.config.epochs

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save the epoch that has ended."""
        record: dict[str, float] = pl_module.record  # type: ignore[assignment]
        value, stale = self.sign * record[f"val_{self.config.monitor}"], ""
        gained = value < self.best
        if gained:
            stale, self.best, self.waited = self.name, value, 0
            self.epoch, self.name = int(record["epoch"]), _name("best", record)
        else:
            self.waited += 1
        self._save(trainer, pl_module, record, gained)
        if stale and stale != self.name:
            remove_file(self.folder / stale)
        if self.impatient:
            trainer.should_stop = True

    def _save(
        self,
        trainer: Trainer,
        module: LightningModule,
        record: dict[str, float],
        gained: bool,
    ) -> None:
        if gained:
            # Weights alone: the optimiser's memory is twice as large and of no use for the best.
            best = {"state_dict": module.state_dict(), "agri": self._sign()}
            with replacing_file(self.folder / self.name) as temporary:
                _write(best, temporary)
        with replacing_file(self.folder / LAST) as temporary:
            trainer.save_checkpoint(temporary)
            if self.config.every and int(record["epoch"]) % self.config.every == 0:
                _copy(temporary, self.folder / _name("every", record))

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Sign the checkpoint, and add the log and what early stopping remembers."""
        checkpoint["agri"] = self._sign()

    def _sign(self) -> dict[str, Any]:
        return {
            "fingerprint": self.fingerprint,
            "best": self.best,
            "epoch": self.epoch,
            "waited": self.waited,
            "name": self.name,
            "rows": self.rows,
        }

    def resume(self, checkpoint: dict[str, Any]) -> None:
        """Take up the memory of a stopped run."""
        state = checkpoint["agri"]
        self.best, self.epoch = float(state["best"]), int(state["epoch"])
        self.waited, self.name = int(state["waited"]), str(state["name"])
        self.rows = list(state["rows"])

    def restore(self, net: nn.Module) -> Path:
        """Put the best weights back into the network and return their file.

        Raises:
            InputError: no epoch was kept.
        """
        if not self.name:
            raise InputError(
                f"No epoch had a validation {self.config.monitor} that is a number, so there is "
                "no best one. Is every pixel of the val part marked as ignored?"
            )
        path = self.folder / self.name
        state = read_checkpoint(path)["state_dict"]
        prefix = AVERAGE if any(name.startswith(AVERAGE) for name in state) else "net."
        net.load_state_dict(
            {
                name.removeprefix(prefix): value
                for name, value in state.items()
                if name.startswith(prefix)
            }
        )
        return path


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint as plain tensors and values; no code in it is ever run.

    Raises:
        InputError: it is not one of our checkpoints, or damaged.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        content["agri"]["fingerprint"]
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is not a checkpoint of ours, or it is damaged ({type(error).__name__}). "
            "Remove it to start afresh."
        ) from error
    return dict(content)


def _write(content: dict[str, Any], path: Path) -> None:
    """Write a checkpoint; torch tells of a full disk as a RuntimeError of its archive."""
    try:
        torch.save(content, path)
    except RuntimeError as error:
        raise OSError(f"cannot write {path.name}, is the disk full? ({error})") from error


def _name(kind: str, record: dict[str, float]) -> str:
    epoch, loss, iou = int(record["epoch"]), record["val_loss"], record["val_iou"]
    return f"{kind}-epoch-{epoch:03d}_loss-{loss:.4f}_iou-{iou:.4f}.ckpt"


def _copy(source: Path, target: Path) -> None:
    with replacing_file(target) as temporary:
        shutil.copyfile(source, temporary)
