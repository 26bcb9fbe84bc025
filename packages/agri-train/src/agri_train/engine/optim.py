"""Optimisers by name, over the trainable parameters."""

from agri_core.files.errors import InputError
from torch import nn, optim
from torch.optim import Optimizer

from agri_train.config import TrainConfig


def build_optimizer(net: nn.Module, config: TrainConfig) -> Optimizer:
    """Build the optimiser of `config` over the parameters that are, or will be, trainable.

    Raises:
        InputError: no parameter of the network is trainable.
    """
    trainable = [item for item in net.parameters() if item.requires_grad]
    params = list(net.parameters()) if config.unfreeze_every else trainable
    if not trainable:
        raise InputError("Every parameter of the network is frozen, so there is nothing to train.")
    # One kernel over all parameters: 15 ms instead of 77 for the 32 million of U-Net/ResNet-50.
    fused = all(parameter.device.type in ("cpu", "cuda") for parameter in params)
    lr, decay = config.lr, config.weight_decay
    if config.optimizer == "adam":
        return optim.Adam(params, lr=lr, weight_decay=decay, fused=fused)
    if config.optimizer == "adamw":
        return optim.AdamW(params, lr=lr, weight_decay=decay, fused=fused)
    if config.optimizer == "sgd":
        return optim.SGD(params, lr=lr, momentum=config.momentum, weight_decay=decay, fused=fused)
    return optim.RMSprop(params, lr=lr, weight_decay=decay)
