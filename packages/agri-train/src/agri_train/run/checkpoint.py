"""Checkpoints of a run: Lightning's callbacks, and how their files are written and read."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from agri_core.files.atomic import replacing_file
from agri_core.files.errors import InputError
from agri_core.files.ownership import remove_file
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import Tensor

from agri_train.config import MONITORS, TrainConfig
from agri_train.network.tensorfile import UnreadableError, load_tensors
from agri_train.network.weights import RUN_KEY
from agri_train.run.history import HistoryLogger

LAST = "last.ckpt"
EMA_PREFIX = "ema.module."
NET_PREFIX = "net."
_NAME = "epoch-{epoch:03d}_loss-{val_loss:.4f}_iou-{val_iou:.4f}"
"""Without Lightning's default `=`, the names are legal in every file system and shell."""
_PATHS = ("best_model_path", "kth_best_model_path", "last_model_path")


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What every checkpoint says of its run.

    Attributes:
        fingerprint: of all that the weights depend on.
        bands: of the network, in channel order.
        threads: that computed it; sums depend on how many share them.
    """

    fingerprint: str
    bands: tuple[str, ...]
    threads: int


class CheckpointCallback(ModelCheckpoint):
    """A ModelCheckpoint that can be resumed after its folder was moved.

    Lightning keeps absolute paths, and forgets the best score of a run whose folder has another
    path now, as in every copy that DVC makes. This class keeps file names.
    """

    def __init__(self, folder: Path, filename: str, **options: Any) -> None:
        super().__init__(
            folder,
            filename,
            auto_insert_metric_name=False,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
            **options,
        )

    def state_dict(self) -> dict[str, Any]:
        """Return Lightning's state with file names in place of paths."""
        return _in_folder(super().state_dict(), "")

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the state with paths in this callback's folder."""
        super().load_state_dict(_in_folder(state_dict, str(self.dirpath)))


def best_checkpoint(folder: Path, config: TrainConfig) -> CheckpointCallback:
    """Return the callback that keeps the epoch with the best `monitor`.

    The file holds the weights only: the optimiser's state is twice as large and not needed.
    """
    return CheckpointCallback(
        folder,
        f"best-{_NAME}",
        monitor=f"val_{config.monitor}",
        mode=MONITORS[config.monitor],
        save_weights_only=True,
    )


def periodic_checkpoint(folder: Path, every: int) -> CheckpointCallback:
    """Return the callback that keeps every n-th epoch."""
    return CheckpointCallback(folder, f"every-{_NAME}", every_n_epochs=every, save_top_k=-1)


def last_checkpoint(folder: Path) -> CheckpointCallback:
    """Return the callback that writes `last.ckpt` in every epoch; it must be the last callback.

    It monitors the epoch because Lightning tells callbacks apart by what they monitor.
    """
    return CheckpointCallback(folder, Path(LAST).stem, monitor="epoch", mode="max")


class RunCheckpointIO(TorchCheckpointIO):
    """Writes checkpoints atomically and as owned outputs, with `facts` and the history of the run.

    `last.ckpt` is what a run resumes from, so a file that it refers to must not be removed before
    the next `last.ckpt` is written: a kill in between would lose the best epoch. Lightning removes
    the former best file at once; here the removal is deferred.
    """

    def __init__(self, facts: RunFacts, history: HistoryLogger) -> None:
        self.facts, self.history = facts, history
        self._stale: list[Path] = []

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Write a checkpoint, then remove the files that nothing refers to any more."""
        run = {**asdict(self.facts), "rows": self.history.rows}
        path = Path(path)
        with replacing_file(path) as temporary:
            write_checkpoint({**checkpoint, RUN_KEY: run}, temporary)
        if path.name == LAST:
            while self._stale:
                remove_file(self._stale.pop())

    def load_checkpoint(
        self, path: str | Path, map_location: Any = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read a checkpoint onto the CPU."""
        return read_checkpoint(Path(path))

    def remove_checkpoint(self, path: str | Path) -> None:
        """Remove a checkpoint once the next `last.ckpt` is written."""
        self._stale.append(Path(path))


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint as tensors and plain values; code in the file is never run.

    Raises:
        InputError: it is damaged, or not a checkpoint of agri-train.
    """
    try:
        content = load_tensors(path)
        content[RUN_KEY]["fingerprint"]
    except (UnreadableError, LookupError, TypeError) as error:
        raise InputError(
            f"{path} is damaged or not a checkpoint of agri-train ({error}). Remove it to train "
            "from the start."
        ) from error
    return dict(content)


def write_checkpoint(content: Mapping[str, Any], path: Path) -> None:
    """Write a checkpoint.

    Raises:
        OSError: the disk is full, which torch reports as a RuntimeError of its archive.
    """
    try:
        torch.save(dict(content), path)
    except RuntimeError as error:
        raise OSError(f"cannot write {path.name}, is the disk full? ({error})") from error


def net_weights(checkpoint: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the weights of the network that was validated: the moving average if there is one."""
    state: Mapping[str, Tensor] = checkpoint["state_dict"]
    prefix = EMA_PREFIX if any(name.startswith(EMA_PREFIX) for name in state) else NET_PREFIX
    return {
        name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)
    }


def _in_folder(state: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """Return the state of a ModelCheckpoint with all of its files in `folder`."""

    def moved(path: str) -> str:
        return str(Path(folder, Path(path).name)) if path else ""

    best = {moved(path): score for path, score in state["best_k_models"].items()}
    paths = {name: moved(state[name]) for name in _PATHS}
    return {**state, **paths, "dirpath": folder, "best_k_models": best}
