"""The folder of one run: which model it belongs to, and whether an interrupted run resumes here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agri_core.files.atomic import write_json
from agri_core.files.errors import InputError
from agri_core.files.ownership import PARTIAL, check_file, remove_file
from agri_core.files.record import RECORD, read_record
from agri_core.files.records import load_json

from agri_train.network.weights import RUN_KEY
from agri_train.run.checkpoint import LAST, read_checkpoint

CONFIG = "config.json"
MAX_CONFIG = 1_000_000
"""Largest settings file in bytes; ours have a few kilobytes."""
_OUTPUTS = {
    RECORD, ".gitignore", "checkpoints", CONFIG, "curves.png", "history.csv", "metrics.json",
    "model.onnx", "samples", "summary.txt",
}  # fmt: skip


class RunFolder:
    """The paths of a run, and the check that two models never share a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config, self.history = path / CONFIG, path / "history.csv"
        self.curves, self.bundle = path / "curves.png", path / "model.onnx"
        self.samples, self.checkpoints = path / "samples", path / "checkpoints"

    def open(self, identity: Mapping[str, str], fingerprint: str) -> dict[str, Any] | None:
        """Return the checkpoint to resume from, or clear the folder and return None.

        Raises:
            InputError: the folder holds something else, another model, or a checkpoint that was
                changed since.
        """
        self._check_owner(identity)
        found = self._last()
        if found is not None and found[RUN_KEY]["fingerprint"] == fingerprint:
            return found
        self._clear()
        return None

    def sample(self, epoch: int) -> Path:
        """Return the path of the sample picture of an epoch, counted from 1."""
        return self.samples / f"epoch-{epoch:03d}.png"

    def write_config(self, content: Mapping[str, Any]) -> None:
        """Write the resolved settings."""
        write_json(self.config, dict(content))

    def has_checkpoint(self) -> bool:
        """Whether an earlier run left a checkpoint here."""
        return (self.checkpoints / LAST).is_file()

    def _check_owner(self, identity: Mapping[str, str]) -> None:
        if not self.path.exists() or not any(self.path.iterdir()):
            return
        if not self.config.is_file():
            self._check_outputs()
            return
        held = self._read_config()
        same = {"name": held.get("name"), "family": family(str(held.get("arch")))}
        other = [key for key, value in same.items() if value != identity[key]]
        if other:
            raise InputError(
                f"{self.path} holds another model ({other[0]} {same[other[0]]!r}, not "
                f"{identity[other[0]]!r}). Give each model its own folder."
            )

    def _read_config(self) -> Mapping[str, Any]:
        size = self.config.stat().st_size
        if size > MAX_CONFIG:
            raise InputError(f"{self.config} has {size:,} bytes, too many; choose another folder.")
        held = load_json(self.config.read_bytes(), f"{self.config} (choose another folder)")
        if not isinstance(held, dict):
            raise InputError(
                f"{self.config} must be a JSON object, got {type(held).__name__}; choose another "
                "folder."
            )
        return held

    def _check_outputs(self) -> None:
        """Accept what is left of a run when a pipeline has removed its declared outputs."""
        names = sorted(path.name for path in self.path.iterdir())
        foreign = [name for name in names if _final_name(name) not in _OUTPUTS]
        if foreign:
            raise InputError(
                f"{self.path} holds {foreign[0]} and no {CONFIG}, so it is not the folder of an "
                "earlier run. Choose another folder or remove it yourself."
            )

    def _last(self) -> dict[str, Any] | None:
        path = self.checkpoints / LAST
        if not path.is_file():
            return None
        # A checkpoint is resumed from only as this command left it.
        check_file(path)
        return read_checkpoint(path)

    def _clear(self) -> None:
        """Remove the outputs of an earlier run of this model, and nothing else."""
        for path in (self.history, self.curves, self.bundle):
            remove_file(path)
        for pattern, folder in (("*.ckpt", self.checkpoints), ("epoch-*.png", self.samples)):
            for path in folder.glob(pattern):
                if path.name in read_record(folder):
                    remove_file(path)


def family(arch: str) -> str:
    """Return the architecture without its encoder: unet-resnet50 may replace unet-resnet18."""
    return arch.partition("-")[0]


def _final_name(name: str) -> str:
    """Return the name of an output without the parts of a scratch folder's name."""
    return name.removeprefix(PARTIAL).rpartition("-")[0] if name.startswith(PARTIAL) else name
