"""A residual network for small patches: full resolution early, and 9 MB of weights by default.

Networks for photographs of 224 pixels discard three quarters of a 64-pixel patch in their first two
layers. This one downsamples only four times, or three times with a stem of stride 1.
"""

from collections.abc import Sequence

from agri_core.files.errors import InputError
from torch import Tensor, nn

WIDTHS = (32, 64, 128, 224)
DEPTHS = (1, 2, 2, 2)


class Block(nn.Module):
    """Two 3 x 3 convolutions with a shortcut (He et al. 2016, arXiv:1512.03385)."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.first = _convolution(inputs, width, 3, stride)
        self.first_norm = nn.BatchNorm2d(width)
        self.second = _convolution(width, width, 3, 1)
        self.second_norm = nn.BatchNorm2d(width)
        self.short: nn.Module = nn.Identity()
        if stride > 1 or inputs != width:
            # Pooled first: a strided 1 x 1 convolution ignores three pixels of four.
            pool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
            shortcut = _convolution(inputs, width, 1, 1)
            self.short = nn.Sequential(pool, shortcut, nn.BatchNorm2d(width))
        self.active = nn.ReLU(inplace=True)
        # A block starts as an identity (Goyal et al. 2017, arXiv:1706.02677).
        nn.init.zeros_(self.second_norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map `(N, inputs, H, W)` to `(N, width, H / stride, W / stride)`."""
        found = self.active(self.first_norm(self.first(x)))
        made: Tensor = self.active(self.second_norm(self.second(found)) + self.short(x))
        return made


class Compact(nn.Module):
    """A stem, stages of residual blocks, global average pooling, and a linear layer `head`."""

    def __init__(
        self,
        bands: int,
        classes: int,
        *,
        widths: Sequence[int] = WIDTHS,
        depths: Sequence[int] = DEPTHS,
        stride: int = 2,
        dropout: float = 0.0,
    ) -> None:
        """Build the network; a stem of `stride` 1 keeps full resolution at four times the cost."""
        super().__init__()
        if len(widths) != len(depths) or not widths or min(*widths, *depths, 1) < 1:
            raise InputError(f"a width and a depth per stage are expected, got {widths}, {depths}")
        self.stem = nn.Sequential(
            _convolution(bands, widths[0], 3, stride),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        )
        stages, inputs = [], widths[0]
        for number, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            strides = [1 if number == 0 else 2, *[1] * (depth - 1)]
            blocks = []
            for stride in strides:
                blocks.append(Block(inputs, width, stride))
                inputs = width
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.Sequential(*stages)
        self.drop = nn.Dropout(dropout)
        # No hidden layer: the mean over the patch is already one value a feature.
        self.head = nn.Linear(inputs, classes)
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                # fan_out keeps the variance of gradients through ReLUs (He et al. 2015,
                # arXiv:1502.01852).
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Map patches `(N, bands, H, W)` to logits `(N, classes)`."""
        features = self.stages(self.stem(x)).mean(dim=(2, 3))
        logits: Tensor = self.head(self.drop(features))
        return logits


def _convolution(inputs: int, outputs: int, size: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)
