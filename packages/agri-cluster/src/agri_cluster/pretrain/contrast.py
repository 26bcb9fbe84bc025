"""Settings of contrastive pretraining: its schedule, and the strength of the augmented views."""

from __future__ import annotations

from dataclasses import dataclass

from agri_core.files.errors import InputError
from agri_data.augment.augment import Augment

from agri_cluster.backend.precision import check_precision
from agri_cluster.encoders.jitter import Jitter, Level
from agri_cluster.encoders.views import Views


@dataclass(frozen=True, slots=True)
class ContrastConfig:
    """Schedule of the contrastive training, and strength of the augmented views.

    Attributes:
        epochs: passes over the tiles.
        batch_size: tiles per step, each in two views; 2 or more.
        learning_rate: maximum of the one-cycle schedule (AdamW).
        weight_decay: of AdamW.
        warmup: share of the steps over which the learning rate rises.
        temperature: T of the loss; a lower one weighs the most similar other tiles more.
        hidden_dim: width of the projection head's hidden layer.
        projection_dim: width of its output.
        size: side of the views in pixels; None keeps the tile's.
        crop: largest share of the side cut away before enlarging back.
        flip: mirror both ways.
        quarter: quarter turns; square tiles only.
        brightness: see `Jitter`, as `contrast`, `channel` and `grey`.
        contrast: see `Jitter`.
        channel: see `Jitter`.
        grey: see `Jitter`.
        precision: "float32", or "mixed_bfloat16": faster where the processor has it.
    """

    epochs: int = 30
    batch_size: int = 512
    learning_rate: float = 0.002
    weight_decay: float = 0.0001
    warmup: float = 0.1
    temperature: float = 0.5
    hidden_dim: int = 256
    projection_dim: int = 64
    size: int | None = None
    crop: float = 0.5
    flip: bool = True
    quarter: bool = True
    brightness: float = 0.4
    contrast: float = 0.3
    channel: float = 0.2
    grey: float = 0.1
    precision: str = "float32"

    def __post_init__(self) -> None:
        if self.epochs < 0 or self.batch_size < 2 or min(self.hidden_dim, self.projection_dim) < 1:
            raise InputError(
                "epochs of 0 or more, batch_size of 2 or more, hidden_dim and projection_dim of 1 "
                f"or more are expected, got {self}"
            )
        if not (self.learning_rate > 0 and self.temperature > 0):
            raise InputError(f"learning_rate and temperature are above 0, got {self}")
        if self.weight_decay < 0 or not 0 <= self.warmup <= 1:
            raise InputError(f"weight_decay is 0 or more and warmup from 0 to 1, got {self}")
        check_precision(self.precision)
        self.views(Level())

    def views(self, level: Level) -> Views:
        """Return the maker of views of tiles whose bands have this level."""
        light = Jitter(self.brightness, self.contrast, self.channel, self.grey, level)
        warp = Augment(flip=self.flip, quarter=self.quarter, crop=self.crop)
        return Views(warp, self.size, light)
