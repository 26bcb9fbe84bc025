"""Patches mixed in pairs, and the loss of such a pair."""

from dataclasses import dataclass

import torch
from agri_core.files.errors import InputError
from torch import Tensor

from agri_train.config import MIXES, TrainConfig
from agri_train.data.data import Task

SPREAD = {"mixup": 0.2, "cutmix": 1.0}
"""Both parameters of the beta distribution that shares are drawn from, as in the two papers."""


@dataclass(frozen=True, slots=True)
class Mixed:
    """A batch of mixed patches.

    Attributes:
        images: `(N, C, H, W)`.
        partner: class ids of what was mixed in, `(N,)`.
        share: of the patch's own class, 0..1; the partner has the rest.
    """

    images: Tensor
    partner: Tensor
    share: float


def check_mix(config: TrainConfig, task: Task) -> None:
    """Refuse to mix where the truth is a map.

    Raises:
        InputError: mixing is asked for and the task is not about patches.
    """
    if config.mix != "none" and task != "classify":
        raise InputError(f"`mix` is for patches; set it to none to {task}, got {config.mix!r}")


def mix(images: Tensor, truth: Tensor, kind: str) -> Mixed:
    """Mix each patch with another of its batch; torch's global generator draws.

    `mixup` blends all pixels (Zhang et al. 2018, arXiv:1710.09412), `cutmix` pastes a rectangle
    (Yun et al. 2019, arXiv:1905.04899), `both` does either by an even chance.
    """
    if kind not in MIXES[1:]:
        raise InputError(f"a mix is one of {', '.join(MIXES[1:])}, got {kind!r}")
    if kind == "both":
        kind = "mixup" if torch.rand(()) < 0.5 else "cutmix"
    spread = torch.tensor(SPREAD[kind])
    share = float(torch.distributions.Beta(spread, spread).sample())
    # Drawn on the processor, so that every device mixes alike, and sent without waiting for a GPU.
    order = torch.randperm(len(images)).to(images.device, non_blocking=True)
    if kind == "mixup":
        return Mixed(share * images + (1 - share) * images[order], truth[order], share)
    return _pasted(images, truth, order, share)


def _pasted(images: Tensor, truth: Tensor, order: Tensor, share: float) -> Mixed:
    height, width = images.shape[-2:]
    side = (1 - share) ** 0.5
    top, bottom = _span(height, side)
    left, right = _span(width, side)
    made = images.clone()
    made[..., top:bottom, left:right] = images[order][..., top:bottom, left:right]
    cut = (bottom - top) * (right - left) / (height * width)
    return Mixed(made, truth[order], 1 - cut)


def _span(length: int, side: float) -> tuple[int, int]:
    """Return a stretch of about `side` times `length` around a point anywhere, cut at the ends."""
    half, centre = round(length * side) // 2, int(torch.randint(length, ()))
    return max(centre - half, 0), min(centre + half, length)
