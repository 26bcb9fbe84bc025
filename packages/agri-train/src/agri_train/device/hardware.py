"""Which device, number format and memory layout a run uses, and why.

The rule for `auto`, from measurements of whole training steps (the table is in the README):

- GPU: bfloat16 where the GPU has it, channels-last.
- Processor with AMX or AVX512-BF16: bfloat16 autocast (3.8 and 2.5 times float32 on U-Net/ResNet-50
  at 256 px; 1.2 to 2 times on small networks), channels-last.
- Any other processor: float32, channels-last (1.2 times).

Channels-last gains on U-Nets and costs up to a fifth on DeepLab at chips of 64 px; `layout` decides
otherwise. Validation, calibration and the bundle are float32 everywhere.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from agri_core.files.errors import InputError
from agri_map.inference.engine import cores

from agri_train.config import TrainConfig

READERS = 4
"""Processes that read batches beside a GPU: three kept up with an H100 at 11 ms a step."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What was chosen; `reason` is logged, `workers` is the number of processes that read."""

    device: Literal["cpu", "gpu"]
    precision: Literal["32", "bf16"]
    layout: Literal["channels_last", "contiguous"]
    workers: int
    reason: str

    @property
    def lightning(self) -> Literal["32-true", "bf16-mixed"]:
        """Lightning's name of the precision."""
        return "bf16-mixed" if self.precision == "bf16" else "32-true"


def choose(config: TrainConfig) -> Setting:
    """Resolve `auto` for this machine.

    Raises:
        InputError: a GPU is asked for and there is none.
    """
    if config.device == "gpu" and not torch.cuda.is_available():
        raise InputError("`device` is gpu, but torch sees no GPU here. Use `auto` or `cpu`.")
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
        config.workers or (min(READERS, cores() - 1) if gpu else 0),
        reason,
    )


def _processor() -> tuple[bool, str]:
    """Whether bfloat16 gains on this processor."""
    if _has("_is_amx_tile_supported"):
        return True, "processor with AMX"
    if _has("_is_avx512_bf16_supported"):
        return True, "processor with AVX512-BF16"
    return False, "processor without bfloat16 arithmetic"


def _has(probe: str) -> bool:
    """Ask torch for a feature of the processor; an older torch that cannot tell means no."""
    ask = getattr(torch.cpu, probe, None)
    return bool(ask()) if ask is not None else False
