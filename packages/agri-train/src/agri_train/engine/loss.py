"""Losses for pixels and patches, computed from sums that are additive over batches.

Every term is `compute(sums(logits, target))`. The sums of batches are added, so the loss of an
epoch does not depend on the batch size or on an uneven last batch. Ignored pixels contribute to no
sum and get no gradient. Terms are computed in float32, also under autocast.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from agri_core.files.errors import InputError
from agri_core.legend import IGNORE
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

Head = Literal["binary", "multiclass"]
HEADS = ("binary", "multiclass")
# Weights of false positives and false negatives: 0.3 and 0.7 gave the best scores in Salehi et al.
# 2017. Missed pixels cost more, which raises the recall of rare classes.
_TVERSKY = {"dice": (0.5, 0.5), "jaccard": (1.0, 1.0), "tversky": (0.3, 0.7)}
LONGEST = 100
"""Characters of a loss that names every term."""
TERMS = {"binary": ("bce", *_TVERSKY), "multiclass": ("ce", *_TVERSKY)}


class CrossEntropyLoss(nn.Module):
    """Cross-entropy, binary or over K classes: the weighted mean over valid pixels.

    Label smoothing (Szegedy et al. 2016, arXiv:1512.00567) applies in training mode only;
    validation uses the plain cross-entropy.
    """

    def __init__(
        self, head: Head, ignore: int, weights: Tensor | None, label_smoothing: float = 0.0
    ) -> None:
        super().__init__()
        self.head, self.ignore, self.size = head, ignore, 2
        self.label_smoothing = label_smoothing
        self.register_buffer("weights", weights, persistent=False)

    def sums(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return `[sum of w * loss, sum of w]` over the valid pixels."""
        valid = target != self.ignore
        weight = valid.to(logits.dtype)
        if isinstance(self.weights, Tensor):
            # Ignored pixels hold 255, which is no index; they get class 0, and their weight is 0
            # already.
            weight = weight * self.weights[target.masked_fill(~valid, 0)]
        if self.head == "binary":
            truth = target.masked_fill(~valid, 0).to(logits.dtype)
            loss = binary_cross_entropy_with_logits(logits[:, 0], truth, reduction="none")
        else:
            loss = cross_entropy(
                logits,
                target,
                ignore_index=self.ignore,
                reduction="none",
                label_smoothing=self.label_smoothing if self.training else 0.0,
            )
        return torch.stack([(loss * weight).sum(), weight.sum()])

    def compute(self, sums: Tensor) -> Tensor:
        """Return the weighted mean; 0 without a valid pixel."""
        return sums[0] / sums[1].clamp_min(torch.finfo(sums.dtype).tiny)


class TverskyLoss(nn.Module):
    """Soft Tversky loss, `1 - TP / (TP + a FP + b FN)`; Dice is a = b = 1/2, Jaccard a = b = 1.

    The binary head scores class 1; the K-class head takes the mean over the classes that occur
    in the truth.

    Source: Salehi et al. 2017, arXiv:1706.05721.
    """

    def __init__(
        self, head: Head, classes: int, ignore: int, alpha: float, beta: float,
        weights: Tensor | None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.head, self.ignore, self.alpha, self.beta = head, ignore, alpha, beta
        self.channels = 1 if head == "binary" else classes
        self.size = 3 * self.channels
        if weights is not None and head == "binary":
            weights = weights[1:]
        self.register_buffer("weights", weights, persistent=False)

    def sums(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return `[overlap, predicted, true]` soft pixel counts of each class, flattened."""
        valid = (target != self.ignore).unsqueeze(1)
        if self.head == "binary":
            score, truth = logits.sigmoid(), (target == 1).unsqueeze(1).to(logits.dtype)
        else:
            score = logits.softmax(dim=1)
            index = target.masked_fill(~valid[:, 0], 0).unsqueeze(1)
            truth = torch.zeros_like(logits).scatter_(1, index, 1.0)
        score, truth = score * valid, truth * valid
        axes = [axis for axis in range(logits.ndim) if axis != 1]
        parts = ((score * truth).sum(axes), score.sum(axes), truth.sum(axes))
        return torch.cat(parts)

    def compute(self, sums: Tensor) -> Tensor:
        """Return the mean over the classes present in the truth; 0 without any."""
        overlap, predicted, true = sums.view(3, self.channels)
        tiny = torch.finfo(sums.dtype).tiny
        wrong = self.alpha * (predicted - overlap) + self.beta * (true - overlap)
        loss = 1.0 - overlap / (overlap + wrong).clamp_min(tiny)
        # A class that is absent from the truth has no overlap: its loss would be 1 whatever is
        # predicted.
        present = (true > 0).to(sums.dtype)
        if isinstance(self.weights, Tensor):
            present = present * self.weights
        mean: Tensor = (loss * present).sum() / present.sum().clamp_min(tiny)
        return mean


class Loss(nn.Module):
    """The sum of one or more terms over logits `(N, K or 1, ...)` and classes `(N, ...)`."""

    def __init__(self, name: str, head: Head, classes: int, terms: Sequence[nn.Module]) -> None:
        super().__init__()
        self.name, self.head, self.classes = name, head, classes
        self.terms = nn.ModuleList(terms)
        self.sizes = [int(term.size) for term in terms]  # type: ignore[arg-type]

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of one batch, a float32 scalar."""
        return self.compute(self.sums(logits, target))

    def sums(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the sums of all terms, a vector that is additive over batches."""
        self._check(logits, target)
        logits, target = logits.float(), target.long()
        with torch.autocast(logits.device.type, enabled=False):
            return torch.cat([term.sums(logits, target) for term in self.terms])  # type: ignore[operator]

    def compute(self, sums: Tensor) -> Tensor:
        """Return the loss of all batches whose sums were added to `sums`."""
        parts = torch.split(sums, self.sizes)
        losses = [term.compute(part) for term, part in zip(self.terms, parts, strict=True)]  # type: ignore[operator]
        return torch.stack(losses).sum()

    def _check(self, logits: Tensor, target: Tensor) -> None:
        channels = 1 if self.head == "binary" else self.classes
        expected = (target.shape[0], channels, *target.shape[1:])
        if tuple(logits.shape) != expected:
            raise InputError(
                f"A {self.head} loss over {self.classes} classes expects logits {expected}; "
                f"received {tuple(logits.shape)}. Build the model with the matching head."
            )


def build_loss(
    name: str,
    head: Head,
    classes: int,
    ignore: int = IGNORE,
    weights: Sequence[float] | None = None,
    label_smoothing: float = 0.0,
) -> Loss:
    """Build a loss; one that does not fit the head is refused before the training starts.

    Args:
        name: `auto` (bce or ce, by the head), one term, or terms joined by `+`.
        head: `binary` = one logit channel, `multiclass` = one channel per class.
        classes: number of classes of the legend; 2 for a binary head.
        ignore: value of ignored pixels in the truth.
        weights: one weight per class.
        label_smoothing: of the cross-entropy over K classes, see `CrossEntropyLoss`.

    Raises:
        InputError: unknown name, a term that does not fit the head, or invalid weights.
    """
    if head not in HEADS:
        raise InputError(f"`head` must be one of {', '.join(HEADS)}; received {head!r}.")
    if classes < 2 or (head == "binary" and classes != 2):
        raise InputError(
            f"A {head} head needs {'exactly' if head == 'binary' else 'at least'} 2 classes; "
            f"received {classes}."
        )
    resolved = TERMS[head][0] if name == "auto" else name
    if len(resolved) > LONGEST:
        raise InputError(f"`loss` has {len(resolved)} characters; every term may be named once.")
    parts = resolved.split("+")
    _check_terms(resolved, parts, head)
    if label_smoothing and "ce" not in parts:
        raise InputError(
            f"`label_smoothing` needs the loss term `ce`; the loss is {resolved!r}. Set "
            "label_smoothing to 0."
        )
    table = _weights(weights, classes)
    terms = [_term(part, head, classes, ignore, table, label_smoothing) for part in parts]
    return Loss(resolved, head, classes, terms)


def _check_terms(name: str, parts: list[str], head: Head) -> None:
    other = {"binary": "ce", "multiclass": "bce"}[head]
    if other in parts:
        raise InputError(
            f"The loss `{name}` does not fit a {head} head: `{other}` needs "
            f"{'one logit per class' if head == 'binary' else 'a single logit'}. "
            f"Use {name.replace(other, TERMS[head][0])!r} or `auto`."
        )
    unknown = [part for part in parts if part not in TERMS[head]]
    if unknown or len(set(parts)) != len(parts):
        raise InputError(
            f"Unknown loss {name!r}. Choices for a {head} head: auto, {', '.join(TERMS[head])}, "
            "or several different ones joined by `+`."
        )


def _weights(weights: Sequence[float] | None, classes: int) -> Tensor | None:
    if weights is None:
        return None
    if len(weights) != classes or min(weights) < 0 or max(weights) <= 0:
        raise InputError(
            f"`class_weights` must be {classes} numbers >= 0, one per class, not all 0; "
            f"received {list(weights)}."
        )
    return torch.tensor(list(weights), dtype=torch.float32)


def _term(
    name: str, head: Head, classes: int, ignore: int, weights: Tensor | None, smoothing: float
) -> nn.Module:
    if name in _TVERSKY:
        alpha, beta = _TVERSKY[name]
        return TverskyLoss(head, classes, ignore, alpha, beta, weights)
    return CrossEntropyLoss(head, ignore, weights, smoothing)
