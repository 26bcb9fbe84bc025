"""One temperature that makes confidence match how often the model is right.

Source: Guo et al. 2017, arXiv:1706.04599. The temperature divides the logits; it changes no
prediction, only the probability beside it.
"""

import math
from collections.abc import Callable, Iterable

import torch
from agri_core.legend import IGNORE
from lightning import LightningModule
from torch import Tensor

from agri_train.engine.loss import Head, Likelihood

PIXELS = 200_000
_LOW, _HIGH = math.log(0.05), math.log(20.0)


def fit_temperature(logits: Tensor, truth: Tensor, head: Head) -> float:
    """Find the temperature with the least negative log-likelihood, within 0.05..20.

    Args:
        logits: `(M, K or 1)` of single pixels or patches.
        truth: `(M,)` class ids without ignored ones.
        head: of the network.
    """
    loss = Likelihood(head, IGNORE, None)

    def cost(log: float) -> float:
        return float(loss.compute(loss.sums(logits.double() / math.exp(log), truth)))

    return math.exp(_golden(cost, _LOW, _HIGH)) if len(truth) else 1.0


@torch.no_grad()
def collect_logits(
    module: LightningModule, batches: Iterable[tuple[Tensor, Tensor]], count: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Run the network over `count` batches and keep at most `PIXELS` valid pixels by chance."""
    generator = torch.Generator().manual_seed(seed)
    share = max(PIXELS // max(count, 1), 1)
    kept: list[tuple[Tensor, Tensor]] = []
    for image, truth in batches:
        logits = module(image.to(module.device)).float().movedim(1, -1).flatten(0, -2).cpu()
        flat = truth.flatten().cpu()
        valid = torch.nonzero(flat != IGNORE)[:, 0]
        picked = valid[torch.randperm(len(valid), generator=generator)[:share]]
        kept.append((logits[picked], flat[picked]))
    return torch.cat([pair[0] for pair in kept]), torch.cat([pair[1] for pair in kept])


def _golden(cost: Callable[[float], float], low: float, high: float, steps: int = 40) -> float:
    """Golden-section search of a function with one minimum."""
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
