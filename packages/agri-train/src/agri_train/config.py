"""The settings of one training run: frozen, checked, and with a fingerprint."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args, get_origin

from agri_core.files.errors import InputError, SettingError
from agri_core.files.hints import nearest
from agri_core.files.values import shown
from agri_core.threads import MAX_THREADS

Optimizer = Literal["adam", "adamw", "sgd", "rmsprop"]
Schedule = Literal["constant", "cosine", "plateau"]
Monitor = Literal["loss", "iou", "f1", "accuracy"]
Precision = Literal["auto", "32", "bf16"]
MemoryFormat = Literal["auto", "channels_last", "contiguous"]
Device = Literal["auto", "cpu", "gpu"]
Mix = Literal["none", "mixup", "cutmix", "both"]

MONITORS: dict[Monitor, Literal["min", "max"]] = {
    "loss": "min", "iou": "max", "f1": "max", "accuracy": "max",
}  # fmt: skip
CLASS_WEIGHTS = ("none", "inverse")
MIXES = get_args(Mix)

MAX_SEED = 2**32 - 1
"""The largest seed that numpy's global generator accepts."""

# Settings that do not affect what is learned: a run may be resumed with other values.
_NEUTRAL = frozenset(
    {"epochs", "workers", "sample_rows", "checkpoint_every", "device", "threads", "cuda_graphs"}
)
_COUNTS = {
    "epochs": (1, 1_000_000), "batch_size": (1, 65_536), "repeats": (1, 100_000),
    "plateau_patience": (1, 1_000_000), "patience": (0, 1_000_000),
    "checkpoint_every": (0, 1_000_000), "seed": (0, MAX_SEED), "threads": (0, MAX_THREADS),
    "workers": (0, 256), "sample_rows": (0, 64), "warmup": (0, 1_000_000),
    "unfreeze_every": (0, 1_000_000),
}  # fmt: skip
"""The least and the largest value of whole numbers; the largest are far above any use, and keep a
mistyped number from asking for more time or memory than there is."""
_REALS = {
    "lr": 1e3, "weight_decay": 1e3, "clip_grad_norm": 1e9, "clip_grad_value": 1e9, "min_lr": 1e3,
    "momentum": 1.0, "label_smoothing": 1.0, "ema_decay": 1.0,
}  # fmt: skip
"""The largest value of numbers from 0."""
_HEAVIEST = 1e6
"""Largest class weight: losses are computed in float32."""
_SHARES = ("augment_strength", "downscale", "jpeg")
_FLAGS = ("cuda_graphs", "augment", "calibrate")


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Every setting of the training engine; an invalid value is refused with the valid choices.

    Attributes:
        epochs: passes over the training split.
        batch_size: chips per step.
        lr: learning rate at the start (after `warmup`).
        optimizer: adam, adamw, sgd or rmsprop.
        momentum: of sgd; the other optimisers do not use it.
        weight_decay: weight decay of the optimiser.
        schedule: constant, cosine (annealed to `min_lr`) or plateau (halved after
            `plateau_patience` epochs without a lower validation loss).
        min_lr: the learning rate never falls below it.
        warmup: epochs of linear warmup to `lr`.
        plateau_patience: epochs without a lower validation loss before the plateau schedule halves
            the learning rate.
        clip_grad_norm: largest norm of the gradient; 0 = no clipping.
        clip_grad_value: largest absolute value of a gradient element; 0 = no clipping.
        loss: `auto`, a term (`ce`, `bce`, `dice`, `jaccard`, `tversky`) or terms joined by `+`.
        class_weights: `none`, `inverse` (inverse class frequency of the training split) or one
            weight per class.
        label_smoothing: share of the label spread evenly over all classes in training (ce only).
        mix: none, mixup, cutmix, or both (one of the two at random): patches only.
        ema_decay: decay of the exponential moving average of the weights, such as 0.999; the
            average is what is validated and exported. 0 = the weights themselves.
        unfreeze_every: epochs after which the next frozen stage is unfrozen, the last stage first
            (see `agri_train.network.freeze.frozen_stages`); 0 = frozen stages stay frozen.
        patience: epochs without a better `monitor` before training stops early; 0 = never.
        monitor: validation metric that selects the best epoch: loss, iou, f1 or accuracy.
        checkpoint_every: also keep the checkpoint of every n-th epoch; 0 = only best and last.
        seed: seed of order, augmentation and dropout; the same run needs the same `threads` too.
        precision: auto, 32 or bf16 (see `agri_train.device.hardware`).
        memory_format: auto, channels_last or contiguous.
        device: auto, cpu or gpu.
        threads: CPU threads of torch; 0 = torch's default. They belong to the seed: with another
            number the losses differ in their last digits.
        cuda_graphs: on a GPU, run each step as one CUDA graph instead of kernel by kernel; false
            for a network with data-dependent control flow.
        augment: augment the training chips with mirrors and quarter turns.
        augment_strength: 0..1, strength of the additional geometric and photometric augmentation
            (`agri_train.data.dataset.make_policy`).
        downscale: probability that a training chip is averaged over larger pixels and resampled
            back, as in coarser imagery (`agri_data.augment.downscale`).
        jpeg: probability that a training chip is recompressed as JPEG (`agri_data.augment.jpeg`),
            for networks that will see JPEG files: red, green and blue in uint8 only.
        repeats: how often each training chip is used per epoch, each time with its own
            augmentation.
        workers: data loader processes; 0 = up to 4 with a GPU, otherwise none.
        sample_rows: validation chips shown in each epoch's sample picture; 0 = no pictures.
        calibrate: fit a temperature for the probabilities on the validation split.
    """

    epochs: int = 50
    batch_size: int = 8
    lr: float = 0.001
    optimizer: Optimizer = "adamw"
    momentum: float = 0.9
    weight_decay: float = 0.0001
    schedule: Schedule = "cosine"
    min_lr: float = 0.000001
    warmup: int = 0
    plateau_patience: int = 5
    clip_grad_norm: float = 1.0
    clip_grad_value: float = 0.0
    loss: str = "auto"
    class_weights: str | tuple[float, ...] = "none"
    label_smoothing: float = 0.0
    mix: Mix = "none"
    ema_decay: float = 0.0
    unfreeze_every: int = 0
    patience: int = 10
    monitor: Monitor = "loss"
    checkpoint_every: int = 0
    seed: int = 42
    precision: Precision = "auto"
    memory_format: MemoryFormat = "auto"
    device: Device = "auto"
    threads: int = 0
    cuda_graphs: bool = True
    augment: bool = True
    augment_strength: float = 0.0
    downscale: float = 0.0
    jpeg: float = 0.0
    repeats: int = 1
    workers: int = 0
    sample_rows: int = 4
    calibrate: bool = True

    def __post_init__(self) -> None:
        for field in fields(self):
            if get_origin(field.type) is Literal:
                _choices(field.name, getattr(self, field.name), get_args(field.type))
        object.__setattr__(self, "class_weights", _class_weights(self.class_weights))
        for name, (least, most) in _COUNTS.items():
            _whole(name, getattr(self, name), least, most)
        for name, largest in _REALS.items():
            _real(name, getattr(self, name), largest)
        for name in _SHARES:
            _share(name, getattr(self, name))
        for name in _FLAGS:
            _flag(name, getattr(self, name))
        self._check_ranges()

    def _check_ranges(self) -> None:
        for name in ("momentum", "label_smoothing", "ema_decay"):
            if getattr(self, name) >= 1.0:
                raise SettingError(name, f"must be below 1; received {getattr(self, name)}.")
        if self.lr == 0.0 or self.min_lr > self.lr:
            raise SettingError(
                "lr",
                f"must be above 0 and not below `min_lr`; received lr={self.lr}, "
                f"min_lr={self.min_lr}. Raise `lr` or lower `min_lr`.",
            )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TrainConfig":
        """Build the settings from a mapping.

        Raises:
            InputError: an unknown key, with the nearest setting, or an invalid value.
        """
        known = [field.name for field in fields(cls)]
        for key in values:
            if key not in known:
                raise InputError(f"`{key}` is not a training setting.{_nearest(key, known)}")
        kwargs = dict(values)
        if isinstance(kwargs.get("class_weights"), list):
            kwargs["class_weights"] = tuple(kwargs["class_weights"])
        return cls(**kwargs)

    def fingerprint(self) -> str:
        """Return a hash of all settings that affect what is learned.

        The number of epochs is part of it only under the cosine schedule, whose learning rates
        depend on it; otherwise a run of 5 epochs can be resumed up to epoch 10.
        """
        kept = {k: v for k, v in self.to_dict().items() if k not in _NEUTRAL}
        if self.schedule == "cosine":
            kept["epochs"] = self.epochs
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def _choices(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise SettingError(
            name,
            f"must be one of {', '.join(choices)}; received {shown(value)}."
            f"{_nearest(str(value), list(choices))}",
        )


def _nearest(word: str, known: list[str]) -> str:
    near = nearest(word, known)
    hint = f" Did you mean `{near}`?" if near else ""
    return f"{hint} Choices: {', '.join(known)}."


def _whole(name: str, value: object, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SettingError(name, f"must be a whole number >= {least}; received {shown(value)}.")
    if value > most:
        raise SettingError(name, f"must be at most {most}; received {shown(value)}.")


def _real(name: str, value: object, largest: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise SettingError(name, f"must be a number >= 0; received {shown(value)}.")
    if value > largest:
        raise SettingError(name, f"must be at most {largest:g}; received {shown(value)}.")


def _share(name: str, value: object) -> None:
    _real(name, value, math.inf)
    if value > 1.0:  # type: ignore[operator]
        raise SettingError(name, f"must be from 0 to 1; received {shown(value)}.")


def _flag(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise SettingError(name, f"must be true or false; received {value!r}.")


def _class_weights(value: object) -> str | tuple[float, ...]:
    """Return class weights from a name, numbers, or the text `0.4,2.2,0.4`."""
    if isinstance(value, str):
        if value in CLASS_WEIGHTS:
            return value
        try:
            value = tuple(float(part) for part in value.split(","))
        except ValueError:
            raise SettingError(
                "class_weights",
                f"must be one of {', '.join(CLASS_WEIGHTS)} or one weight per class such as "
                f"`0.4,2.2,0.4`; received {shown(value)}.",
            ) from None
    if not isinstance(value, tuple) or not value:
        raise SettingError(
            "class_weights", f"must be a name or one weight per class; received {shown(value)}."
        )
    for weight in value:
        _real("class_weights", weight, _HEAVIEST)
    return tuple(float(weight) for weight in value)
