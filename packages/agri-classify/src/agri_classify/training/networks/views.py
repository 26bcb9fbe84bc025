"""Test-time views: mirrored or turned, a patch is the same land, so its answers are averaged."""

from __future__ import annotations

from collections.abc import Callable

import torch
from agri_core.files.errors import InputError
from torch import Tensor, nn

COUNTS = (1, 2, 4, 8)


class Views(nn.Module):
    """A network that learns from patches as they come and judges several views of each.

    Out of training its output is the logarithm of the mean probability over the views, which
    softmax turns back into that mean. Each view costs as much as the patch itself.
    """

    def __init__(self, net: nn.Module, count: int) -> None:
        """Wrap `net`; `count` is 2 (mirrored), 4 (both ways) or 8 (also turned by quarters).

        Raises:
            InputError: `count` is another number.
        """
        super().__init__()
        if count not in COUNTS[1:]:
            raise InputError(f"the number of views is one of 1, 2, 4, 8, got {count}")
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
"""The eight symmetries of a square; the first 2 and 4 are groups of their own."""
