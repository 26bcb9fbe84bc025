"""Test-time augmentation: probabilities averaged over mirrored and rotated views of a patch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from agri_core.files.errors import SettingError
from torch import Tensor, nn

COUNTS = (1, 2, 4, 8)


class Views(nn.Module):
    """A network that is trained on single patches and averages several views at inference.

    In evaluation mode its output is the logarithm of the mean probability over the views, so that
    softmax gives this mean. Each view costs as much as a patch.
    """

    def __init__(self, net: nn.Module, count: int) -> None:
        """Wrap `net`; `count` is 2 (mirrored), 4 (mirrored both ways) or 8 (with quarter turns).

        Raises:
            InputError: `count` is another number.
        """
        super().__init__()
        if count not in COUNTS[1:]:
            raise SettingError("views", f"must be one of 1, 2, 4, 8, got {count}")
        self.net, self.count = net, count

    def forward(self, x: Tensor) -> Tensor:
        """Map square patches `(N, C, H, W)` to logits `(N, K)`."""
        if self.training:
            logits: Tensor = self.net(x)
            return logits
        shares = [self.net(view(x)).softmax(dim=1) for view in VIEWS[: self.count]]
        # Probabilities are averaged and not logits, in which one confident view would outweigh
        # the rest. 1e-12 keeps the log finite where all views underflow to 0.
        return torch.stack(shares).mean(dim=0).clamp_min(1e-12).log()


def _turned(x: Tensor) -> Tensor:
    return x.transpose(-2, -1)


VIEWS: tuple[Callable[[Tensor], Tensor], ...] = (
    lambda x: x,
    lambda x: x.flip(-1),
    lambda x: x.flip(-2),
    lambda x: x.flip((-2, -1)),
    _turned,
    lambda x: _turned(x).flip(-1),
    lambda x: _turned(x).flip(-2),
    lambda x: _turned(x).flip((-2, -1)),
)
"""The eight symmetries of a square; the first 2 and the first 4 form groups."""
