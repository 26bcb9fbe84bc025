"""Replaces strides by dilation: a finer feature map with the same field of view."""

from collections.abc import Mapping, Sequence

from agri_core.files.errors import InputError
from torch import nn

STRIDES = (8, 16)


class Pooling:
    """A block that pools in its forward pass, with this stride."""

    stride = 2


def dilate(stages: Mapping[int, Sequence[nn.Module]], output_stride: int) -> None:
    """Remove the strides of every stage coarser than `output_stride` and widen its kernels.

    A stage of stride s is dilated by s / output_stride (Chen et al. 2017, arXiv 1706.05587), each
    kernel side padded by half its size, so that 1x7 kernels keep the size too.

    Args:
        stages: the modules of a stage by the stride of its output.
        output_stride: 8 or 16.
    """
    if output_stride not in STRIDES:
        raise InputError(f"the output stride of DeepLab is 8 or 16, got {output_stride}")
    for stride, modules in stages.items():
        if stride > output_stride:
            for module in modules:
                _widen(module, stride // output_stride)


def _widen(stage: nn.Module, rate: int) -> None:
    for module in stage.modules():
        if isinstance(module, nn.Conv2d):
            height, width = module.kernel_size
            module.stride = (1, 1)
            # A kernel of rate r sees as far on the finer map as the plain one on the coarser map,
            # so that pretrained weights keep their meaning.
            module.dilation = (rate, rate)
            module.padding = (height // 2 * rate, width // 2 * rate)
        elif isinstance(module, nn.MaxPool2d):
            # As in DeepLab-LargeFOV (Chen et al. 2015, arXiv 1412.7062): pooling without stride.
            module.kernel_size, module.stride, module.padding = 3, 1, 1
        elif isinstance(module, Pooling):
            module.stride = 1
