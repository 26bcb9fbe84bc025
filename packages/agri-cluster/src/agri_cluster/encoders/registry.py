"""Encoders by name: from an item to features, preprocessing included."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from agri_core.files.errors import InputError, SettingError
from agri_core.files.hints import hint

from agri_cluster.backend.framework import keras
from agri_cluster.data.scaling import Scale
from agri_cluster.encoders.photograph import ORDER, photograph
from agri_cluster.encoders.squeezenet import GROUPS, SIDE, squeezenet
from agri_cluster.encoders.statistics import statistics
from agri_cluster.encoders.trunk import MIN_SIDE, convae, mlp, small
from agri_cluster.encoders.weights import load_weights

PHOTO_SIDES = (SIDE, 224)
"""Least and largest side that networks made for photographs are fed."""

EMBEDDING = "embedding"


@dataclass(frozen=True, slots=True)
class Encoder:
    """A network from items to features.

    Attributes:
        model: `(N, *shape)` to `(N, F)`.
        scale: of the tiles it expects.
        name: as given to `build_encoder`.
        groups: widths of the groups of features, each of which is given length 1 per tile; none
            where a feature's size is what tells tiles apart.
        side: of the picture within the model, 0 where tiles are not resized.
    """

    model: Any
    scale: Scale
    name: str
    groups: tuple[int, ...]
    side: int = 0

    @property
    def features(self) -> int:
        """The number of features F."""
        return int(self.model.output_shape[-1])


def build_encoder(
    name: str | Any,
    shape: tuple[int, ...],
    *,
    width: int = 0,
    weights: str = "none",
    bands: Sequence[str] = (),
    widths: Sequence[int] | None = None,
) -> Encoder:
    """Build the encoder `name` for items of `shape`, `(H, W, C)` or `(F,)`.

    Args:
        name: one of `NAMES`, or a Keras model, which is taken as it is.
        shape: of an item.
        width: of a linear layer "embedding" on top, 0 for the bare features.
        weights: "none", "imagenet", or the path of a file (`agri_cluster.encoders.weights`).
        bands: names in channel order, which decide how a first convolution is fitted.
        widths: of the hidden layers of "mlp".

    Raises:
        InputError: there is no such encoder, or it does not take such items or weights.
        MissingError: the weights are not there.
    """
    if not isinstance(name, str):
        return _given(name, shape, width)
    if name not in _BUILDERS:
        near = hint(name, NAMES)
        raise SettingError("encoder", f"is one of {', '.join(NAMES)}, got {name!r}{near}")
    _check_shape(name, shape)
    names = list(bands) or [""] * shape[-1]
    if len(names) != shape[-1] and len(shape) == 3:
        raise InputError(f"tiles of {shape[-1]} channels have the bands {', '.join(names)}")
    inputs = keras.Input(shape, name="item")
    photo = name in _PHOTO
    side = _side(name, shape) if photo else 0
    picture = photograph(side, names) if photo else None
    x = inputs if picture is None else picture(inputs)
    channels = names if picture is None else [names[place] for place in picture.order]
    outputs = mlp(x, widths) if name == "mlp" and widths else _BUILDERS[name](x)
    model = keras.Model(inputs, outputs, name=name)
    load_weights(model, weights, channels, ORDER if photo else ORDER[::-1])
    groups = _groups(name, int(outputs.shape[-1]))
    return _topped(Encoder(model, scale_of(name), name, groups, side), width)


def scale_of(encoder: str | Any) -> Scale:
    """Return the scale of tiles that an encoder expects, by its name, without building it."""
    return "photo" if isinstance(encoder, str) and encoder in _PHOTO else "standard"


def _groups(name: str, width: int) -> tuple[int, ...]:
    if name == "statistics":
        return ()
    return GROUPS if name == "squeezenet" else (width,)


def _topped(encoder: Encoder, width: int) -> Encoder:
    if width == 0:
        return encoder
    layer = keras.layers.Dense(width, name=EMBEDDING)
    body = encoder.model
    model = keras.Model(body.inputs[0], layer(body.outputs[0]), name=body.name)
    return Encoder(model, encoder.scale, encoder.name, (width,), encoder.side)


def _given(model: Any, shape: tuple[int, ...], width: int) -> Encoder:
    if not isinstance(model, keras.Model):
        raise InputError(
            f"an encoder is one of {', '.join(NAMES)} or a Keras model, got {type(model).__name__}"
        )
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise InputError(
            f"an encoder has one input and one output, {model.name} has {len(model.inputs)} and "
            f"{len(model.outputs)}"
        )
    expected = tuple(model.inputs[0].shape[1:])
    fits = len(expected) == len(shape) and all(
        want in (None, got) for want, got in zip(expected, shape, strict=True)
    )
    if not fits:
        raise InputError(f"{model.name} takes items of shape {expected}, these are {shape}")
    output = model.outputs[0].shape
    if len(output) != 2 or output[-1] is None:
        raise InputError(
            f"{model.name} must give a row of features per item, it gives {tuple(output[1:])}; "
            "add global pooling or Flatten"
        )
    return _topped(Encoder(model, "standard", model.name, (int(output[-1]),)), width)


def _check_shape(name: str, shape: tuple[int, ...]) -> None:
    if len(shape) not in (1, 3):
        raise InputError(f"items are rows (F,) or tiles (H, W, C), got {shape}")
    if name == "mlp":
        return
    if len(shape) == 1:
        raise InputError(f"{name} takes tiles (H, W, C), got rows of {shape[0]}; use 'mlp'")
    if name not in (*_PHOTO, "statistics") and min(shape[:2]) < MIN_SIDE:
        raise InputError(
            f"{name} takes tiles from {MIN_SIDE} pixels, got {shape[1]} x {shape[0]}; use 'mlp'"
        )


def _side(name: str, shape: tuple[int, ...]) -> int:
    least, largest = PHOTO_SIDES
    return SIDE if name == "squeezenet" else min(max(*shape[:2], least), largest)


def _application(name: str) -> Callable[[Any], Any]:
    def build(x: Any) -> Any:
        make = getattr(keras.applications, name)
        return make(include_top=False, weights=None, input_tensor=x, pooling="avg").outputs[0]

    return build


_BUILDERS: dict[str, Callable[[Any], Any]] = {
    "mlp": mlp,
    "convae": convae,
    "small": small,
    "statistics": statistics,
    "squeezenet": squeezenet,
    "resnet50": _application("ResNet50"),
    "vgg16": _application("VGG16"),
}
NAMES = tuple(_BUILDERS)
_PHOTO = ("squeezenet", "resnet50", "vgg16")
