"""Choices by name, as types that the command lines and the functions behind them share."""

from typing import Literal

Objective = Literal["dec", "idec", "deepcluster"]
"""What the clustering minimises."""

Pretrain = Literal["autoencoder", "contrastive", "none"]
"""How the encoder is pretrained."""

Target = Literal["full", "ema", "batch"]
"""Cluster frequencies that sharpen the target distribution."""

Precision = Literal["float32", "mixed_bfloat16"]
"""Arithmetic of the networks."""
