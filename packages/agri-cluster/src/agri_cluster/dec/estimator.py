"""Deep embedded clustering as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClusterMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from agri_cluster.backend.framework import make_deterministic, set_seed
from agri_cluster.data.distances import log_assignment, squared_distances
from agri_cluster.data.sources import as_tiles
from agri_cluster.data.tiles import ArrayTiles, Floats, Ints, Tiles, batches
from agri_cluster.dec.inputs import prepare_inputs
from agri_cluster.dec.settings import EstimatorSettings
from agri_cluster.dec.steps import (
    Autoencoder,
    Kernel,
    Refined,
    Result,
    build,
    embed,
    finish,
    initialise,
    pretrain,
    refine,
)
from agri_cluster.dec.work import FitContext, work_folder
from agri_cluster.init.initial import InitialClusters

Data = ArrayLike | Tiles | Path | str


class DeepEmbeddedClustering(
    ClusterMixin,  # type: ignore[misc]
    TransformerMixin,  # type: ignore[misc]
    BaseEstimator,  # type: ignore[misc]
    EstimatorSettings,
):
    """Cluster tiles or rows by learning an embedding and its cluster centres together.

    DEC (Xie, Girshick, Farhadi 2016) and IDEC (Guo et al. 2017): an encoder is pretrained, centres
    are initialised by k-means or another clustering, and both are trained towards a sharpened form
    of their own soft assignment, whose cluster frequencies are summed over the full set. `fit`
    takes an array `(N, F)` or `(N, H, W, C)`, `Tiles`, or the path of a chip store or of a folder
    of pictures; only a batch of tiles is in memory at a time. Keras's global seed is set, so that
    the same `random_state` gives the same result on a CPU.

    The constructor takes the fields of `EstimatorSettings` (`agri_cluster.dec.settings`), which are
    the flags of `agri-cluster fit` too. `encoder` may be a Keras model from an item to a row; the
    encoders of `agri_cluster.dec.inputs.FROZEN` are used frozen unless `finetune` is set: their
    features become the rows that an "mlp" embeds. `init` may be centres `(K, D)`, labels `(N,)`, or
    a function (rows, K, rng) -> labels; "ward", "spectral" and "umap" cluster rows as they are
    given and tiles by their embedding. With one cluster every item is in it.

    Attributes:
        labels_: `(N,)`, equal to `predict` of the same items, whatever ended the run.
        cluster_centers_: `(K, D)` in the space of `transform`.
        embedding_: `(N, D)`, a read-only memory map.
        n_iter_: steps taken.
        converged_: whether label changes fell below the tolerance.
        stop_reason_: "converged", "max_iter", "budget" or "collapse" (the best state is restored).
        history_: a dict per target update (`agri_cluster.artifact.fitted.COLUMNS`).
        warmup_: a dict per evaluation of the warm-up (`agri_cluster.dec.warmup`); empty where the
            initial labels are those of the nearest centres.
        pretrain_: losses of the autoencoder, one per epoch.
        contrast_: losses of contrastive pretraining, one per epoch.
        n_clusters_used_: clusters with at least one item.
        alpha_: degrees of freedom used.
        scale_: what the embedding was divided by.
        initial_: the initial clusters.
        series_: snapshots of some items over the target updates.
        model_: one Keras model from item to scaled embedding.
        warnings_: what a reader of the result should know.
    """

    def fit(self, X: Data, y: object = None, *, resume: bool = False) -> Self:  # noqa: N803
        """Learn embedding and centres from `X`; with `resume`, continue an interrupted run.

        Raises:
            InputError: a setting is wrong, an item holds NaN, or there are fewer different items
                than clusters.
        """
        tiles = self._read(X, reset=True)
        self.check_count(len(tiles))
        with work_folder(self.folder, resume) as folder:
            (make_deterministic if self.deterministic else set_seed)(int(self.random_state))
            context = FitContext(self, folder)
            inputs = prepare_inputs(context, tiles)
            autoencoder = pretrain(context, inputs)
            initial, kernel = initialise(context, inputs, autoencoder.encoder)
            network = build(context, autoencoder, initial, kernel)
            refined = refine(context, inputs, network, initial)
            result = finish(context, tiles, inputs, network, refined)
        self.cluster_centers_, self.warnings_ = network.centres, context.warnings
        self._keep_course(autoencoder, initial, kernel, refined)
        self._keep_result(result)
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

    def _keep_course(
        self, autoencoder: Autoencoder, initial: InitialClusters, kernel: Kernel, refined: Refined
    ) -> None:
        """Set the attributes that tell how the fit went."""
        self.pretrain_, self.contrast_ = autoencoder.losses, autoencoder.contrast_losses
        self.initial_, self.alpha_, self.scale_ = initial, kernel.alpha, kernel.scale
        self.history_, self.warmup_ = refined.state.history, refined.state.warmup
        self.n_iter_, self.stop_reason_ = refined.state.iteration, refined.stop_reason
        self.converged_, self.series_ = refined.stop_reason == "converged", refined.series

    def _keep_result(self, result: Result) -> None:
        """Set the attributes of the fitted model."""
        self.model_, self.labels_, self.embedding_ = result.model, result.labels, result.embedding
        self.n_clusters_used_ = len(np.unique(result.labels))

    def _embedded(self, data: Any) -> Iterator[Floats]:
        for _, items in batches(self._read(data, reset=False)):
            yield embed(self.model_, items)
