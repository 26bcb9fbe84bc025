"""The plain U-Net: no pretrained encoder, fully configurable.

The presets have the exact parameter counts of four published U-Nets trained from scratch. Counts
are those of Keras: weights plus the running statistics of the batch norms (`parameter_count`).
"""

from dataclasses import dataclass, replace
from typing import get_args

import torch
from agri_core.files.errors import InputError, SettingError
from torch import Tensor, nn

from agri_segment.choices import Norm, Preset, Up

WIDEST = 4096
"""Most channels of a level: one convolution of so many has 600 MB of weights."""


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SettingError(name, f"must be one of {', '.join(known)}, got {value!r}")


@dataclass(frozen=True, slots=True)
class UNetConfig:
    """Configuration of a plain U-Net.

    Attributes:
        filters: Channels of the encoder levels, finest first; the depth is their number.
        bottleneck: Channels below the last pool.
        convs: 3x3 convolutions of each encoder level.
        deep: 3x3 convolutions of the bottleneck.
        norm: `conv` puts a batch norm after every 3x3 convolution; `stage` after each pool, each
            concatenated skip, the bottleneck and each further pair of convolutions; `none`: none.
        up: `transposed` learns the upsampling; `bilinear` and `nearest` resize, then convolve.
        kernel: Kernel size of the up-convolution, 2 or 3.
        dropout: Dropout rate after every block except the finest, 0 to below 1.
    """

    filters: tuple[int, ...] = (32, 64, 128, 256)
    bottleneck: int = 512
    convs: tuple[int, ...] = ()
    deep: int = 2
    norm: Norm = "conv"
    up: Up = "transposed"
    kernel: int = 2
    dropout: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "convs", self.convs or (2,) * len(self.filters))
        if not 1 <= len(self.filters) <= 7 or min(*self.filters, self.bottleneck) < 1:
            raise InputError(f"a U-Net has 1 to 7 levels of 1 filter or more, got {self.filters}")
        if max(*self.filters, self.bottleneck) > WIDEST:
            raise InputError(
                f"a U-Net has at most {WIDEST} channels at any level, got "
                f"{(*self.filters, self.bottleneck)}; give fewer --filters or a smaller --depth"
            )
        if len(self.convs) != len(self.filters) or min(*self.convs, self.deep) < 1:
            raise InputError(f"convs needs {len(self.filters)} counts of 1 or more: {self.convs}")
        _check_choice("norm", self.norm, get_args(Norm))
        _check_choice("up", self.up, get_args(Up))
        if self.kernel not in (2, 3):
            raise InputError(f"the up-convolution's kernel is 2 or 3 pixels, got {self.kernel}")
        if not 0 <= self.dropout < 1:
            raise SettingError("dropout", f"must be at least 0 and below 1, got {self.dropout}")

    @classmethod
    def doubling(cls, filters: int, depth: int, base: "UNetConfig | None" = None) -> "UNetConfig":
        """Return `depth` levels from `filters` channels, doubled at each level down."""
        levels = tuple(filters * 2**level for level in range(depth))
        return replace(
            base or cls(), filters=levels, bottleneck=filters * 2**depth, convs=(2,) * depth
        )


PRESETS: dict[Preset, UNetConfig] = {
    # 7,771,873 parameters with 3 bands and one logit, running statistics of batch norm included.
    "small": UNetConfig(),
    # 34,513,475 with 3 bands and 3 classes.
    "simple": UNetConfig((64, 128, 256, 512), 1024, norm="none", kernel=3, dropout=0.1),
    # 31,067,043 with 3 bands and 3 classes, running statistics included; 31,057,507 are trained.
    "vanilla": UNetConfig(
        (32, 64, 128, 256, 512),
        1024,
        convs=(2, 2, 2, 4, 4),
        deep=1,
        norm="stage",
        kernel=3,
        dropout=0.2,
    ),
    # 124,424,995 with 3 bands and 3 classes.
    "wide": UNetConfig((32, 64, 128, 256, 512, 1024), 2048, norm="none", up="nearest"),
}


class PlainUNet(nn.Module):
    """U-Net after Ronneberger et al. 2015 with same padding: `(N, C, H, W)` to `(N, K, H, W)`.

    H and W must be multiples of `stride`.
    """

    def __init__(self, bands: int, outputs: int, config: UNetConfig) -> None:
        super().__init__()
        # Each level halves the map once; other sizes would round down and no longer fit the
        # skips.
        self.stride = 2 ** len(config.filters)
        self.encoder = PlainEncoder(bands, config)
        widths = (*config.filters, config.bottleneck)
        self.ups = nn.ModuleList(_Up(widths[i + 1], widths[i], config) for i in _down(config))
        self.joins = nn.ModuleList(_Join(widths[i], config, i) for i in _down(config))
        self.head = nn.Conv2d(widths[0], outputs, 1)
        self.apply(_initialise)

    def forward(self, image: Tensor) -> Tensor:
        """Return logits at the size of `image`."""
        *skips, x = self.encoder(image)
        for up, join, skip in zip(self.ups, self.joins, reversed(skips), strict=True):
            x = join(torch.cat([up(x), skip], dim=1))
        logits: Tensor = self.head(x)
        return logits


class PlainEncoder(nn.Module):
    """The encoder; returns the map of every level, finest first, bottleneck last."""

    def __init__(self, bands: int, config: UNetConfig) -> None:
        super().__init__()
        widths = (bands, *config.filters)
        self.blocks = nn.ModuleList(
            _convs(widths[i], widths[i + 1], config.convs[i], config, level=i)
            for i in range(len(config.filters))
        )
        self.pools = nn.ModuleList(_pool(width, config) for width in config.filters)
        deep = _convs(widths[-1], config.bottleneck, config.deep, config, len(config.filters))
        if config.norm == "stage":
            deep.append(nn.BatchNorm2d(config.bottleneck))
        self.deep = deep

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return one `(N, C_i, H / 2**i, W / 2**i)` map per level."""
        levels = []
        for block, pool in zip(self.blocks, self.pools, strict=True):
            x = block(x)
            levels.append(x)
            x = pool(x)
        return [*levels, self.deep(x)]


class _Up(nn.Sequential):
    """Upsamples by two and changes the number of channels."""

    def __init__(self, have: int, want: int, config: UNetConfig) -> None:
        k = config.kernel
        if config.up == "transposed":
            pad = k // 2 if k == 3 else 0
            steps: list[nn.Module] = [
                nn.ConvTranspose2d(have, want, k, stride=2, padding=pad, output_padding=pad)
            ]
        else:
            steps = [
                nn.Upsample(scale_factor=2.0, mode=config.up),
                nn.ZeroPad2d((k - 2, 1, k - 2, 1)),
                nn.Conv2d(have, want, k),
            ]
        if config.up != "transposed" or config.norm == "stage":
            steps.append(nn.ReLU(inplace=True))
        super().__init__(*steps)


class _Join(nn.Sequential):
    """Convolves the upsampled map concatenated with its skip."""

    def __init__(self, width: int, config: UNetConfig, level: int) -> None:
        norm = [nn.BatchNorm2d(2 * width)] if config.norm == "stage" else []
        super().__init__(*norm, *_convs(2 * width, width, 2, config, level))


def parameter_count(net: nn.Module) -> int:
    """Return the number of weights and batch-norm statistics, as in Keras' summary."""
    statistics = sum(
        b.numel() for name, b in net.named_buffers() if name.endswith(("_mean", "_var"))
    )
    return sum(p.numel() for p in net.parameters()) + statistics


def _convs(have: int, want: int, count: int, config: UNetConfig, level: int) -> nn.Sequential:
    steps: list[nn.Module] = []
    for number in range(count):
        steps.append(nn.Conv2d(have, want, 3, padding=1))
        if config.norm == "conv":
            steps.append(nn.BatchNorm2d(want))
        steps.append(nn.ReLU(inplace=True))
        if config.norm == "stage" and number % 2 == 1 and number + 1 < count:
            steps.append(nn.BatchNorm2d(want))
        have = want
    if config.dropout and level > 0:
        steps.append(nn.Dropout(config.dropout))
    return nn.Sequential(*steps)


def _pool(width: int, config: UNetConfig) -> nn.Sequential:
    norm = [nn.BatchNorm2d(width)] if config.norm == "stage" else []
    return nn.Sequential(nn.MaxPool2d(2), *norm)


def _down(config: UNetConfig) -> range:
    return range(len(config.filters) - 1, -1, -1)


def _initialise(module: nn.Module) -> None:
    # He et al. 2015, as in two of the published networks.
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
