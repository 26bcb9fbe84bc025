"""Freezing: no gradients, and batch-norm statistics that do not move."""

from collections.abc import Iterator, Sequence

from agri_core.files.errors import InputError
from torch import nn

from agri_train.config import TrainConfig


def freeze(module: nn.Module) -> nn.Module:
    """Freeze a module, also against later calls of `.train()` on it or on its parent.

    Parameters get no gradient. Every submodule stays in evaluation mode, because a batch-norm
    layer in training mode updates its running mean and variance without any gradient.
    """
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    for part in module.modules():
        part.eval()
        # An instance attribute takes precedence over `nn.Module.train`, which parents call.
        part.__dict__["train"] = _IgnoreTrainMode(part)
    return module


def unfreeze(module: nn.Module) -> nn.Module:
    """Make a frozen module trainable again, in training mode."""
    for part in module.modules():
        part.__dict__.pop("train", None)
    for parameter in module.parameters():
        parameter.requires_grad_(True)
    return module.train()


def is_frozen(module: nn.Module) -> bool:
    """Whether no parameter of the module is trainable."""
    return not any(parameter.requires_grad for parameter in module.parameters())


def frozen_stages(net: nn.Module) -> list[list[nn.Module]]:
    """Return the frozen stages in the order in which they are unfrozen, the last one first.

    A stage is a child of the network, or of its encoder where all of that is frozen. Consecutive
    single layers, such as the first convolution and its norm, form one stage, and so does an
    encoder without children.
    """
    found = list(_frozen(net))
    if len(found) == 1:
        found = [part for part in found[0].children() if _has_parameters(part)] or found
    groups: list[list[nn.Module]] = []
    for part in found:
        if groups and _is_layer(part) and _is_layer(groups[-1][-1]):
            groups[-1].append(part)
        else:
            groups.append([part])
    return groups[::-1]


def check_unfreeze(config: TrainConfig, net: nn.Module) -> None:
    """Raise if `unfreeze_every` is set but nothing is frozen.

    Raises:
        InputError: `unfreeze_every` is set and no stage of the network is frozen.
    """
    if config.unfreeze_every and not frozen_stages(net):
        raise InputError(
            "`unfreeze_every` unfreezes frozen stages, and no stage of the network is frozen; "
            f"received unfreeze_every={config.unfreeze_every}. Freeze the body, or set "
            "unfreeze_every to 0."
        )


def unfreeze_stages(stages: Sequence[Sequence[nn.Module]], count: int) -> None:
    """Unfreeze the first `count` stages; those that are trainable already are left alone."""
    for part in (part for stage in stages[:count] for part in stage):
        if is_frozen(part):
            unfreeze(part)


def _frozen(module: nn.Module) -> Iterator[nn.Module]:
    for part in filter(_has_parameters, module.children()):
        if not is_frozen(part):
            yield from _frozen(part)
        elif all(isinstance(inner, nn.Sequential) for inner in part.children()):
            yield from list(part.children()) or [part]
        else:
            yield part


def _has_parameters(part: nn.Module) -> bool:
    return next(part.parameters(), None) is not None


def _is_layer(part: nn.Module) -> bool:
    return next(part.children(), None) is None


class _IgnoreTrainMode:
    """Replaces `train` of a frozen module; a class, so that the module can be copied."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def __call__(self, mode: bool = True) -> nn.Module:
        return self.module
