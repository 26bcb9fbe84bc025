"""The exponential moving average of a network's weights."""

import copy

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class EMA(nn.Module):
    """A copy of a network that holds the exponential moving average of its weights and buffers.

    The decay is warmed up, so that the untrained weights are soon forgotten: after `n` steps it is
    `min(decay, (1 + n) / (10 + n))`, as in TensorFlow's ExponentialMovingAverage. The first step
    copies the network. Integer buffers, such as counts of batches, are not averaged.
    """

    # Torch's AveragedModel reads its step count from the device and walks the whole network in
    # every step; this class keeps the count itself, and a list of the tensors.

    def __init__(self, net: nn.Module, decay: float) -> None:
        super().__init__()
        self.module = copy.deepcopy(net).requires_grad_(False)
        self.decay, self.steps = decay, 0
        self._averages: list[Tensor] = []
        self._sources: list[Tensor] = []

    def forward(self, image: Tensor) -> Tensor:
        """Return the logits of the averaged network."""
        logits: Tensor = self.module(image)
        return logits

    def follow(self, net: nn.Module) -> None:
        """Average the tensors of `net`; call it again after the networks moved to a device."""
        pairs = zip(_values(self.module), _values(net), strict=True)
        kept = [(average, own) for average, own in pairs if own.is_floating_point()]
        self._averages, self._sources = [pair[0] for pair in kept], [pair[1] for pair in kept]

    @torch.no_grad()
    def update(self) -> None:
        """Update the average after a training step."""
        # 0 at the first step copies the network; an average begun at the untrained weights is
        # biased.
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps)) if self.steps else 0.0
        update = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        update(self._averages, self._sources, self.steps)
        self.steps += 1

    def get_extra_state(self) -> int:
        """Return the number of steps, which a checkpoint holds in addition to the weights."""
        return self.steps

    def set_extra_state(self, state: int) -> None:
        """Restore the number of steps."""
        self.steps = int(state)


def _values(net: nn.Module) -> list[Tensor]:
    return [*(item.detach() for item in net.parameters()), *net.buffers()]
