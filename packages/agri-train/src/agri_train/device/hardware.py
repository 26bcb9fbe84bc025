"""Device, precision and memory format of a run.

`auto` follows measurements of whole training steps (table in the README):

- GPU: bfloat16 if the GPU supports it, channels-last.
- CPU with AMX or AVX512-BF16: bfloat16 autocast (3.8 and 2.5 times float32 on U-Net/ResNet-50
  at 256 px; 1.2 to 2 times on small networks), channels-last.
- Any other CPU: float32, channels-last (1.2 times).

Channels-last is faster for U-Nets and up to a fifth slower for DeepLab on chips of 64 px;
`memory_format` overrides it. Validation, calibration and the bundle are float32 everywhere.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from agri_core.files.errors import InputError
from agri_map.inference.engine import cores

from agri_train.config import TrainConfig

GPU_WORKERS = 4
"""Data loader processes with a GPU: three kept up with an H100 at 11 ms per step."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """Device, precision, memory format, processes and threads of a run; `reason` is logged.

    The threads belong to the seed: a sum that two threads share has another rounding error than
    that of one, so only runs with the same number have the same losses to the last digit.
    """

    device: Literal["cpu", "gpu"]
    precision: Literal["32", "bf16"]
    memory_format: Literal["channels_last", "contiguous"]
    workers: int
    threads: int
    reason: str

    @property
    def lightning(self) -> Literal["32-true", "bf16-mixed"]:
        """Name of the precision in Lightning."""
        return "bf16-mixed" if self.precision == "bf16" else "32-true"


def choose(config: TrainConfig) -> Hardware:
    """Choose the hardware settings, resolving `auto` for this machine.

    Raises:
        InputError: a GPU is asked for and there is none.
    """
    if config.device == "gpu" and not torch.cuda.is_available():
        raise InputError("`device` is gpu, but torch sees no GPU here. Use `auto` or `cpu`.")
    gpu = torch.cuda.is_available() if config.device == "auto" else config.device == "gpu"
    if gpu:
        fast, reason = torch.cuda.is_bf16_supported(), "GPU"
    else:
        fast, reason = _cpu()
    precision = config.precision if config.precision != "auto" else ("bf16" if fast else "32")
    memory_format = config.memory_format if config.memory_format != "auto" else "channels_last"
    return Hardware(
        "gpu" if gpu else "cpu",
        "bf16" if precision == "bf16" else "32",
        "channels_last" if memory_format == "channels_last" else "contiguous",
        config.workers or (min(GPU_WORKERS, cores() - 1) if gpu else 0),
        config.threads or torch.get_num_threads(),
        reason,
    )


def _cpu() -> tuple[bool, str]:
    """Return whether bfloat16 is faster on this CPU, and why."""
    if _has("_is_amx_tile_supported"):
        return True, "CPU with AMX"
    if _has("_is_avx512_bf16_supported"):
        return True, "CPU with AVX512-BF16"
    return False, "CPU without bfloat16 arithmetic"


def _has(probe: str) -> bool:
    """Ask torch whether the CPU has a feature; False where torch is too old to tell."""
    ask = getattr(torch.cpu, probe, None)
    return bool(ask()) if ask is not None else False
