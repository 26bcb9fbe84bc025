"""The first convolution of a pretrained network, adapted to other bands by name.

A band that the network was trained on gets its own filter, whatever the order of the bands: B04,
B03 and B02 (also `red`, `green` and `blue`) those of red, green and blue. Every other band gets the
mean of all filters, and all are scaled so that activations keep their size. Where no band is one
that the network was trained on, as many bands as filters keep the filters in their order.
"""

from collections.abc import Sequence

import torch
from agri_core.bands import canonical_name
from torch import Tensor, nn

RGB = ("red", "green", "blue")
"""The channels of published weights, in their order."""

_COLOURS = {"b04": "red", "b03": "green", "b02": "blue", "r": "red", "g": "green", "b": "blue"}


def adapt_input(weight: Tensor, bands: Sequence[str] | int, trained: Sequence[str] = RGB) -> Tensor:
    """Adapt a first convolution `(out, len(trained), kh, kw)` to bands.

    Args:
        weight: of the convolution.
        bands: names in channel order; or their number, and then the filters are repeated in order.
        trained: names of the channels of `weight`.

    Example:
        >>> filters = torch.tensor([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1)  # red, green, blue
        >>> adapt_input(filters, ("B02", "B03", "B04")).flatten().tolist()
        [3.0, 2.0, 1.0]
    """
    own = [_key(name) for name in trained]
    keys = [""] * bands if isinstance(bands, int) else [_key(name) for name in bands]
    nameless = isinstance(bands, int) or (len(keys) == len(own) and not set(keys) & set(own))
    mean = weight.mean(dim=1)
    picked = [
        weight[:, number % len(own)]
        if nameless
        else (weight[:, own.index(key)] if key in own else mean)
        for number, key in enumerate(keys)
    ]
    return torch.stack(picked, dim=1) * (len(own) / len(picked))


def first_convolution(net: nn.Module) -> str:
    """Return the name of the weight of the first convolution, "" without any."""
    for name, module in net.named_modules():
        if isinstance(module, nn.Conv2d):
            return f"{name}.weight" if name else "weight"
    return ""


def _key(name: str) -> str:
    """Return a name under which one band has one spelling: B4, b04 and Red are red."""
    lower = canonical_name(name).lower()
    return _COLOURS.get(lower, lower)
