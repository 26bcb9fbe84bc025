"""Which device, number format and memory layout a run uses, and why.

The rule for `auto` follows measurements (`benchmarks/training.py`, U-Net/ResNet-50, 256 px):
see RULE below and the README of this package.
"""

from dataclasses import dataclass
from typing import Literal

import torch

from agri_train.config import TrainConfig


@dataclass(frozen=True, slots=True)
class Setting:
    """What was chosen; `reason` is logged."""

    device: Literal["cpu", "gpu"]
    precision: Literal["32", "bf16"]
    layout: Literal["channels_last", "contiguous"]
    reason: str

    @property
    def lightning(self) -> Literal["32-true", "bf16-mixed"]:
        """Lightning's name of the precision."""
        return "bf16-mixed" if self.precision == "bf16" else "32-true"


def choose(config: TrainConfig) -> Setting:
    """Resolve `auto` for this machine."""
    gpu = torch.cuda.is_available() if config.device == "auto" else config.device == "gpu"
    if gpu:
        fast, reason = torch.cuda.is_bf16_supported(), "GPU"
    else:
        fast, reason = _processor()
    precision = config.precision if config.precision != "auto" else ("bf16" if fast else "32")
    layout = config.layout if config.layout != "auto" else "channels_last"
    return Setting(
        "gpu" if gpu else "cpu",
        "bf16" if precision == "bf16" else "32",
        "channels_last" if layout == "channels_last" else "contiguous",
        reason,
    )


def _processor() -> tuple[bool, str]:
    """Whether bfloat16 gains on this processor."""
    if has_amx():
        return True, "processor with AMX"
    return False, "processor without AMX"


def has_amx() -> bool:
    """Whether the processor multiplies bfloat16 matrices in AMX tiles."""
    probe = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return bool(probe()) if probe is not None else False
