"""The exponential mean of a network's weights."""

import copy

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class RunningMean(nn.Module):
    """A copy of a network that follows its weights and statistics, `share` of it old.

    The mean begins short, so that it soon forgets the untrained weights: of it after `n` steps
    `min(share, (1 + n) / (10 + n))` is old, as in TensorFlow's ExponentialMovingAverage. The first
    step takes the network as it is. Whole numbers, such as counts of batches, are left alone.

    Torch's AveragedModel asks the device for its count at every step, and walks through the whole
    network; this one keeps the count itself, and a list.
    """

    def __init__(self, net: nn.Module, share: float) -> None:
        super().__init__()
        self.module = copy.deepcopy(net).requires_grad_(False)
        self.share, self.steps = share, 0
        self._means: list[Tensor] = []
        self._owns: list[Tensor] = []

    def forward(self, image: Tensor) -> Tensor:
        """Return the logits of the mean."""
        logits: Tensor = self.module(image)
        return logits

    def follow(self, net: nn.Module) -> None:
        """Follow `net` from now on; call it again once the networks were moved to a device."""
        pairs = zip(_values(self.module), _values(net), strict=True)
        kept = [(mean, own) for mean, own in pairs if own.is_floating_point()]
        self._means, self._owns = [mean for mean, _ in kept], [own for _, own in kept]

    @torch.no_grad()
    def update(self) -> None:
        """Take in one step."""
        old = min(self.share, (1 + self.steps) / (10 + self.steps)) if self.steps else 0.0
        get_ema_multi_avg_fn(old)(self._means, self._owns, self.steps)  # type: ignore[no-untyped-call]
        self.steps += 1

    def get_extra_state(self) -> int:
        """Return what a checkpoint holds beside the weights: the number of steps."""
        return self.steps

    def set_extra_state(self, state: int) -> None:
        """Take up the number of steps."""
        self.steps = int(state)


def _values(net: nn.Module) -> list[Tensor]:
    return [*(item.detach() for item in net.parameters()), *net.buffers()]
