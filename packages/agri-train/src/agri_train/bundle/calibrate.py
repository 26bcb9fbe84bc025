"""Temperature scaling: one factor that calibrates the probabilities of a network.

Source: Guo et al. 2017, arXiv:1706.04599. The logits are divided by the temperature, which changes
the probabilities but no prediction.
"""

import math
from collections.abc import Callable, Iterable

import torch
from agri_core.legend import IGNORE
from lightning import LightningModule
from torch import Tensor

from agri_train.engine.loss import CrossEntropyLoss, Head

MAX_PIXELS = 200_000
"""Enough for a temperature of three digits; more only take memory and time."""
# In logarithms: halving and doubling a temperature are changes of the same size.
_LOW, _HIGH = math.log(0.05), math.log(20.0)


def fit_temperature(logits: Tensor, truth: Tensor, head: Head) -> float:
    """Return the temperature with the lowest negative log-likelihood, within 0.05..20.

    Args:
        logits: `(M, K or 1)` of pixels or patches.
        truth: `(M,)` class ids without ignored ones.
        head: of the network.
    """
    loss = CrossEntropyLoss(head, IGNORE, None)

    def cost(log: float) -> float:
        return float(loss.compute(loss.sums(logits.double() / math.exp(log), truth)))

    return math.exp(_golden(cost, _LOW, _HIGH)) if len(truth) else 1.0


@torch.no_grad()
def collect_logits(
    module: LightningModule, batches: Iterable[tuple[Tensor, Tensor]], count: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Return logits and truth of at most `MAX_PIXELS` random valid pixels of `count` batches."""
    generator = torch.Generator().manual_seed(seed)
    share = max(MAX_PIXELS // max(count, 1), 1)
    kept: list[tuple[Tensor, Tensor]] = []
    for image, truth in batches:
        logits = module(image.to(module.device)).float().movedim(1, -1).flatten(0, -2).cpu()
        flat = truth.flatten().cpu()
        valid = torch.nonzero(flat != IGNORE)[:, 0]
        picked = valid[torch.randperm(len(valid), generator=generator)[:share]]
        kept.append((logits[picked], flat[picked]))
    return torch.cat([pair[0] for pair in kept]), torch.cat([pair[1] for pair in kept])


def _golden(cost: Callable[[float], float], low: float, high: float, steps: int = 40) -> float:
    """Minimise a unimodal function by golden-section search."""
    # The golden section reuses one of both inner points, one evaluation a step. 40 steps shrink
    # the range by 0.618^40, about 4e-9.
    ratio = (math.sqrt(5) - 1) / 2
    a, b = high - ratio * (high - low), low + ratio * (high - low)
    cost_a, cost_b = cost(a), cost(b)
    for _ in range(steps):
        if cost_a < cost_b:
            high, b, cost_b = b, a, cost_a
            a = high - ratio * (high - low)
            cost_a = cost(a)
        else:
            low, a, cost_a = a, b, cost_b
            b = low + ratio * (high - low)
            cost_b = cost(b)
    return (low + high) / 2
