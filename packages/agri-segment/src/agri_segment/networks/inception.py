"""InceptionV3 as a segmentation encoder: skips at strides 2, 4, 8, 16 and 32 for any input.

timm's network is made for classification at 299 px: its unpadded convolutions shrink maps by odd
amounts. Here every convolution and pool is padded, so a map of stride s is exactly
`ceil(size / s)`. Parameter names are unchanged, so ImageNet files of timm or torchvision load.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch.nn.functional as F  # noqa: N812
from segmentation_models_pytorch.encoders._base import EncoderMixin
from timm.layers.conv_bn_act import ConvNormAct
from timm.models.inception_v3 import InceptionB, InceptionD, InceptionV3
from torch import Tensor, nn

from agri_segment.networks.dilate import Pooling, dilate

CHANNELS = (3, 64, 192, 288, 768, 2048)
STAGES = (
    ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3"),
    ("Pool1", "Conv2d_3b_1x1", "Conv2d_4a_3x3"),
    ("Pool2", "Mixed_5b", "Mixed_5c", "Mixed_5d"),
    ("Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"),
    ("Mixed_7a", "Mixed_7b", "Mixed_7c"),
)
# The classifiers of an ImageNet file, which a segmentation encoder has no layer for.
HEADS = ("fc.", "AuxLogits.")


class _Reduction(Pooling):
    """A reduction block whose pooling branch is padded like its convolutions."""

    def pool(self, x: Tensor) -> Tensor:
        return F.max_pool2d(x, kernel_size=3, stride=self.stride, padding=1)


class _Reduction6(_Reduction, InceptionB):
    def _forward(self, x: Tensor) -> list[Tensor]:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return [self.branch3x3(x), double, self.pool(x)]


class _Reduction7(_Reduction, InceptionD):
    def _forward(self, x: Tensor) -> list[Tensor]:
        single = self.branch3x3_2(self.branch3x3_1(x))
        wide = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))
        return [single, self.branch7x7x3_4(wide), self.pool(x)]


class InceptionV3Encoder(InceptionV3, EncoderMixin):  # type: ignore[misc]
    """Padded InceptionV3 with the encoder interface of segmentation-models-pytorch."""

    def __init__(self, depth: int = 5, output_stride: int = 32, **options: Any) -> None:
        super().__init__(**options)
        self._depth = depth
        # Built for 3 bands; segmentation-models-pytorch then replaces the first convolution.
        self._in_channels = 3
        self._out_channels = list(CHANNELS)
        self._output_stride = output_stride
        del self.fc, self.AuxLogits, self.global_pool, self.head_drop
        block: Any = partial(
            ConvNormAct, padding=0, norm_kwargs={"eps": 1e-3}, act_kwargs={"inplace": True}
        )
        self.Mixed_6a = _Reduction6(288, conv_block=block)
        self.Mixed_7a = _Reduction7(768, conv_block=block)
        for module in self.modules():
            _prepare(module)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the input and one map per stride, finest first."""
        features = [x]
        for stage in STAGES[: self._depth]:
            for name in stage:
                x = getattr(self, name)(x)
            features.append(x)
        return features

    def get_stages(self) -> dict[int, list[nn.Module]]:
        """Return the modules whose strides dilation replaces, by stride."""
        return {
            2**number: [getattr(self, name) for name in names]
            for number, names in enumerate(STAGES, start=1)
            # Dilation starts after output stride 8, so that stages of stride 16 and 32 alone can
            # change.
            if number >= 4
        }

    def make_dilated(self, output_stride: int) -> None:
        """Limit the stride to `output_stride` (8 or 16) and dilate the later kernels."""
        dilate(self.get_stages(), output_stride)

    def load_state_dict(self, state_dict: Mapping[str, Any], *args: Any, **options: Any) -> Any:
        """Load weights of timm's or torchvision's InceptionV3 without the heads."""
        kept = {name: v for name, v in state_dict.items() if not name.startswith(HEADS)}
        return super().load_state_dict(kept, *args, **options)


def _prepare(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        height, width = module.kernel_size
        module.padding = (height // 2, width // 2)
        # He initialisation as in the other networks, in place of timm's one deviation of 0.1.
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    elif isinstance(module, nn.MaxPool2d):
        module.padding = 1
