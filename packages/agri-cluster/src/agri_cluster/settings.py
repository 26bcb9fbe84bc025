"""The options of `agri-cluster fit`, and what they ask of the estimators."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agri_core.files.errors import InputError

if TYPE_CHECKING:
    from agri_cluster.dec.estimator import DeepEmbeddedClustering
    from agri_cluster.deepcluster.deepcluster import DeepCluster

OBJECTIVES = ("dec", "idec", "deepcluster")


@dataclass(frozen=True, slots=True)
class FitSettings:
    """Options of a fit.

    Attributes:
        clusters: Groups to make, 2 or more.
        encoder: statistics (of the bands), convae, mlp, small, squeezenet, resnet50 or vgg16.
        weights: Of the encoder: none, imagenet (downloads), or a file.
        embedding: Numbers that describe a tile.
        hidden: Widths of the mlp's layers, such as 500,500,2000.
        filters: Of the stages of the tiles' decoder, such as 512,256,128,64.
        pretrain: autoencoder, contrastive, or none.
        epochs: Passes of the pretraining over the tiles (deepcluster: how often it groups anew).
        side: Width of the views of contrastive pretraining; smaller is quicker, 0 = the tile's.
        finetune: Let the grouping change the weights of an encoder that is otherwise kept frozen.
        parts: Principal components of a frozen encoder's features.
        views: Quarter turns and mirrorings that frozen features are the mean of, 1 to 8.
        objective: dec, idec (keeps the decoder), or deepcluster.
        alpha: Degrees of freedom of the kernel, or auto.
        start: kmeans, ward, spectral, or umap (needs the extra of that name).
        target: Frequencies that sharpen the target: full (all tiles), ema, or batch.
        iterations: Steps of the refinement at most.
        interval: Steps between refreshes of the target, or auto.
        lr: Learning rate of the refinement.
        batch: Tiles a step.
        tol: Share of tiles that may change their group when it has come to rest.
        budget: Seconds of refinement at most; 0 = no limit.
        balance: Weight of a penalty on groups of uneven size.
        augment: Learn from flipped and turned copies too.
        precision: float32, or mixed_bfloat16 where the processor has it.
    """

    clusters: int = 10
    encoder: str = "convae"
    weights: str = "none"
    embedding: int = 100
    hidden: str = "500,500,2000"
    filters: str = "128,64,32,16"
    pretrain: str = "autoencoder"
    epochs: int = 50
    side: int = 0
    finetune: bool = False
    parts: int = 50
    views: int = 1
    objective: str = "dec"
    alpha: str = "auto"
    start: str = "kmeans"
    target: str = "full"
    iterations: int = 2000
    interval: str = "auto"
    lr: float = 0.01
    batch: int = 256
    tol: float = 0.001
    budget: float = 0.0
    balance: float = 0.0
    augment: bool = False
    precision: str = "float32"

    def __post_init__(self) -> None:
        if self.clusters < 2:
            raise InputError(f"2 clusters or more are expected, got {self.clusters}")
        if self.objective not in OBJECTIVES:
            raise InputError(f"objective is one of {', '.join(OBJECTIVES)}, got {self.objective!r}")

    def to_json(self) -> dict[str, Any]:
        """Return all settings."""
        return asdict(self)


def estimator(settings: FitSettings, seed: int, folder: Path) -> DeepEmbeddedClustering:
    """Return the estimator that `settings` describe, with its state in `folder`."""
    from agri_data.augment.augment import Augment

    from agri_cluster.dec.estimator import DeepEmbeddedClustering
    from agri_cluster.pretrain.simclr import ContrastConfig

    return DeepEmbeddedClustering(
        settings.clusters,
        encoder=settings.encoder,
        weights=settings.weights,
        hidden=whole_numbers(settings.hidden),
        filters=whole_numbers(settings.filters),
        embedding_dim=settings.embedding,
        pretrain=settings.pretrain,
        epochs=settings.epochs,
        contrast=ContrastConfig(
            epochs=settings.epochs, size=settings.side or None, precision=settings.precision
        ),
        finetune=settings.finetune,
        parts=settings.parts,
        views=settings.views,
        objective=settings.objective,
        alpha=_number(settings.alpha, "alpha"),
        init=settings.start,
        target=settings.target,
        update_interval=_number(settings.interval, "interval"),
        tol=settings.tol,
        max_iter=settings.iterations,
        budget=settings.budget or None,
        batch_size=settings.batch,
        learning_rate=settings.lr,
        balance=settings.balance,
        precision=settings.precision,
        augment=Augment() if settings.augment else None,
        folder=folder,
        random_state=seed,
    )


def deepcluster(
    settings: FitSettings, seed: int, shape: tuple[int, ...], bands: tuple[str, ...]
) -> DeepCluster:
    """Return the DeepCluster that `settings` describe, for items of `shape`."""
    from agri_data.augment.augment import Augment

    from agri_cluster.deepcluster.deepcluster import DeepCluster, DeepClusterConfig
    from agri_cluster.encoders.registry import build_encoder
    from agri_cluster.encoders.views import Views

    encoder = build_encoder(
        settings.encoder, shape, width=settings.embedding, weights=settings.weights, bands=bands,
        widths=whole_numbers(settings.hidden),
    )  # fmt: skip
    config = DeepClusterConfig(
        epochs=settings.epochs, batch=settings.batch, precision=settings.precision,
        views=Views(Augment(crop=0.3)) if len(shape) == 3 else None,
    )  # fmt: skip
    return DeepCluster(settings.clusters, encoder.model, config, seed)


def whole_numbers(text: str) -> tuple[int, ...]:
    """Read "500,500,2000".

    Raises:
        InputError: a part is no whole number above 0.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdigit() and int(part) > 0 for part in parts):
        raise InputError(f"widths such as 500,500,2000 are expected, got {text!r}")
    return tuple(int(part) for part in parts)


def _number(text: str, name: str) -> float | str:
    if text == "auto":
        return text
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"{name} is a number or 'auto', got {text!r}") from error
