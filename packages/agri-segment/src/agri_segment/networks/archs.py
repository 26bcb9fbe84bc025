"""The segmentation networks by name.

A network takes `(N, bands, H, W)` of any height and width and gives logits `(N, K, H, W)`, with
K = 1 for two classes (the logit of the second) and K = number of classes otherwise.

The DeepLab networks use atrous rates 6, 12 and 18 on a map at `stride` 16 or 8 of the image. A
kernel wider than the map sees only its centre: a 64 px chip has a 4x4 map at stride 16 and an 8x8
map at stride 8, so prefer `stride=8` below about 256 px.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from inspect import signature
from typing import Any, Literal

import torch.nn.functional as F  # noqa: N812
from agri_core.files.errors import InputError, SettingError
from agri_core.files.hints import hint
from agri_train.network.freeze import freeze
from agri_train.network.weights import load_encoder_weights
from torch import Tensor, nn

from agri_segment.choices import Preset
from agri_segment.networks.pretrained import (
    ENCODERS,
    build_deeplab,
    build_deeplabv3,
    build_unet,
    fetch_imagenet,
)
from agri_segment.networks.unet import PRESETS, PlainUNet, UNetConfig

Head = Literal["binary", "multiclass"]


@dataclass(frozen=True, slots=True)
class Arch:
    """An architecture: description, encoders and builder."""

    name: str
    title: str
    encoders: tuple[str, ...]
    builder: Callable[..., nn.Module]


class Segmenter(nn.Module):
    """A network for images of any size: padded to a multiple of the stride, then cropped.

    Attributes:
        arch: Name of the architecture.
        encoder_name: Name of the encoder, None for the plain U-Net.
        head: `binary` (one logit) or `multiclass` (one per class).
    """

    def __init__(
        self, net: nn.Module, *, arch: str, encoder: str | None, head: Head, stride: int
    ) -> None:
        super().__init__()
        self.net = net
        self.arch = arch
        self.encoder_name = encoder
        self.head: Head = head
        self.stride = stride

    @property
    def encoder(self) -> nn.Module:
        """The encoder, which ImageNet weights initialise and `frozen` freezes."""
        return self.net.get_submodule("encoder")

    def forward(self, image: Tensor) -> Tensor:
        """Return logits `(N, K, H, W)` of `image` `(N, C, H, W)`."""
        height, width = image.shape[-2:]
        edges = (0, -width % self.stride, 0, -height % self.stride)
        logits: Tensor = self.net(F.pad(image, edges, mode="replicate"))
        return logits[..., :height, :width]


def names() -> tuple[str, ...]:
    """List the architectures.

    Example:
        >>> names()
        ('plain', 'unet', 'deeplabv3', 'deeplab')
    """
    return tuple(ARCHS)


def find(arch: str) -> Arch:
    """Return an architecture by name; the error for an unknown name lists the valid ones."""
    if arch not in ARCHS:
        raise _unknown("arch", arch, ARCHS)
    return ARCHS[arch]


def head_of(classes: int) -> Head:
    """Name the head for this many classes.

    Example:
        >>> head_of(2), head_of(6)
        ('binary', 'multiclass')
    """
    return "binary" if classes == 2 else "multiclass"


def build(
    arch: str,
    *,
    bands: int | Sequence[str],
    classes: int,
    encoder: str | None = None,
    weights: str = "none",
    frozen: bool = False,
    **options: Any,
) -> Segmenter:
    """Build a network by name.

    Args:
        arch: One of `names()`.
        bands: Number of channels, or their names, by which ImageNet's red, green and blue filters
            are assigned.
        classes: Number of classes, two or more.
        encoder: One of the architecture's encoders; None for the first.
        weights: Encoder weights: `none`, `imagenet` or a file.
        frozen: Freeze the encoder: weights and batch-norm statistics.
        options: `dropout`; `stride` (DeepLab); `preset`, `filters`, `depth`, `norm` and `up`
            (plain).

    Raises:
        InputError: An unknown name, or an option that the architecture does not have.
    """
    found = find(arch)
    channels = bands if isinstance(bands, int) else len(bands)
    if channels < 1 or classes < 2:
        raise InputError(
            f"a network needs at least 1 band and 2 classes, got {channels} and {classes}"
        )
    encoder = _find_encoder(found, encoder)
    _check_options(found, options)
    head = head_of(classes)
    net = found.builder(channels, 1 if head == "binary" else classes, encoder, **options)
    stride = net.stride if isinstance(net, PlainUNet) else 32
    model = Segmenter(net, arch=arch, encoder=encoder, head=head, stride=stride)
    fetch = partial(fetch_imagenet, encoder) if encoder else None
    load_encoder_weights(model.encoder, weights, bands, fetch)
    if frozen:
        freeze(model.encoder)
    return model


def options_of(arch: str) -> tuple[str, ...]:
    """Return the options of `build` for an architecture."""
    return tuple(
        name
        for name, parameter in signature(find(arch).builder).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    )


def _check_options(arch: Arch, options: Mapping[str, Any]) -> None:
    known = options_of(arch.name)
    for name in options:
        if name not in known:
            raise SettingError(name, f"is no option of '{arch.name}', which has {', '.join(known)}")


def _find_encoder(arch: Arch, encoder: str | None) -> str | None:
    if not arch.encoders:
        if encoder:
            raise SettingError(
                "encoder", f"is no option of '{arch.name}', which has its own; omit {encoder!r}"
            )
        return None
    if encoder is None:
        return arch.encoders[0]
    if encoder not in arch.encoders:
        raise _unknown("encoder", encoder, arch.encoders)
    return encoder


def _plain(
    bands: int,
    outputs: int,
    _: str | None,
    *,
    preset: Preset = "small",
    filters: int | None = None,
    depth: int | None = None,
    norm: str | None = None,
    up: str | None = None,
    dropout: float | None = None,
) -> nn.Module:
    if preset not in PRESETS:
        raise _unknown("preset", preset, PRESETS)
    config = PRESETS[preset]
    changes: dict[str, Any] = {"norm": norm, "up": up, "dropout": dropout}
    config = replace(config, **{name: v for name, v in changes.items() if v is not None})
    if filters or depth:
        config = UNetConfig.doubling(
            filters or config.filters[0], depth or len(config.filters), config
        )
    return PlainUNet(bands, outputs, config)


ARCHS: Mapping[str, Arch] = {
    arch.name: arch
    for arch in (
        Arch("plain", "U-Net from scratch, configurable (presets: small, simple, ...)", (), _plain),
        Arch("unet", "U-Net with a pretrained encoder", tuple(ENCODERS), build_unet),
        Arch("deeplabv3", "DeepLabv3: ASPP, no decoder", tuple(ENCODERS), build_deeplabv3),
        Arch("deeplab", "DeepLabv3+: ASPP and a light decoder", tuple(ENCODERS), build_deeplab),
    )
}


def _unknown(setting: str, name: str, known: Collection[str]) -> SettingError:
    choices = ", ".join(known)
    return SettingError(setting, f"is one of {choices}, got {name!r}{hint(name, known)}")
