"""Inputs of the clustering network: the tiles, or the features of a frozen extractor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from agri_core.files.errors import InputError
from agri_data.augment.augment import Augment

from agri_cluster.data.tiles import Tiles
from agri_cluster.dec.settings import AUTO, EstimatorSettings, FitSettings
from agri_cluster.dec.work import CONTRAST, FitContext, Stage
from agri_cluster.encoders.draws import Draw, DrawRotations, DrawViews
from agri_cluster.encoders.features import extract_whitened
from agri_cluster.encoders.registry import build_encoder
from agri_cluster.encoders.views import Views
from agri_cluster.pretrain.contrast import ContrastConfig
from agri_cluster.pretrain.simclr import pretrain_contrastive

FROZEN = ("resnet50", "vgg16", "squeezenet", "small", "statistics")
"""Encoders whose features are computed once and clustered, unless they are fine-tuned."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Inputs of the clustering network.

    Attributes:
        rows: the items that are embedded: tiles, or rows of features.
        draw: gives the views that training sees; None = the items as they are.
        extractor: Keras model from tile to features; None where tiles are embedded themselves.
        contrast_losses: of the extractor's contrastive pretraining.
    """

    rows: Tiles
    draw: Draw | None
    extractor: Any | None = None
    contrast_losses: list[float] = field(default_factory=list)


def is_frozen(settings: FitSettings) -> bool:
    """Return whether the encoder is a frozen feature extractor in front of the network."""
    encoder = settings.encoder
    return isinstance(encoder, str) and encoder in FROZEN and not settings.finetune


def encoder_of(settings: FitSettings, tiles: Tiles) -> str | Any:
    """Return the encoder, "auto" replaced by the one for such items."""
    if not isinstance(settings.encoder, str) or settings.encoder != AUTO:
        return settings.encoder
    return "convae" if len(tiles.shape) == 3 else "mlp"


def contrast_of(settings: EstimatorSettings) -> ContrastConfig | None:
    """Return how contrastive pretraining is done; None where another one was chosen."""
    if settings.pretrain != "contrastive":
        return None
    return settings.contrast or ContrastConfig(
        settings.epochs, size=settings.size or None, precision=settings.precision
    )


def prepare_inputs(context: FitContext, tiles: Tiles) -> Inputs:
    """Return the tiles themselves, or compute the features of a frozen extractor.

    Raises:
        InputError: an encoder without weights would stay as it was initialised.
    """
    settings = context.settings
    if not is_frozen(settings):
        views = Views(settings.augmentation or Augment()) if settings.augment else None
        return Inputs(tiles, DrawViews(tiles, views) if views else None)
    _check_weights(settings)
    encoder = build_encoder(
        settings.encoder, tiles.shape, weights=settings.weights, bands=tiles.bands
    )
    losses: list[float] = []
    contrast = contrast_of(settings)
    if contrast is not None:
        rng, state = context.rng(Stage.FEATURES), context.folder / CONTRAST
        losses = pretrain_contrastive(encoder.model, tiles, contrast, rng, state=state)
    features = extract_whitened(
        encoder, tiles, context.folder, n_components=settings.n_components,
        views=settings.views, precision=settings.precision,
    )  # fmt: skip
    draw = None if features.rotations is None else DrawRotations(features.rotations, settings.views)
    return Inputs(features.rows, draw, features.model, losses)


def _check_weights(settings: FitSettings) -> None:
    trained = settings.pretrain == "contrastive"
    if settings.encoder == "statistics":
        if trained:
            raise InputError("band statistics have no weights to pretrain: pretrain='autoencoder'")
    elif settings.weights == "none" and not trained:
        raise InputError(
            f"the encoder {settings.encoder!r} has random weights and would stay so: name its "
            "weights, pretrain it (pretrain='contrastive'), or let it learn (finetune=True)"
        )
