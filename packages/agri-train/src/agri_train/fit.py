"""Train a network on a chip store and leave a model bundle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agri_data.store import ChipStore
from agri_map.spec import BundleSpec
from torch import nn

from agri_train.config import TrainConfig
from agri_train.loss import Head


@dataclass(frozen=True, slots=True)
class FitResult:
    """What a run leaves: paths, the spec of the bundle, and speed.

    `throughput` is training images a second over the whole run (0 when nothing had to be trained).
    """

    bundle: Path
    checkpoint: Path
    history: Path
    spec: BundleSpec
    throughput: float
    epochs: int


def fit(
    net: nn.Module,
    store: ChipStore,
    *,
    bands: Sequence[str],
    task: Literal["segment", "classify"] = "segment",
    head: Head,
    config: TrainConfig,
    out: Path,
    name: str,
    arch: str,
    settings: Mapping[str, Any] | None = None,
) -> FitResult:
    """Train `net` and write everything the run leaves into `out`.

    `settings` are the caller's own (encoder, weights, ...): they are recorded in config.json and
    are part of the fingerprint that decides whether a stopped run may go on. Seed with
    `agri_train.seed.seed_all(config.seed)` before building `net`.
    """
    raise NotImplementedError
