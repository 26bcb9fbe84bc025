"""Freezing that freezes: no gradient, and batch-norm statistics that stand still."""

from torch import nn


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


class _Stay:
    """Stands in for `train` on a frozen module; a class, so that the module can be copied."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def __call__(self, mode: bool = True) -> nn.Module:
        return self.module
