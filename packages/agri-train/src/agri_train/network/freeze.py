"""Freezing that freezes: no gradient, and batch-norm statistics that stand still."""

from collections.abc import Iterator, Sequence

from agri_core.files.errors import InputError
from torch import nn

from agri_train.config import TrainConfig


def freeze(module: nn.Module) -> nn.Module:
    """Stop a module from changing at all, also after `.train()` on it or on its parent.

    Parameters lose their gradient. Every submodule stays in evaluation mode, because a
    batch-norm layer in training mode moves its running mean and variance without any gradient.
    """
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    for part in module.modules():
        part.eval()
        # An attribute of the instance wins over `nn.Module.train`, which parents call on children.
        part.__dict__["train"] = _Stay(part)
    return module


def unfreeze(module: nn.Module) -> nn.Module:
    """Let a frozen module learn again; it goes to training mode."""
    for part in module.modules():
        part.__dict__.pop("train", None)
    for parameter in module.parameters():
        parameter.requires_grad_(True)
    return module.train()


def is_frozen(module: nn.Module) -> bool:
    """Whether no parameter of the module can learn."""
    return not any(parameter.requires_grad for parameter in module.parameters())


def stages(net: nn.Module) -> list[list[nn.Module]]:
    """Return the frozen parts in the order in which they are to learn again, the last first.

    A part is a child of the network, or of its encoder where all of that is frozen; single layers
    that follow each other, such as the first convolution and its norm, are one. An encoder that is
    one part wakes at once.
    """
    found = list(_frozen(net))
    if len(found) == 1:
        found = [part for part in found[0].children() if _weighs(part)] or found
    groups: list[list[nn.Module]] = []
    for part in found:
        if groups and _single(part) and _single(groups[-1][-1]):
            groups[-1].append(part)
        else:
            groups.append([part])
    return groups[::-1]


def check_thaw(config: TrainConfig, net: nn.Module) -> None:
    """Refuse to wake a network that is awake.

    Raises:
        InputError: `thaw` is set and no part is frozen.
    """
    if config.thaw and not stages(net):
        raise InputError(
            f"`thaw` wakes frozen parts, and no part of the network is frozen; received "
            f"thaw={config.thaw}. Freeze the body too, or set thaw to 0."
        )


def thaw(parts: Sequence[Sequence[nn.Module]], count: int) -> None:
    """Let the first `count` of `stages` learn; those that do already are left alone."""
    for part in (part for group in parts[:count] for part in group):
        if is_frozen(part):
            unfreeze(part)


def _frozen(module: nn.Module) -> Iterator[nn.Module]:
    for part in filter(_weighs, module.children()):
        if not is_frozen(part):
            yield from _frozen(part)
        elif all(isinstance(inner, nn.Sequential) for inner in part.children()):
            yield from list(part.children()) or [part]
        else:
            yield part


def _weighs(part: nn.Module) -> bool:
    return next(part.parameters(), None) is not None


def _single(part: nn.Module) -> bool:
    return next(part.children(), None) is None


class _Stay:
    """Stands in for `train` on a frozen module; a class, so that the module can be copied."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def __call__(self, mode: bool = True) -> nn.Module:
        return self.module
