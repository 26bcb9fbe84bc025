"""Loss and confusion counts of an epoch, accumulated over batches on any device."""

import math
from typing import Any

import numpy as np
import torch
from agri_core import confusion as scores
from agri_core.legend import IGNORE
from torch import Tensor

from agri_train.engine.loss import Loss

METRICS = ("loss", "iou", "f1", "accuracy", "majority")


class ConfusionAccumulator:
    """The loss sums and the confusion matrix of an epoch.

    Every metric is computed once from the totals, so neither the batch size nor an uneven last
    batch affects it.
    """

    def __init__(self, loss: Loss) -> None:
        self.loss, self.classes, self.images = loss, loss.classes, 0
        self.sums = torch.zeros(sum(loss.sizes), dtype=torch.float64)
        self.counts = torch.zeros(loss.classes**2, dtype=torch.int64)

    def add(self, sums: Tensor, logits: Tensor, truth: Tensor) -> None:
        """Add the loss sums and the confusion counts of a batch."""
        # The totals stay on the device: moving them would make the CPU wait for the GPU.
        self.sums = self.sums.to(sums.device) + sums.detach().double()
        self.add_counts(logits, truth)

    def add_counts(self, logits: Tensor, truth: Tensor) -> None:
        """Add only the confusion counts of a batch."""
        pairs = confusion_counts(truth, predict(logits.detach(), self.loss.head), self.classes)
        self.counts = self.counts.to(pairs.device) + pairs
        self.images += len(truth)

    def matrix(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return the confusion matrix `(K, K)`, rows = truth."""
        counts: np.ndarray[Any, np.dtype[np.int64]] = self.counts.cpu().numpy()
        return counts.reshape(self.classes, self.classes)

    def scores(self) -> dict[str, float]:
        """Return loss, mean IoU and F1 of the classes present, accuracy and the majority baseline.

        All are NaN without a single valid pixel: an epoch of ignored pixels is not a perfect one.
        """
        cm = self.matrix()
        return {
            "loss": float(self.loss.compute(self.sums)) if cm.any() else math.nan,
            "iou": scores.mean_iou(cm),
            "f1": scores.mean_f1(cm),
            "accuracy": scores.accuracy(cm),
            "majority": scores.majority(cm)[0],
        }


def predict(logits: Tensor, head: str) -> Tensor:
    """Return class ids `(N, ...)` of logits `(N, K or 1, ...)`."""
    return (logits[:, 0] > 0).long() if head == "binary" else logits.argmax(dim=1)


def confusion_counts(truth: Tensor, predicted: Tensor, classes: int) -> Tensor:
    """Return flat confusion counts (row = truth), like `agri_core.confusion`, on any device."""
    # Neither a mask nor `bincount`: both make the GPU report a size, for which the CPU waits.
    ignored = classes * classes
    pairs = torch.where(truth == IGNORE, ignored, truth * classes + predicted).flatten()
    counts = torch.zeros(ignored + 1, dtype=torch.int64, device=pairs.device)
    return counts.scatter_add_(0, pairs, torch.ones_like(pairs))[:-1]
