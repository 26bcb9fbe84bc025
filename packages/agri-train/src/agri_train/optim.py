"""Optimisers by name, over the parameters that may learn."""

from torch import nn, optim
from torch.optim import Optimizer

from agri_train.config import TrainConfig


def build_optimizer(net: nn.Module, config: TrainConfig) -> Optimizer:
    """Build the optimiser that `config` names; frozen parameters are left out of it."""
    params = [parameter for parameter in net.parameters() if parameter.requires_grad]
    lr, decay = config.lr, config.decay
    if config.optimizer == "adam":
        return optim.Adam(params, lr=lr, weight_decay=decay)
    if config.optimizer == "adamw":
        return optim.AdamW(params, lr=lr, weight_decay=decay)
    if config.optimizer == "sgd":
        return optim.SGD(params, lr=lr, momentum=config.momentum, weight_decay=decay)
    return optim.RMSprop(params, lr=lr, weight_decay=decay)
