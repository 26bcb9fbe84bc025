"""The loop of DeepCluster: cluster the features, train on the clusters as classes, repeat."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from agri_core.files.console import Bar, progress_bar
from agri_core.files.errors import InputError

from agri_cluster.backend.framework import keras
from agri_cluster.backend.precision import computing
from agri_cluster.backend.prefetch import prefetch
from agri_cluster.backend.resume import resume_run, save_run
from agri_cluster.data.rows import RowFile, RowWriter
from agri_cluster.data.tiles import Floats, Ints, Tiles, batches
from agri_cluster.deepcluster.config import DeepClusterConfig, EpochResult
from agri_cluster.deepcluster.kmeans import best_kmeans
from agri_cluster.deepcluster.pseudo import Classifier, even_draw
from agri_cluster.encoders.features import extract
from agri_cluster.encoders.registry import build_encoder
from agri_cluster.encoders.whitening import Whitening, fit_whitening

COMPONENTS = 256
"""Principal components that k-means sees in the paper."""


OnEpoch = Callable[[EpochResult], None]


class Reclustering:
    """A run of DeepCluster over one set of tiles.

    Attributes:
        history: a `EpochResult` for each clustering so far.
    """

    def __init__(
        self,
        encoder: keras.Model,
        tiles: Tiles,
        clusters: int,
        config: DeepClusterConfig,
        seed: int,
    ) -> None:
        """Prepare; `encoder` is copied, not changed.

        Raises:
            InputError: fewer tiles than clusters, fewer than 2 clusters, or views of no tiles.
        """
        _check(encoder, tiles, clusters, config)
        self._tiles, self._clusters, self._config = tiles, clusters, config
        self._seed, self._rng = seed, np.random.default_rng(seed)
        self._encoder = keras.models.clone_model(encoder)
        self._encoder.set_weights(encoder.get_weights())
        self._classifier = Classifier(
            self._encoder,
            clusters,
            learning_rate=config.learning_rate,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
        )
        self._labels: Ints | None = None
        self.history: list[EpochResult] = []

    def learn(self, state: Path | None = None, on_epoch: OnEpoch | None = None) -> None:
        """Run the epochs that are not done yet, resuming from the checkpoint `state` if it exists.

        Raises:
            InputError: `state` is of another run, or the loss is no longer finite.
        """
        self._resume(state)
        size = min(self._config.batch_size, len(self._tiles))
        steps = len(self._tiles) // size
        with (
            closing(progress_bar("deepcluster", self._config.epochs * steps, "step")) as bar,
            computing(self._encoder, self._config.precision),
        ):
            bar.update(len(self.history) * steps)
            while len(self.history) < self._config.epochs:
                result = self._cluster(n_init=1)[2]
                self.history.append(replace(result, loss=self._epoch(size, bar)))
                self._save(state)
                if on_epoch is not None:
                    on_epoch(self.history[-1])

    def finish(self, on_epoch: OnEpoch | None = None) -> tuple[keras.Model, Floats]:
        """Cluster once more; return the model from item to embedding and the centres `(K, D)`."""
        whitening, centres, result = self._cluster(self._config.n_init)
        self.history.append(result)
        if on_epoch is not None:
            on_epoch(result)
        return whitening.on(self._encoder), centres

    def _cluster(self, n_init: int) -> tuple[Whitening, Floats, EpochResult]:
        with tempfile.TemporaryDirectory() as folder:
            features = extract(self._encoder, self._tiles, Path(folder) / "features.npy")
            width = features.shape[0]
            # 256 of the paper's 4096 features; a quarter of narrower ones, as whitening gives the
            # last components, mostly noise, the weight of the first.
            components = self._config.n_components or min(COMPONENTS, max(width // 4, 2))
            whitening = fit_whitening(features, [width], components, whiten=True)
            rows = _whitened(features, whitening, Path(folder) / "rows.npy")
            found = best_kmeans(rows, self._clusters, self._rng, n_init=n_init)
        share = np.bincount(found.labels, minlength=self._clusters) / len(found.labels)
        result = EpochResult(
            epoch=len(self.history),
            loss=None,
            nmi=None if self._labels is None else _nmi(self._labels, found.labels),
            used=int((share > 0).sum()),
            largest=float(share.max()),
            splits=found.splits,
        )
        self._labels = found.labels
        return whitening, found.centres, result

    def _epoch(self, size: int, bar: Bar) -> float:
        # The numbers of the clusters are new after each clustering: a kept head would start from
        # labels that mean something else.
        self._classifier.reset(self._rng)
        total, steps = 0.0, 0
        for items, labels in prefetch(self._draws(size)):
            total += self._classifier.step(items, labels)
            steps += 1
            bar.update()
        # Checked once an epoch: reading every step's loss would make the CPU wait for the device.
        if not np.isfinite(total):
            raise InputError(
                f"the loss became {total} in epoch {len(self.history)}; lower the learning rate "
                f"({self._config.learning_rate:g}), or standardise the input"
            )
        return total / steps

    def _draws(self, size: int) -> Iterator[tuple[Floats, Ints]]:
        """Yield full batches of views and labels, as many tiles as there are."""
        labels = self._current()
        order = even_draw(labels, len(self._tiles), self._rng)
        for first in range(0, len(order) - size + 1, size):
            chosen = order[first : first + size]
            items = self._tiles.take(chosen)
            if self._config.views is not None:
                items = self._config.views(items, self._rng)
            yield items, labels[chosen]

    def _current(self) -> Ints:
        assert self._labels is not None, "learning follows clustering"
        return self._labels

    def _save(self, state: Path | None) -> None:
        facts = {"history": [asdict(result) for result in self.history]}
        model, arrays = self._classifier.model, {"labels": self._current()}
        save_run(state, model, self._rng, self._settings(), facts, arrays)

    def _resume(self, state: Path | None) -> None:
        found = resume_run(state, self._classifier.model, self._rng, self._settings())
        if found is not None:
            self._labels = found[0]["labels"]
            self.history = [EpochResult(**result) for result in found[1]["history"]]

    def _settings(self) -> str:
        what = f"{self._clusters} clusters of {len(self._tiles)} tiles, seed {self._seed}"
        return f"{what}, {self._config}"


def _whitened(features: RowFile, whitening: Whitening, path: Path) -> RowFile:
    with RowWriter(path, len(features), whitening.matrix.shape[1]) as writer:
        for _, rows in batches(features):
            writer.add(whitening.apply(rows))
    return RowFile(path, features.ids)


def _nmi(before: Ints, now: Ints) -> float:
    from sklearn.metrics import normalized_mutual_info_score

    return float(normalized_mutual_info_score(before, now))


def _check(encoder: keras.Model, tiles: Tiles, clusters: int, config: DeepClusterConfig) -> None:
    if not 2 <= clusters <= len(tiles):
        raise InputError(
            f"from 2 clusters to as many as there are tiles ({len(tiles)}) are expected, got "
            f"{clusters}"
        )
    if config.views is not None and len(tiles.shape) != 3:
        raise InputError(
            f"views are made of tiles (H, W, C), these items are of shape {tiles.shape}; set "
            "views to None"
        )
    build_encoder(encoder, tiles.shape)
