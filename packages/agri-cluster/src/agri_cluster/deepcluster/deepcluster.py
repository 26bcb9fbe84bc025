"""DeepCluster (Caron et al. 2018): the clusters of one epoch are the classes of the next.

Each epoch: features of all tiles, PCA and unit length, k-means, then the encoder is trained to
classify the clusters, from as many tiles of each and with a new last layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils.validation import check_is_fitted

from agri_cluster.data.distances import squared_distances
from agri_cluster.data.sources import as_tiles
from agri_cluster.data.tiles import Floats, Ints, Tiles, batches
from agri_cluster.deepcluster.config import DeepClusterConfig, EpochResult
from agri_cluster.deepcluster.recluster import OnEpoch, Reclustering
from agri_cluster.encoders.features import encode

__all__ = ["DeepCluster", "DeepClusterConfig", "EpochResult"]

Data = Tiles | ArrayLike | Path | str


class DeepCluster(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Cluster tiles by DeepCluster.

    Attributes after `fit`:
        labels_: cluster of each tile, `(N,)`; what `predict` gives for the same tiles.
        cluster_centers_: `(K, D)`, in the embedding.
        model_: Keras model, item to embedding `(D,)`: encoder, PCA, unit length.
        history_: an `EpochResult` for each clustering, one more than epochs.
    """

    def __init__(
        self,
        n_clusters: int,
        encoder: Any,
        config: DeepClusterConfig | None = None,
        random_state: int = 0,
    ) -> None:
        """Set the settings.

        Args:
            n_clusters: K.
            encoder: Keras model, item to features; `fit` trains a copy.
            config: settings of the training.
            random_state: seed of every random number.
        """
        self.n_clusters, self.encoder = n_clusters, encoder
        self.config, self.random_state = config, random_state

    def fit(
        self,
        X: Data,  # noqa: N803
        y: object = None,
        *,
        state: Path | None = None,
        on_epoch: OnEpoch | None = None,
    ) -> DeepCluster:
        """Cluster the items, train on the clusters, repeat.

        Args:
            X: array, set of tiles, chip store or folder of pictures.
            y: not used.
            state: checkpoint, written after each epoch; an existing one is resumed.
            on_epoch: called after each epoch, and after the last clustering.

        Raises:
            InputError: fewer items than clusters, fewer than 2 clusters, views of what is no tile,
                or a loss that is no longer finite.
        """
        tiles, config = as_tiles(X), self.config or DeepClusterConfig()
        run = Reclustering(self.encoder, tiles, self.n_clusters, config, self.random_state)
        run.learn(state, on_epoch)
        self.model_, self.cluster_centers_ = run.finish(on_epoch)
        self.history_, self.n_iter_ = run.history, config.epochs
        self.labels_ = self.predict(tiles)
        return self

    def predict(self, X: Data) -> Ints:  # noqa: N803
        """Return the cluster of each item, `(N,)`."""
        check_is_fitted(self)
        found = [squared_distances(z, self.cluster_centers_).argmin(1) for z in self._embedded(X)]
        return np.concatenate(found).astype(np.int64)

    def transform(self, X: Data) -> Floats:  # noqa: N803
        """Return the embedding of each item, `(N, D)`, of length 1."""
        check_is_fitted(self)
        return np.concatenate(list(self._embedded(X)))

    def _embedded(self, data: Data) -> Iterator[Floats]:
        for _, items in batches(as_tiles(data)):
            yield encode(self.model_, items)
