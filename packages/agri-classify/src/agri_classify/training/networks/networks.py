"""Networks by name: torchvision's for photographs, and two of our own for small patches."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from agri_core.bands import TRUE_COLOUR
from agri_core.files.errors import InputError, SettingError
from agri_core.files.hints import hint
from agri_train.network.freeze import freeze
from agri_train.network.stem import first_convolution
from agri_train.network.weights import load_encoder_weights
from torch import Tensor, nn
from torchvision import models

from agri_classify.choices import MAX_HIDDEN
from agri_classify.training.networks.compact import Compact

HIDDEN = 256
DROPOUT = 0.5
LARGE: Mapping[str, Any] = {"widths": (64, 128, 256, 512), "depths": (2, 2, 2, 2), "stride": 1}


@dataclass(frozen=True, slots=True)
class Choice:
    """A network that can be chosen by name.

    Attributes:
        title: description for lists.
        build: builds the body; its classifier is replaced afterwards.
        head: attribute of the body that is the classifier; "" for our own networks.
        pretrained: torchvision's name of the ImageNet weights; "" for none.
    """

    title: str
    build: Callable[..., nn.Module]
    head: str = ""
    pretrained: str = ""


CHOICES: Mapping[str, Choice] = {
    "compact": Choice("residual network for small patches", Compact),
    "large": Choice(
        "the same with five times as many weights, for a GPU", partial(Compact, **LARGE)
    ),
    "resnet18": Choice("ResNet-18", models.resnet18, "fc", "ResNet18_Weights"),
    "resnet50": Choice("ResNet-50", models.resnet50, "fc", "ResNet50_Weights"),
    "wide_resnet50_2": Choice(
        "Wide ResNet-50-2", models.wide_resnet50_2, "fc", "Wide_ResNet50_2_Weights"
    ),
    "mobilenet": Choice(
        "MobileNetV3, small", models.mobilenet_v3_small, "classifier", "MobileNet_V3_Small_Weights"
    ),
}


def names() -> tuple[str, ...]:
    """Return the names that `build` takes."""
    return tuple(CHOICES)


def build(
    name: str,
    bands: Sequence[str],
    classes: int,
    *,
    weights: str = "none",
    frozen: bool = False,
    hidden: int = HIDDEN,
    dropout: float = DROPOUT,
) -> nn.Module:
    """Build a network that maps patches `(N, bands, H, W)` to logits `(N, classes)`.

    Torchvision's networks end in a layer of `hidden` values, ReLU and `dropout` before the classes
    (hidden 0: the classes alone); `compact` has its dropout before the classes and no hidden layer.
    A single band is copied to three channels, so that networks and weights made for RGB take it as
    they are (Helber et al. 2019, arXiv:1709.00029).

    Args:
        name: one of `names()`.
        bands: names in channel order; RGB weights are adapted to other bands by these names.
        classes: number of classes.
        weights: of the body: `none`, `imagenet` (downloads), or a file.
        frozen: freeze the body and train only the head.
        hidden: width of the head's hidden layer.
        dropout: dropout rate in the head, 0 to below 1.

    Raises:
        InputError: no such network, or weights of another one.
        MissingError: the weights are not available.
    """
    choice = find(name)
    if classes < 2:
        raise InputError(f"a classifier needs 2 classes or more, got {classes}")
    if not 0 <= dropout < 1:
        raise SettingError("dropout", f"must be from 0 to below 1, got {dropout}")
    if not 0 <= hidden <= MAX_HIDDEN:
        raise SettingError("hidden", f"must be 0 to {MAX_HIDDEN}, got {hidden}")
    single = len(bands) == 1
    channels = TRUE_COLOUR if single else tuple(bands)
    net = _make(choice, len(channels), classes, hidden, dropout)
    # Without the head, as that of the published weights has other classes.
    load_encoder_weights(_Body(net, choice.head), weights, channels, _fetch(choice))
    if frozen:
        _freeze_body(net, choice.head or "head")
    return Copied(net) if single else net


class Copied(nn.Module):
    """A network of three channels for a single band, which is copied three times."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        """Map patches `(N, 1, H, W)` to logits."""
        # `expand` is a view: the three channels share the memory of one.
        logits: Tensor = self.net(x.expand(-1, 3, -1, -1))
        return logits


def find(name: str) -> Choice:
    """Return the network called `name`.

    Raises:
        InputError: no network has this name.
    """
    if name not in CHOICES:
        near = hint(name, CHOICES)
        raise SettingError("model", f"is one of {', '.join(CHOICES)}, got {name!r}{near}")
    return CHOICES[name]


def parameters(net: nn.Module) -> int:
    """Count the weights of a network."""
    return sum(parameter.numel() for parameter in net.parameters())


def _make(choice: Choice, bands: int, classes: int, hidden: int, dropout: float) -> nn.Module:
    if not choice.head:
        return choice.build(bands, classes, dropout=dropout)
    net = choice.build(weights=None)
    _set_bands(net, bands)
    last = getattr(net, choice.head)
    inputs = next(part for part in last.modules() if isinstance(part, nn.Linear)).in_features
    setattr(net, choice.head, _head(inputs, classes, hidden, dropout))
    return net


def _head(inputs: int, classes: int, hidden: int, dropout: float) -> nn.Module:
    if hidden == 0:
        return nn.Sequential(nn.Dropout(dropout), nn.Linear(inputs, classes))
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, classes)
    )


def _set_bands(net: nn.Module, bands: int) -> None:
    """Give the first convolution one channel per band; none of these networks has a bias there."""
    name = first_convolution(net).removesuffix(".weight")
    old = net.get_submodule(name)
    if not isinstance(old, nn.Conv2d) or old.in_channels == bands:
        return
    made = nn.Conv2d(
        bands,
        old.out_channels,
        (old.kernel_size[0], old.kernel_size[1]),
        (old.stride[0], old.stride[1]),
        old.padding if isinstance(old.padding, str) else (old.padding[0], old.padding[1]),
        bias=False,
    )
    nn.init.kaiming_normal_(made.weight, mode="fan_out", nonlinearity="relu")
    net.set_submodule(name, made)


class _Body(nn.Module):
    """A network without its head, with the parameter names of weights files."""

    def __init__(self, net: nn.Module, head: str) -> None:
        super().__init__()
        for name, part in net.named_children():
            if name != (head or "head"):
                self.add_module(name, part)


def _freeze_body(net: nn.Module, head: str) -> None:
    for name, part in net.named_children():
        if name != head:
            freeze(part)


def _fetch(choice: Choice) -> Callable[[], Mapping[str, Tensor]] | None:
    if not choice.pretrained:
        return None

    def fetch() -> Mapping[str, Tensor]:
        published: Any = getattr(models, choice.pretrained).DEFAULT
        state: Mapping[str, Tensor] = published.get_state_dict(progress=True, check_hash=True)
        return state

    return fetch
