"""Settings of DeepCluster, and the record of an epoch."""

from __future__ import annotations

from dataclasses import dataclass

from agri_core.files.errors import InputError, SettingError
from agri_data.augment.augment import Augment

from agri_cluster.backend.precision import check_precision
from agri_cluster.data.tiles import BATCH
from agri_cluster.encoders.views import Views


@dataclass(frozen=True, slots=True)
class DeepClusterConfig:
    """Settings of DeepCluster.

    Attributes:
        epochs: how often the tiles are clustered and trained on.
        batch_size: tiles per step.
        learning_rate: of SGD, constant as in the paper.
        momentum: of SGD.
        weight_decay: of SGD.
        n_components: principal components that k-means sees; None is the paper's 256, but at most a
            quarter of the features.
        n_init: k-means initialisations of the last clustering; the others have one, as in the
            paper.
        views: augmentation of the training tiles, never of the clustered ones; None for features.
        precision: "float32" or "mixed_bfloat16".
    """

    epochs: int = 20
    batch_size: int = BATCH
    # Caron et al. 2018 train with a constant rate of 0.05, momentum 0.9 and weight decay 1e-5.
    learning_rate: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 0.00001
    n_components: int | None = None
    n_init: int = 10
    views: Views | None = Views(Augment(crop=0.3))  # noqa: RUF009 (frozen)
    precision: str = "float32"

    def __post_init__(self) -> None:
        sizes = self.epochs >= 0 and min(self.batch_size, self.n_init) >= 1
        if not sizes or not self.learning_rate > 0:
            raise InputError(
                "epochs of 0 or more, batch_size and n_init of 1 or more and learning_rate above 0 "
                f"are expected, got {self}"
            )
        if self.n_components is not None and self.n_components < 1:
            raise SettingError("n_components", f"is 1 or more, got {self.n_components}")
        if not 0 <= self.momentum < 1 or self.weight_decay < 0:
            raise InputError(
                "momentum from 0 to below 1 and weight_decay of 0 or more are expected, got "
                f"{self.momentum} and {self.weight_decay}"
            )
        check_precision(self.precision)


@dataclass(frozen=True, slots=True)
class EpochResult:
    """One clustering and the training on it.

    Attributes:
        epoch: 0 for the clustering of the encoder as given; the last is not trained on.
        loss: mean cross-entropy of the training, nats; None for the last.
        nmi: agreement with the previous clustering, 0..1; None for the first.
        used: clusters with at least one tile.
        largest: share of the tiles in the largest cluster.
        splits: empty clusters that were given half of another.
    """

    epoch: int
    loss: float | None
    nmi: float | None
    used: int
    largest: float
    splits: int
