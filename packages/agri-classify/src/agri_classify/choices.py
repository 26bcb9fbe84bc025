"""Choices by name, as types that the commands and the functions behind them share."""

from typing import Literal

NetworkName = Literal["compact", "large", "resnet18", "resnet50", "wide_resnet50_2", "mobilenet"]
"""A network, see `agri_classify.training.networks.networks`."""

MAX_HIDDEN = 16_384
"""Widest inner layer of a head: behind 2,048 values it has 130 MB of weights."""

Evaluated = Literal["val", "test"]
"""The split that a study is evaluated on; that of training tells nothing."""
