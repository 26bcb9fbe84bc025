"""The settings of one training run: frozen, checked, and with a fingerprint."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from agri_core.files.errors import InputError
from agri_core.files.hints import nearest

OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop")
SCHEDULES = ("constant", "cosine", "plateau")
MONITORS = {"loss": "min", "iou": "max", "f1": "max", "accuracy": "max"}
PRECISIONS = ("auto", "32", "bf16")
LAYOUTS = ("auto", "channels_last", "contiguous")
DEVICES = ("auto", "cpu", "gpu")
BALANCES = ("none", "inverse")
MIXES = ("none", "mixup", "cutmix", "both")

# Settings that do not change what is learned: a run may go on after they change.
_FREE = frozenset({"epochs", "workers", "samples", "every", "device", "threads", "graphs"})
_COUNTS = ("patience", "every", "seed", "threads", "workers", "samples", "warmup", "thaw")


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Every setting of the engine, by a single word; a wrong value is refused with the choices.

    Attributes:
        epochs: passes over the training part.
        batch: chips a step.
        lr: learning rate at the start (after `warmup`).
        optimizer: adam, adamw, sgd or rmsprop.
        momentum: of sgd; the others do not use it.
        decay: weight decay.
        schedule: constant, cosine (down towards `floor`) or plateau (halved after
            `wait` epochs without a better validation loss).
        floor: the learning rate never falls below it.
        warmup: epochs of linear rise to `lr`.
        wait: epochs without gain before the plateau schedule halves the rate.
        clip: largest gradient norm; 0 = no clipping.
        clamp: largest gradient of a single weight, either way; 0 = none.
        loss: `auto`, a term (`ce`, `bce`, `dice`, `jaccard`, `tversky`) or terms joined by `+`.
        balance: `none`, `inverse` (from training counts) or a weight per class.
        smooth: share of the truth spread evenly over all classes while training (ce only).
        mix: none, mixup, cutmix, or both (either by an even chance): patches only.
        average: share of the weights' running mean that a step leaves, such as 0.999; the mean is
            what is judged and kept. 0 = the last weights.
        thaw: epochs after which the next frozen part learns too, the last part first (see
            `agri_train.network.freeze.stages`); 0 = what is frozen stays so.
        patience: epochs without a better `monitor` before stopping; 0 = never.
        monitor: the validation number that says which epoch is best.
        every: keep a checkpoint each so many epochs besides best and last; 0 = none.
        seed: the one seed behind order, augmentation and dropout.
        precision: auto, 32 or bf16 (see `agri_train.device.hardware`).
        layout: auto, channels_last or contiguous.
        device: auto, cpu or gpu.
        threads: processor threads for torch; 0 = torch's own choice.
        graphs: on a GPU, launch a step as one CUDA graph and not kernel by kernel; false for a
            network whose path depends on its data.
        augment: vary the training chips: mirrored and turned by quarters.
        strength: 0..1, how strongly they are also warped and relit
            (`agri_train.data.data.make_policy`).
        downscale: chance of each to be averaged over larger pixels and raised back, as resampled
            imagery is (`agri_data.augment.downscale`).
        jpeg: chance of each to be saved again as JPEG (`agri_data.augment.jpeg`), for a network
            that will meet such files: only for red, green and blue in uint8.
        copies: how often each training chip is seen in an epoch, each copy varied by itself.
        workers: processes that read batches; 0 = up to 4 beside a GPU, else none: the training
            process reads.
        samples: rows in each epoch's sample picture; 0 = no pictures.
        calibrate: fit the temperature of the probabilities on the validation part.
    """

    epochs: int = 50
    batch: int = 8
    lr: float = 0.001
    optimizer: str = "adamw"
    momentum: float = 0.9
    decay: float = 0.0001
    schedule: str = "cosine"
    floor: float = 0.000001
    warmup: int = 0
    wait: int = 5
    clip: float = 1.0
    clamp: float = 0.0
    loss: str = "auto"
    balance: str | tuple[float, ...] = "none"
    smooth: float = 0.0
    mix: str = "none"
    average: float = 0.0
    thaw: int = 0
    patience: int = 10
    monitor: str = "loss"
    every: int = 0
    seed: int = 42
    precision: str = "auto"
    layout: str = "auto"
    device: str = "auto"
    threads: int = 0
    graphs: bool = True
    augment: bool = True
    strength: float = 0.0
    downscale: float = 0.0
    jpeg: float = 0.0
    copies: int = 1
    workers: int = 0
    samples: int = 4
    calibrate: bool = True

    def __post_init__(self) -> None:
        _choices("optimizer", self.optimizer, OPTIMIZERS)
        _choices("schedule", self.schedule, SCHEDULES)
        _choices("monitor", self.monitor, tuple(MONITORS))
        _choices("precision", self.precision, PRECISIONS)
        _choices("layout", self.layout, LAYOUTS)
        _choices("device", self.device, DEVICES)
        _choices("mix", self.mix, MIXES)
        object.__setattr__(self, "balance", _balance(self.balance))
        for name in ("epochs", "batch", "copies", "wait"):
            _whole(name, getattr(self, name), 1)
        for name in _COUNTS:
            _whole(name, getattr(self, name), 0)
        for name in ("decay", "clip", "clamp", "floor", "momentum", "smooth", "average"):
            _real(name, getattr(self, name), 0.0)
        for name in ("graphs", "augment", "calibrate"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(
                    f"`{name}` must be true or false; received {getattr(self, name)!r}."
                )
        _real("lr", self.lr, 0.0)
        for name in ("strength", "downscale", "jpeg"):
            _share(name, getattr(self, name))
        for name in ("smooth", "average"):
            if getattr(self, name) >= 1.0:
                raise InputError(f"`{name}` must be below 1; received {getattr(self, name)}.")
        if self.lr == 0.0 or self.floor > self.lr:
            raise InputError(
                f"`lr` must be above 0 and not below `floor`; received lr={self.lr}, "
                f"floor={self.floor}. Raise `lr` or lower `floor`."
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TrainConfig":
        """Build from a mapping; an unknown key is an error that names the nearest setting."""
        known = [field.name for field in fields(cls)]
        for key in values:
            if key not in known:
                raise InputError(f"`{key}` is no training setting.{_nearest(key, known)}")
        kwargs = dict(values)
        if isinstance(kwargs.get("balance"), list):
            kwargs["balance"] = tuple(kwargs["balance"])
        return cls(**kwargs)

    def fingerprint(self) -> str:
        """Hash of all that changes what is learned.

        The number of epochs counts only under the cosine schedule, whose rates depend on it;
        otherwise a run of 5 epochs may go on to 10.
        """
        kept = {k: v for k, v in self.to_dict().items() if k not in _FREE}
        if self.schedule == "cosine":
            kept["epochs"] = self.epochs
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def _choices(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InputError(
            f"`{name}` must be one of {', '.join(choices)}; received {value!r}."
            f"{_nearest(str(value), list(choices))}"
        )


def _nearest(word: str, known: list[str]) -> str:
    near = nearest(word, known)
    hint = f" Did you mean `{near}`?" if near else ""
    return f"{hint} Choices: {', '.join(known)}."


def _whole(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InputError(f"`{name}` must be a whole number >= {least}; received {value!r}.")


def _real(name: str, value: object, least: float) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < least:  # type: ignore[operator,arg-type]
        raise InputError(f"`{name}` must be a number >= {least:g}; received {value!r}.")


def _share(name: str, value: object) -> None:
    _real(name, value, 0.0)
    if value > 1.0:  # type: ignore[operator]
        raise InputError(f"`{name}` must be from 0 to 1; received {value}.")


def _balance(value: object) -> str | tuple[float, ...]:
    """Read class weights: a name, numbers, or the text `0.4,2.2,0.4`."""
    if isinstance(value, str):
        if value in BALANCES:
            return value
        try:
            value = tuple(float(part) for part in value.split(","))
        except ValueError:
            raise InputError(
                f"`balance` must be one of {', '.join(BALANCES)} or a weight per class such as "
                f"`0.4,2.2,0.4`; received {value!r}."
            ) from None
    if not isinstance(value, tuple) or not value:
        raise InputError(f"`balance` must be a name or a weight per class; received {value!r}.")
    for weight in value:
        _real("balance", weight, 0.0)
    return tuple(float(weight) for weight in value)
