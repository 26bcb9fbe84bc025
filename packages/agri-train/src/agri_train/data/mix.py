"""Mixup and CutMix of patches."""

from dataclasses import dataclass

import torch
from agri_core.files.errors import InputError
from torch import Tensor

from agri_train.config import MIXES, TrainConfig
from agri_train.data.dataset import Task

BETA = {"mixup": 0.2, "cutmix": 1.0}
"""Both parameters of the beta distribution of the mixing share, as in the two papers."""


@dataclass(frozen=True, slots=True)
class Mixed:
    """A batch of mixed patches.

    Attributes:
        images: `(N, C, H, W)`.
        partner: class ids of the patches mixed in, `(N,)`.
        share: weight of a patch's own class, 0..1; the partner has the rest.
    """

    images: Tensor
    partner: Tensor
    share: float


def check_mix(config: TrainConfig, task: Task) -> None:
    """Raise if `mix` is set and the task is not the classification of patches.

    Raises:
        InputError: it is.
    """
    if config.mix != "none" and task != "classify":
        raise InputError(f"`mix` is for patches; set it to none to {task}, got {config.mix!r}")


def mix(images: Tensor, truth: Tensor, kind: str) -> Mixed:
    """Mix each patch with another of its batch, drawn by torch's global generator.

    `mixup` blends all pixels (Zhang et al. 2018, arXiv:1710.09412), `cutmix` pastes a rectangle
    (Yun et al. 2019, arXiv:1905.04899), `both` draws one of the two.
    """
    if kind not in MIXES[1:]:
        raise InputError(f"`mix` must be one of {', '.join(MIXES[1:])}, got {kind!r}")
    if kind == "both":
        kind = "mixup" if torch.rand(()) < 0.5 else "cutmix"
    alpha = torch.tensor(BETA[kind])
    share = float(torch.distributions.Beta(alpha, alpha).sample())
    # Drawn on the CPU, so that every device mixes the same pairs, and copied without waiting.
    order = torch.randperm(len(images)).to(images.device, non_blocking=True)
    if kind == "mixup":
        return Mixed(share * images + (1 - share) * images[order], truth[order], share)
    return _pasted(images, truth, order, share)


def _pasted(images: Tensor, truth: Tensor, order: Tensor, share: float) -> Mixed:
    height, width = images.shape[-2:]
    # The rectangle's area is 1 - share of the patch, so each side has the root of it.
    side = (1 - share) ** 0.5
    top, bottom = _span(height, side)
    left, right = _span(width, side)
    made = images.clone()
    made[..., top:bottom, left:right] = images[order][..., top:bottom, left:right]
    # Counted after clipping at the border, where the rectangle is smaller than was drawn.
    cut = (bottom - top) * (right - left) / (height * width)
    return Mixed(made, truth[order], 1 - cut)


def _span(length: int, side: float) -> tuple[int, int]:
    """Return a range of about `side * length` around a random centre, clipped to `0..length`."""
    half, centre = round(length * side) // 2, int(torch.randint(length, ()))
    return max(centre - half, 0), min(centre + half, length)
