"""Deep embedded clustering as a scikit-learn estimator."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
from agri_core.files.console import warn
from agri_core.files.errors import InputError
from agri_core.files.ownership import remove_file
from agri_data.augment.augment import Augment
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClusterMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from agri_cluster.artifact.series import Series
from agri_cluster.backend.framework import keras, make_deterministic
from agri_cluster.data.distances import log_assignment, squared_distances
from agri_cluster.data.rows import RowFile, RowWriter
from agri_cluster.data.sources import as_tiles
from agri_cluster.data.tiles import ArrayTiles, Floats, Ints, Tiles, batches, sample
from agri_cluster.dec.alpha import fit_kernel
from agri_cluster.dec.front import FROZEN, Frozen, freeze
from agri_cluster.dec.guard import Guard
from agri_cluster.dec.network import Network, build_network
from agri_cluster.dec.refine import Refiner
from agri_cluster.dec.schedule import Schedule
from agri_cluster.dec.student import check_alpha
from agri_cluster.encoders.decoder import FILTERS, build_decoder
from agri_cluster.encoders.draws import Draw, DrawTurns, DrawViews
from agri_cluster.encoders.registry import build_encoder
from agri_cluster.encoders.views import Views
from agri_cluster.init.starts import Start, nearest, start
from agri_cluster.pretrain.autoencoder import Pretraining, pretrain_autoencoder
from agri_cluster.pretrain.simclr import ContrastConfig, pretrain_contrastive

Data = ArrayLike | Tiles | Path | str

PRETRAIN = ("autoencoder", "contrastive", "none")
OBJECTIVES = ("dec", "idec")
STATES = ("contrast.npz", "autoencoder.npz", "refine.npz")
STARVED = 0.1
"""A mean confidence that is not this far above 1/K, or not twice that, leaves little to sharpen."""
SOME = 10_000
"""Rows at most that scale and alpha are measured on."""
AGREE = 0.8
"""Below this adjusted Rand index of the two best k-means starts, the start is called unstable."""


class DeepEmbeddedClustering(ClusterMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Group tiles or rows by learning an embedding and its centres together.

    DEC (Xie, Girshick, Farhadi 2016) and IDEC (Guo et al. 2017): an encoder is pretrained, centres
    start from k-means or another grouping of the embedding, and both are trained towards a
    sharpened form of their own soft assignment, whose cluster frequencies are summed over the full
    set. `fit` takes an array `(N, F)` or `(N, H, W, C)`, `Tiles`, or the path of a chip store or
    of a folder of pictures; only a batch of tiles is in memory at a time. Keras's global seed is
    set, so that a seed gives the same result on a CPU.

    Args:
        n_clusters: K; with 1 there is nothing to learn, and every item is in it.
        encoder: "mlp", "convae", "small", "squeezenet", "resnet50", "vgg16", "statistics" (of the
            bands), or a Keras model from an item to a row. The last five by name are used frozen
            (see `finetune`): their features become the rows that an "mlp" embeds.
        weights: of the encoder: "none", "imagenet", or a file.
        hidden: widths of the "mlp".
        filters: of the stages of the tiles' decoder, coarsest first.
        embedding_dim: D.
        pretrain: "autoencoder"; "contrastive" (SimCLR; tiles only; where the encoder is frozen
            afterwards, the autoencoder follows on its features); or "none".
        epochs: of the autoencoder.
        contrast: settings of the contrastive pretraining.
        finetune: whether the KL step changes the encoder by name; None = not for those
            named above.
        parts: principal components of frozen features.
        views: quarter turns and mirrorings that frozen features are the mean of, 1 to 8; the
            refinement learns from single ones.
        noise: share of input values hidden from the autoencoder.
        objective: "dec", or "idec", which keeps the decoder beside the KL term.
        gamma: weight of the KL term in "idec".
        alpha: degrees of freedom of Student's kernel; "auto" scales the embedding and takes the
            number from 1 to D - 1 that makes the first assignment neither flat nor hard
            (`agri_cluster.dec.alpha`). 1 is the papers' value, made for D = 10.
        init: "kmeans" in the embedding; "ward", "spectral" or "umap", which group rows as they are
            given and tiles by their embedding; centres `(K, D)`; labels `(N,)`; or a function
            (rows, K, rng) -> labels.
        n_init: k-means starts.
        target: "full", "ema" or "batch" (`agri_cluster.dec.schedule.Schedule`).
        update_interval: steps between refreshes of the target; "auto" = a pass over the tiles,
            from 20 to 200 steps.
        tol: share of labels changed at a refresh below which it is calm.
        patience: calm refreshes in a row that end the run.
        max_iter: steps at most.
        budget: seconds at most for the refinement; None = no limit.
        batch_size: tiles a step.
        learning_rate: of SGD with momentum 0.9 (refinement).
        balance: weight of a penalty on uneven clusters; 0 leaves their sizes to the land.
        precision: of the frozen encoder's features: "float32" or "mixed_bfloat16".
        guard: against dead and giant clusters.
        augment: views for training (`agri_data.augment.augment`); targets come from the clean tile.
        deterministic: one thread of k-means, and only operations that repeat to the bit.
        folder: where features, embedding and the state to resume from are kept; a temporary folder
            when None.
        random_state: seed.

    Attributes:
        labels_: `(N,)`, equal to `predict` of the same items, whatever ended the run.
        cluster_centers_: `(K, D)` in the space of `transform`.
        embedding_: `(N, D)`, a read-only memory map.
        n_iter_: steps taken.
        converged_: whether the labels came to rest.
        stop_reason_: "converged", "max_iter", "budget" or "collapse" (the best state is restored).
        history_: a dict per refresh (`agri_cluster.artifact.fitted.COLUMNS`).
        warmup_: a dict per look at how much of a start's labels the embedding had learnt before
            the refinement (`agri_cluster.dec.warmup`); empty for a start from its own nearest
            centres.
        pretrain_: losses of the autoencoder, one an epoch.
        n_clusters_used_: clusters that hold an item.
        alpha_: degrees of freedom used.
        scale_: what the embedding was divided by.
        start_: the first grouping.
        model_: one Keras model from item to scaled embedding.
        warnings_: what a reader of the result should know.
    """

    def __init__(
        self,
        n_clusters: int = 10,
        *,
        encoder: str | Any = "mlp",
        weights: str = "none",
        hidden: Sequence[int] = (500, 500, 2000),
        filters: Sequence[int] = FILTERS,
        embedding_dim: int = 100,
        pretrain: str = "autoencoder",
        epochs: int = 100,
        contrast: ContrastConfig | None = None,
        finetune: bool | None = None,
        parts: int = 50,
        views: int = 1,
        noise: float = 0.0,
        objective: str = "dec",
        gamma: float = 0.1,
        alpha: float | str = "auto",
        init: Any = "kmeans",
        n_init: int = 20,
        target: str = "full",
        update_interval: float | str = "auto",
        tol: float = 0.001,
        patience: int = 2,
        max_iter: int = 2000,
        budget: float | None = None,
        batch_size: int = 256,
        learning_rate: float = 0.01,
        balance: float = 0.0,
        precision: str = "float32",
        guard: Guard | None = None,
        augment: Augment | None = None,
        deterministic: bool = False,
        folder: Path | str | None = None,
        random_state: int = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.encoder = encoder
        self.weights = weights
        self.hidden = hidden
        self.filters = filters
        self.embedding_dim = embedding_dim
        self.pretrain = pretrain
        self.epochs = epochs
        self.contrast = contrast
        self.finetune = finetune
        self.parts = parts
        self.views = views
        self.noise = noise
        self.objective = objective
        self.gamma = gamma
        self.alpha = alpha
        self.init = init
        self.n_init = n_init
        self.target = target
        self.update_interval = update_interval
        self.tol = tol
        self.patience = patience
        self.max_iter = max_iter
        self.budget = budget
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.balance = balance
        self.precision = precision
        self.guard = guard
        self.augment = augment
        self.deterministic = deterministic
        self.folder = folder
        self.random_state = random_state

    def fit(self, X: Data, y: object = None, *, resume: bool = False) -> Self:  # noqa: N803
        """Learn embedding and centres from `X`; with `resume`, go on where a stopped run left off.

        Raises:
            InputError: a setting is not as it must be, an item holds NaN, or there are fewer
                different items than clusters.
        """
        tiles = self._read(X, reset=True)
        self._check(len(tiles))
        with self._workplace(resume) as folder:
            self._seed()
            self.warnings_: list[str] = []
            front, rows, draw = self._front(tiles, folder)
            encoder, decoder = self._pretrained(rows, draw, folder)
            network, begun = self._started(encoder, decoder, rows, folder)
            self._refine(network, begun, rows, draw, folder)
            self.model_ = network.embedder if front is None else _joined(front, network.embedder)
            if front is not None:
                self._assign_anew(tiles, folder)
            self._keep_embedding(folder)
        return self

    def predict(self, X: Data) -> Ints:  # noqa: N803
        """Return the cluster of each item, `(N,)`."""
        check_is_fitted(self)
        centres = self.cluster_centers_
        parts = [squared_distances(z, centres).argmin(axis=1) for z in self._embedded(X)]
        return np.concatenate(parts).astype(np.int64)

    def predict_proba(self, X: Data) -> NDArray[np.float64]:  # noqa: N803
        """Return the soft assignment of each item, `(N, K)`; rows sum to 1."""
        check_is_fitted(self)
        parts = [log_assignment(z, self.cluster_centers_, self.alpha_) for z in self._embedded(X)]
        return np.exp(np.concatenate(parts))

    def transform(self, X: Data) -> Floats:  # noqa: N803
        """Return the embedding of each item, `(N, D)`."""
        check_is_fitted(self)
        return np.concatenate(list(self._embedded(X)))

    def score(self, X: Data, y: object = None) -> float:  # noqa: N803
        """Return minus the mean squared distance to the nearest centre; higher is better."""
        check_is_fitted(self)
        parts = [squared_distances(z, self.cluster_centers_).min(1) for z in self._embedded(X)]
        return -float(np.concatenate(parts).mean())

    def _read(self, data: Any, reset: bool) -> Tiles:
        if isinstance(data, (str, Path)) or hasattr(data, "ids"):
            tiles = as_tiles(data)
            if reset:
                self.n_features_in_ = int(np.prod(tiles.shape))
            return tiles
        array = validate_data(
            self, data, reset=reset, dtype=(np.float32, np.float64), allow_nd=True
        )
        return ArrayTiles(array)

    def _check(self, count: int) -> None:
        if self.n_clusters < 1:
            raise InputError(f"1 cluster or more is expected, got {self.n_clusters}")
        if count < self.n_clusters:
            raise InputError(
                f"{count} items cannot make {self.n_clusters} clusters; ask for fewer, or give more"
            )
        for name, known in (("pretrain", PRETRAIN), ("objective", OBJECTIVES)):
            if getattr(self, name) not in known:
                raise InputError(
                    f"{name} is one of {', '.join(known)}, got {getattr(self, name)!r}"
                )
        if self.alpha != "auto":
            check_alpha(float(self.alpha))

    @contextmanager
    def _workplace(self, resume: bool) -> Iterator[Path]:
        if self.folder is None:
            with tempfile.TemporaryDirectory(
                prefix="agri-cluster-", ignore_cleanup_errors=True
            ) as temporary:
                yield Path(temporary)
            return
        folder = Path(self.folder)
        folder.mkdir(parents=True, exist_ok=True)
        if not resume:
            for name in STATES:
                remove_file(folder / name)
        yield folder

    def _rng(self, stage: int) -> np.random.Generator:
        """Return the generator of a stage: its own, so that a resumed run may skip earlier ones."""
        return np.random.default_rng([int(self.random_state), stage])

    def _seed(self) -> None:
        if self.deterministic:
            make_deterministic(int(self.random_state))
        else:
            keras.utils.set_random_seed(int(self.random_state))

    @property
    def _frozen(self) -> bool:
        return isinstance(self.encoder, str) and self.encoder in FROZEN and not self.finetune

    def _front(self, tiles: Tiles, folder: Path) -> tuple[Any, Tiles, Draw | None]:
        """Return the frozen model, what is clustered, and what is learnt from."""
        self.contrast_: list[float] = []
        if not self._frozen:
            draw = None if self.augment is None else DrawViews(tiles, Views(self.augment))
            return None, tiles, draw
        frozen = Frozen(
            self.encoder, self.weights, self.parts, self.views, self._contrast(), self.precision
        )
        made, self.contrast_ = freeze(frozen, tiles, folder, self._rng(0))
        turns = None if made.turns is None else DrawTurns(made.turns, self.views)
        return made.model, made.rows, turns

    def _contrast(self) -> ContrastConfig | None:
        return (self.contrast or ContrastConfig()) if self.pretrain == "contrastive" else None

    def _pretrained(
        self, rows: Tiles, draw: Draw | None, folder: Path
    ) -> tuple[keras.Model, keras.Model]:
        name, weights = ("mlp", "none") if self._frozen else (self.encoder, self.weights)
        encoder = build_encoder(
            name, rows.shape, width=self.embedding_dim, weights=weights, bands=rows.bands,
            widths=tuple(self.hidden),
        ).model  # fmt: skip
        decoder = build_decoder(
            rows.shape, self.embedding_dim, filters=tuple(self.filters), widths=tuple(self.hidden)
        )
        self.pretrain_: list[float] = []
        contrast = None if self._frozen else self._contrast()
        if contrast is not None:
            state = folder / "contrast.npz"
            self.contrast_ = pretrain_contrastive(
                encoder, rows, contrast, self._rng(0), state=state
            )
        elif self.pretrain != "none":
            how = Pretraining(self.epochs, min(self.batch_size, len(rows)), noise=self.noise)
            state = folder / "autoencoder.npz"
            # An autoencoder of single turns tells turns apart; one of their mean tells tiles apart.
            views = None if self._frozen else draw
            self.pretrain_ = pretrain_autoencoder(
                encoder, decoder, rows, how, self._rng(1), views, state
            )
        return encoder, decoder

    def _started(
        self, encoder: keras.Model, decoder: keras.Model, rows: Tiles, folder: Path
    ) -> tuple[Network, Start]:
        rng, width = self._rng(2), self.embedding_dim
        embedded = embed_all(encoder, rows, folder / "rows.npy", width)
        whole = rows if len(rows.shape) == 1 else embedded
        begun = start(embedded, self.n_clusters, self.init, self.n_init, rng, whole)
        if begun.agreement < AGREE:
            self._note(
                f"the two best k-means starts agree by {begun.agreement:.2f} only (adjusted Rand "
                "index): another seed may give other groups"
            )
        self.alpha_, self.scale_ = self._kernel(embedded, begun, rng)
        network = build_network(
            encoder,
            decoder if self.objective == "idec" else None,
            np.asarray(begun.centres / self.scale_, np.float32),
            alpha=self.alpha_, scale=self.scale_, gamma=self.gamma, balance=self.balance,
            optimizer=keras.optimizers.SGD(self.learning_rate, momentum=0.9),
        )  # fmt: skip
        return network, begun

    def _kernel(self, rows: Tiles, begun: Start, rng: np.random.Generator) -> tuple[float, float]:
        if self.alpha != "auto":
            return float(self.alpha), 1.0
        return fit_kernel(rows.take(sample(rows, SOME, rng)), begun.centres)

    def _refine(
        self, network: Network, begun: Start, rows: Tiles, draw: Draw | None, folder: Path
    ) -> None:
        self.start_, self.series_ = begun, Series.draw(len(rows), self._rng(4))
        schedule = Schedule(
            batch=self.batch_size,
            limit=self.max_iter,
            target=self.target,
            interval=None if self.update_interval == "auto" else int(self.update_interval),
            tol=self.tol,
            patience=self.patience,
            budget=self.budget,
        )
        refiner = Refiner(
            network, rows, begun.labels, schedule, self.guard or Guard(), self._rng(3), folder,
            draw, self.series_.add,
        )  # fmt: skip
        if not refiner.resume() and begun.shaped:
            refiner.warm_up()
        self._warn_unlearnt(refiner)
        self.stop_reason_ = refiner.refine()
        self.converged_ = self.stop_reason_ == "converged"
        self.history_, self.warmup_ = refiner.run.history, refiner.run.warmup
        self.n_iter_ = refiner.run.iteration
        self.labels_, self.cluster_centers_ = refiner.run.labels, network.centres
        least = 1.0 / self.n_clusters
        if self.n_clusters > 1 and self.history_[0]["confidence"] < least + min(least, STARVED):
            self._note(
                f"the mean confidence starts at {self.history_[0]['confidence']:.3f}, hardly above "
                f"1/K: alpha={self.alpha_:g} leaves the target little to sharpen; use alpha='auto'"
            )

    def _warn_unlearnt(self, refiner: Refiner) -> None:
        looks, wanted = refiner.run.warmup, refiner.schedule.warmup.learnt
        if looks and looks[-1]["agreement"] < wanted:
            self._note(
                f"after {looks[-1]['step']} steps of warm-up the embedding gives "
                f"{looks[-1]['agreement']:.1%} of the start's labels, not {wanted:.1%}: the "
                "refinement begins from other groups than the start's"
            )

    def _assign_anew(self, tiles: Tiles, folder: Path) -> None:
        """Take labels from the joined model: rounding may differ from that of its two parts."""
        rows = embed_all(self.model_, tiles, folder / "rows.npy", self.embedding_dim)
        self.labels_ = nearest(rows, self.cluster_centers_)

    def _keep_embedding(self, folder: Path) -> None:
        self.n_clusters_used_ = len(np.unique(self.labels_))
        path = folder / "rows.npy"
        # The map outlives a temporary folder.
        self.embedding_ = np.load(path, mmap_mode="r")

    def _note(self, message: str) -> None:
        self.warnings_.append(message)
        warn(message)

    def _embedded(self, data: Any) -> Iterator[Floats]:
        for _, items in batches(self._read(data, reset=False)):
            yield np.asarray(self.model_.predict_on_batch(items), np.float32)


def embed_all(model: keras.Model, tiles: Tiles, path: Path, width: int) -> RowFile:
    """Write the embedding of all tiles to `path` and return it as rows `(N, width)`."""
    with RowWriter(path, len(tiles), width) as writer:
        for _, items in batches(tiles):
            writer.add(np.asarray(model.predict_on_batch(items), np.float32))
    return RowFile(path, tiles.ids)


def _joined(front: keras.Model, embedder: keras.Model) -> keras.Model:
    inputs = keras.Input(front.input_shape[1:])
    return keras.Model(inputs, embedder(front(inputs)))
