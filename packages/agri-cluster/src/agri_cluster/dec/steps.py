"""The steps of a fit: pretraining, initial clusters, network, refinement, result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agri_cluster.artifact.series import Series
from agri_cluster.backend.framework import keras
from agri_cluster.data.rows import RowFile, RowWriter
from agri_cluster.data.tiles import Floats, Ints, Tiles, batches, sample
from agri_cluster.dec.alpha import fit_kernel
from agri_cluster.dec.guard import Guard
from agri_cluster.dec.inputs import Inputs, contrast_of, encoder_of, is_frozen
from agri_cluster.dec.network import Network, build_network
from agri_cluster.dec.refine import Refiner, StopReason
from agri_cluster.dec.schedule import Schedule
from agri_cluster.dec.settings import EstimatorSettings, number_or_auto, whole_numbers
from agri_cluster.dec.state import RefineState
from agri_cluster.dec.student import check_alpha
from agri_cluster.dec.work import AUTOENCODER, CONTRAST, EMBEDDING, FitContext, Stage
from agri_cluster.encoders.decoder import build_decoder
from agri_cluster.encoders.registry import build_encoder
from agri_cluster.init.initial import InitialClusters, initial_clusters
from agri_cluster.init.lloyd import nearest
from agri_cluster.pretrain.autoencoder import AutoencoderConfig, pretrain_autoencoder
from agri_cluster.pretrain.simclr import pretrain_contrastive

MIN_SHARPNESS = 0.1
"""A mean confidence that is not this far above 1/K, or not twice that, leaves little to sharpen."""
MEASURED = 10_000
"""Rows at most that scale and alpha are measured on."""
MIN_AGREEMENT = 0.8
"""Adjusted Rand index of the two best k-means runs below which a warning is written."""


@dataclass(frozen=True, slots=True)
class Autoencoder:
    """The pretrained network.

    Attributes:
        encoder: item to embedding `(D,)`.
        decoder: embedding to item.
        losses: of the autoencoder, one per epoch.
        contrast_losses: of contrastive pretraining, one per epoch.
    """

    encoder: keras.Model
    decoder: keras.Model
    losses: list[float]
    contrast_losses: list[float]


@dataclass(frozen=True, slots=True)
class Kernel:
    """Student's t kernel: degrees of freedom, and what the embedding is divided by."""

    alpha: float
    scale: float


@dataclass(frozen=True, slots=True)
class Refined:
    """A finished refinement: the final state, the reason it stopped, and snapshots on the way."""

    state: RefineState
    stop_reason: StopReason
    series: Series


@dataclass(frozen=True, slots=True)
class Result:
    """The fitted model with the labels and the embedding `(N, D)` of its own items."""

    model: keras.Model
    labels: Ints
    embedding: NDArray[np.float32]


def pretrain(context: FitContext, inputs: Inputs) -> Autoencoder:
    """Build encoder and decoder for the inputs and pretrain them."""
    settings, rows = context.settings, inputs.rows
    encoder, decoder = _build(settings, rows)
    contrast = None if is_frozen(settings) else contrast_of(settings)
    if contrast is not None:
        rng, state = context.rng(Stage.FEATURES), context.folder / CONTRAST
        losses = pretrain_contrastive(encoder, rows, contrast, rng, state=state)
        return Autoencoder(encoder, decoder, [], losses)
    if settings.pretrain == "none":
        return Autoencoder(encoder, decoder, [], inputs.contrast_losses)
    batch_size = min(settings.batch_size, len(rows))
    config = AutoencoderConfig(settings.epochs, batch_size, noise=settings.noise)
    # Trained on single rotations it learns to tell rotations apart; on their mean, tiles.
    draw = None if is_frozen(settings) else inputs.draw
    rng, state = context.rng(Stage.AUTOENCODER), context.folder / AUTOENCODER
    losses = pretrain_autoencoder(encoder, decoder, rows, config, rng, draw, state)
    return Autoencoder(encoder, decoder, losses, inputs.contrast_losses)


def initialise(
    context: FitContext, inputs: Inputs, encoder: keras.Model
) -> tuple[InitialClusters, Kernel]:
    """Embed the inputs, cluster them, and fit the kernel of the soft assignment."""
    settings, rows, rng = context.settings, inputs.rows, context.rng(Stage.INIT)
    embedded = embed_all(encoder, rows, context.folder / EMBEDDING, settings.embedding_dim)
    # Rows are clustered as they are given by methods that look at neighbourhoods, tiles are not.
    neighbours = rows if len(rows.shape) == 1 else embedded
    initial = initial_clusters(
        embedded, settings.n_clusters, settings.init, settings.n_init, rng, neighbours
    )
    if initial.agreement < MIN_AGREEMENT:
        context.note(
            f"the two best k-means starts agree by {initial.agreement:.2f} only (adjusted Rand "
            "index): another seed may give other clusters"
        )
    return initial, _kernel(settings, embedded, initial, rng)


def build(
    context: FitContext, autoencoder: Autoencoder, initial: InitialClusters, kernel: Kernel
) -> Network:
    """Join encoder and initial centres to the network that is refined."""
    settings = context.settings
    return build_network(
        autoencoder.encoder,
        autoencoder.decoder if settings.objective == "idec" else None,
        np.asarray(initial.centres / kernel.scale, np.float32),
        alpha=kernel.alpha, scale=kernel.scale, gamma=settings.gamma, balance=settings.balance,
        # SGD with momentum: Adam would rescale each weight's gradient, and undo that confident
        # tiles, whose target is near their assignment, give small ones.
        optimizer=keras.optimizers.SGD(settings.learning_rate, momentum=0.9),
    )  # fmt: skip


def refine(
    context: FitContext, inputs: Inputs, network: Network, initial: InitialClusters
) -> Refined:
    """Warm up where the initial labels have to be learned first, then refine until it stops."""
    settings = context.settings
    series = Series.draw(len(inputs.rows), context.rng(Stage.SNAPSHOTS))
    refiner = Refiner(
        network, inputs.rows, initial.labels, schedule_of(settings), settings.guard or Guard(),
        context.rng(Stage.REFINE), context.folder, inputs.draw, series.add,
    )  # fmt: skip
    if not refiner.resume() and initial.needs_warmup:
        refiner.warm_up()
    _check_warmup(context, refiner)
    reason = refiner.refine()
    _check_sharpness(context, refiner, network.head.alpha)
    return Refined(refiner.state, reason, series)


def finish(
    context: FitContext, tiles: Tiles, inputs: Inputs, network: Network, refined: Refined
) -> Result:
    """Join extractor and network to one model, and take the labels that this model gives."""
    path = context.folder / EMBEDDING
    model, labels = network.embedder, refined.state.labels
    if inputs.extractor is not None:
        model = _joined(inputs.extractor, network.embedder)
        # Rounding may differ from that of the two parts one after the other.
        rows = embed_all(model, tiles, path, context.settings.embedding_dim)
        labels = nearest(rows, network.centres)
    # The memory map outlives a temporary folder.
    return Result(model, labels, np.load(path, mmap_mode="r"))


def schedule_of(settings: EstimatorSettings) -> Schedule:
    """Return the schedule of the refinement."""
    interval = number_or_auto(settings.update_interval, "update_interval")
    return Schedule(
        batch_size=settings.batch_size,
        max_iter=settings.max_iter,
        target=settings.target,
        update_interval=None if interval is None else int(interval),
        tol=settings.tol,
        patience=settings.patience,
        budget=settings.budget or None,
    )


def embed_all(model: keras.Model, tiles: Tiles, path: Path, width: int) -> RowFile:
    """Write the embedding of all tiles to `path` and return it as rows `(N, width)`."""
    with RowWriter(path, len(tiles), width) as writer:
        for _, items in batches(tiles):
            writer.add(embed(model, items))
    return RowFile(path, tiles.ids)


def embed(model: keras.Model, items: Floats) -> Floats:
    """Return the embedding of a batch of items, `(B, D)`."""
    return np.asarray(model.predict_on_batch(items), np.float32)


def _build(settings: EstimatorSettings, rows: Tiles) -> tuple[keras.Model, keras.Model]:
    frozen = is_frozen(settings)
    hidden = whole_numbers(settings.hidden, "hidden")
    filters = whole_numbers(settings.filters, "filters")
    encoder = build_encoder(
        "mlp" if frozen else encoder_of(settings, rows), rows.shape, width=settings.embedding_dim,
        weights="none" if frozen else settings.weights, bands=rows.bands, widths=hidden,
    ).model  # fmt: skip
    decoder = build_decoder(rows.shape, settings.embedding_dim, filters=filters, widths=hidden)
    return encoder, decoder


def _kernel(
    settings: EstimatorSettings, rows: Tiles, initial: InitialClusters, rng: np.random.Generator
) -> Kernel:
    alpha = number_or_auto(settings.alpha, "alpha")
    if alpha is not None:
        return Kernel(check_alpha(alpha), 1.0)
    return Kernel(*fit_kernel(rows.take(sample(rows, MEASURED, rng)), initial.centres))


def _check_warmup(context: FitContext, refiner: Refiner) -> None:
    history, wanted = refiner.state.warmup, refiner.schedule.warmup.agreement
    if history and history[-1]["agreement"] < wanted:
        context.note(
            f"after {history[-1]['step']} steps of warm-up the embedding gives "
            f"{history[-1]['agreement']:.1%} of the initial labels, not {wanted:.1%}: the "
            "refinement begins from other clusters than the initial ones"
        )


def _check_sharpness(context: FitContext, refiner: Refiner, alpha: float) -> None:
    clusters, first = context.settings.n_clusters, refiner.state.history[0]["confidence"]
    if clusters > 1 and first < 1.0 / clusters + min(1.0 / clusters, MIN_SHARPNESS):
        context.note(
            f"the mean confidence starts at {first:.3f}, hardly above 1/K: alpha={alpha:g} leaves "
            "the target little to sharpen; use alpha='auto'"
        )


def _joined(extractor: Any, embedder: keras.Model) -> keras.Model:
    inputs = keras.Input(extractor.input_shape[1:])
    return keras.Model(inputs, embedder(extractor(inputs)))
