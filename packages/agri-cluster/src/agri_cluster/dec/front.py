"""What stands before the clustering: tiles as they are, or the features of a frozen encoder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.errors import InputError

from agri_cluster.data.tiles import Tiles
from agri_cluster.encoders.features import Features, extract_whitened
from agri_cluster.encoders.registry import build_encoder
from agri_cluster.pretrain.simclr import ContrastConfig, pretrain_contrastive

FROZEN = ("resnet50", "vgg16", "squeezenet", "small", "statistics")
"""Encoders whose features are made once and clustered, unless they are to be fine-tuned."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """How features are made once and for all.

    Attributes:
        encoder: a name of `agri_cluster.encoders.registry`, or a Keras model.
        weights: "none", "imagenet", or a file.
        parts: principal components kept of the features.
        views: turns and mirrorings that features are the mean of, 1 to 8.
        contrast: how the encoder is first trained on the tiles themselves; None = not at all.
        precision: "float32" or "mixed_bfloat16".
    """

    encoder: str | Any
    weights: str = "none"
    parts: int = 50
    views: int = 1
    contrast: ContrastConfig | None = None
    precision: str = "float32"


def freeze(
    frozen: Frozen, tiles: Tiles, folder: Path, rng: np.random.Generator
) -> tuple[Features, list[float]]:
    """Return the features of all tiles, written to `folder`, and the losses of the training.

    A contrastive training that was stopped goes on from its state in `folder`.

    Raises:
        InputError: an encoder without weights would be frozen as it was drawn.
    """
    if frozen.encoder == "statistics" and frozen.contrast is not None:
        raise InputError("statistics of bands have no weights to pretrain: pretrain='autoencoder'")
    if frozen.weights == "none" and frozen.contrast is None and frozen.encoder != "statistics":
        raise InputError(
            f"the encoder {frozen.encoder!r} has random weights and would stay so: name its "
            "weights, pretrain it (pretrain='contrastive'), or let it learn (finetune=True)"
        )
    encoder = build_encoder(frozen.encoder, tiles.shape, weights=frozen.weights, bands=tiles.bands)
    losses: list[float] = []
    if frozen.contrast is not None:
        state = folder / "contrast.npz"
        losses = pretrain_contrastive(encoder.model, tiles, frozen.contrast, rng, state=state)
    features = extract_whitened(
        encoder, tiles, folder, parts=frozen.parts, views=frozen.views, precision=frozen.precision
    )
    return features, losses
