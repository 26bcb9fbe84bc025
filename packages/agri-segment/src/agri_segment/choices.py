"""Choices by name, as types that the commands and the functions behind them share."""

from typing import Literal

ArchName = Literal["plain", "unet", "deeplabv3", "deeplab"]
"""An architecture, see `agri_segment.networks.archs`."""

Preset = Literal["small", "simple", "vanilla", "wide"]
"""A configuration of the plain U-Net."""

Up = Literal["transposed", "bilinear", "nearest"]
"""Upsampling of the plain U-Net."""

Norm = Literal["none", "conv", "stage"]
"""Batch normalisation of the plain U-Net: none, after each convolution, or after each stage."""
