from pathlib import Path

import numpy as np
import pytest
from agri_cluster.backend.framework import keras, make_deterministic
from agri_cluster.data.tiles import ArrayTiles
from agri_cluster.deepcluster.deepcluster import DeepCluster, DeepClusterConfig, EpochResult
from agri_cluster.deepcluster.kmeans import best_kmeans, kmeans
from agri_cluster.deepcluster.pseudo import Classifier, even_draw
from agri_cluster.encoders.views import Views
from agri_cluster.init.lloyd import split
from agri_core.files.errors import InputError
from agri_data.augment.augment import Augment
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score

ROWS = DeepClusterConfig(
    epochs=2, batch_size=16, learning_rate=0.02, n_components=3, n_init=3, views=None
)


def blobs(count: int = 60, width: int = 6, kinds: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    truth = np.arange(count) % kinds
    centres = rng.normal(0, 4, (kinds, width))
    return (centres[truth] + rng.normal(0, 0.3, (count, width))).astype(np.float32), truth


def perceptron(width: int = 6) -> keras.Model:
    first = keras.initializers.GlorotUniform(1)
    dense = keras.layers.Dense(12, "relu", kernel_initializer=first)
    return keras.Sequential([keras.Input((width,)), dense])


def fitted(config: DeepClusterConfig = ROWS, seed: int = 0) -> DeepCluster:
    make_deterministic(0)
    return DeepCluster(3, perceptron(), config, seed).fit(blobs()[0])


@pytest.fixture(scope="module")
def model() -> DeepCluster:
    return fitted()


def test_blobs_are_found_and_stay_found(model: DeepCluster) -> None:
    assert normalized_mutual_info_score(blobs()[1], model.labels_) == pytest.approx(1)
    assert [result.epoch for result in model.history_] == [0, 1, 2]
    assert [result.loss is None for result in model.history_] == [False, False, True]
    assert model.history_[0].nmi is None
    assert model.history_[-1].nmi == pytest.approx(1)
    assert model.history_[-1].used == 3
    assert model.history_[-1].largest == pytest.approx(1 / 3)


def test_labels_are_those_of_predict(model: DeepCluster) -> None:
    rows = blobs()[0]
    assert (model.predict(rows) == model.labels_).all()
    assert (model.predict(rows[10:13]) == model.labels_[10:13]).all()


def test_embedding_has_unit_length_and_centres_of_its_width(model: DeepCluster) -> None:
    z = model.transform(blobs()[0])
    assert np.linalg.norm(z, axis=1) == pytest.approx(np.ones(60), abs=1e-5)
    assert z.shape[1] == model.cluster_centers_.shape[1] <= 3
    own = np.stack([z[model.labels_ == k].mean(axis=0) for k in range(3)])
    assert np.allclose(own, model.cluster_centers_, atol=1e-4)


def test_saved_model_gives_the_same_embedding(model: DeepCluster, tmp_path: Path) -> None:
    model.model_.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    rows = blobs()[0]
    assert np.allclose(loaded.predict_on_batch(rows), model.transform(rows), atol=1e-6)


def test_fit_trains_a_copy() -> None:
    make_deterministic(0)
    encoder = perceptron()
    before = encoder.get_weights()[0].copy()
    model = DeepCluster(3, encoder, ROWS).fit(blobs()[0])
    assert (encoder.get_weights()[0] == before).all()
    trained = [w for w in model.model_.get_weights() if w.shape == before.shape]
    assert not any((w == before).all() for w in trained)


def test_killed_run_goes_on_to_the_same_result(model: DeepCluster, tmp_path: Path) -> None:
    class Kill(Exception):
        pass

    def kill(result: EpochResult) -> None:
        raise Kill

    make_deterministic(0)
    rows, state = blobs()[0], tmp_path / "state.npz"
    with pytest.raises(Kill):
        DeepCluster(3, perceptron(), ROWS).fit(rows, state=state, on_epoch=kill)
    again = DeepCluster(3, perceptron(), ROWS).fit(rows, state=state)
    assert again.history_ == model.history_
    assert (again.cluster_centers_ == model.cluster_centers_).all()
    assert (again.labels_ == model.labels_).all()
    assert fitted(seed=1).history_ != model.history_
    with pytest.raises(InputError, match="other settings"):
        DeepCluster(4, perceptron(), ROWS).fit(rows, state=state)
    with pytest.raises(InputError, match="seed 0"):
        DeepCluster(3, perceptron(), ROWS, random_state=1).fit(rows, state=state)


def test_tiles_are_learnt_from_views() -> None:
    make_deterministic(0)
    rng = np.random.default_rng(0)
    tiles = rng.normal(0, 0.1, (24, 4, 4, 2)).astype(np.float32)
    tiles[:12, :, ::2] += 1
    layers = keras.layers
    encoder = keras.Sequential(
        [
            keras.Input((4, 4, 2)),
            layers.Conv2D(8, 3, kernel_initializer=keras.initializers.HeNormal(0)),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
        ]
    )
    seen = []

    class Spy(Views):
        def __call__(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            seen.append(len(batch))
            return super().__call__(batch, rng)

    config = DeepClusterConfig(
        epochs=1, batch_size=8, learning_rate=0.01, n_init=2, views=Spy(Augment())
    )
    model = DeepCluster(2, encoder, config).fit(tiles)
    assert seen == [8, 8, 8]
    assert normalized_mutual_info_score(np.arange(24) < 12, model.labels_) == pytest.approx(1)


def test_no_epochs_is_kmeans_on_the_encoder_as_given() -> None:
    model = fitted(DeepClusterConfig(epochs=0, n_components=3, n_init=3, views=None))
    reference = KMeans(3, n_init=10, random_state=0).fit(model.transform(blobs()[0]))
    assert normalized_mutual_info_score(reference.labels_, model.labels_) == pytest.approx(1)
    assert len(model.history_) == 1


@pytest.mark.parametrize("clusters", [0, 1, 61])
def test_cluster_counts_that_make_no_sense(clusters: int) -> None:
    with pytest.raises(InputError, match=rf"tiles \(60\) are expected, got {clusters}"):
        DeepCluster(clusters, perceptron(), ROWS).fit(blobs()[0])


def test_views_of_features_are_refused() -> None:
    with pytest.raises(InputError, match="set views to None"):
        DeepCluster(3, perceptron()).fit(blobs()[0])


def test_encoder_for_other_items_is_refused() -> None:
    with pytest.raises(InputError, match=r"items of shape \(5,\), these are \(6,\)"):
        DeepCluster(3, perceptron(5), ROWS).fit(blobs()[0])


def test_labels_are_those_of_predict_in_mixed_precision() -> None:
    model = fitted(DeepClusterConfig(1, 16, views=None, precision="mixed_bfloat16"))
    assert (model.predict(blobs()[0]) == model.labels_).all()
    assert {layer.compute_dtype for layer in model.model_.layers} == {"float32"}


def test_constant_items_are_refused() -> None:
    with pytest.raises(InputError, match="nothing to cluster"):
        DeepCluster(3, perceptron(), ROWS).fit(np.ones((20, 6)))


def test_few_distinct_items_do_not_fill_all_clusters_but_say_so() -> None:
    rows = np.repeat(np.eye(6, dtype=np.float32)[:2] * 3, 10, axis=0)
    model = DeepCluster(5, perceptron(), ROWS).fit(rows)
    assert model.history_[-1].used == 2
    assert np.isfinite(model.cluster_centers_).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": -1},
        {"batch_size": 0},
        {"learning_rate": 0},
        {"n_components": 0},
        {"n_init": 0},
        {"momentum": 1},
    ],
)
def test_settings_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError):
        DeepClusterConfig(**wrong)  # type: ignore[arg-type]


def test_means_are_those_of_scikit_learn() -> None:
    rows = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    found = best_kmeans(ArrayTiles(rows), 4, np.random.default_rng(0), n_init=10, max_iter=100)
    reference = KMeans(4, n_init=20, random_state=0).fit(rows)
    assert found.inertia * 200 == pytest.approx(reference.inertia_, rel=0.01)
    assert found.splits == 0
    count = np.bincount(found.labels, minlength=4)
    own = np.stack([rows[found.labels == k].mean(axis=0) for k in range(4)])
    assert count.min() > 0
    assert np.allclose(own, found.centres, atol=0.05)


def test_split_halves_the_only_cluster_that_can_be() -> None:
    centres = np.float32([[0, 0], [8, 8], [1, 1]])
    made = split(centres, np.array([0, 10, 1]), np.random.default_rng(0))
    up, down = 8 * (1 + 1 / 1024), 8 * (1 - 1 / 1024)
    assert made.tolist() == [[up, down], [down, up], [1, 1]]
    assert centres[1].tolist() == [8, 8]


def test_split_does_nothing_where_no_cluster_has_two() -> None:
    centres = np.float32([[0], [8]])
    assert (split(centres, np.array([0, 1]), np.random.default_rng(0)) == centres).all()


def test_empty_clusters_are_filled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    far = np.float32([[0, 0], [90, 90], [91, 91]])
    monkeypatch.setattr("agri_cluster.deepcluster.kmeans._initial", lambda *_: far)
    found = kmeans(ArrayTiles(rows), 3, np.random.default_rng(0))
    assert found.splits >= 2
    assert np.bincount(found.labels, minlength=3).min() > 0


def test_even_draw_takes_as_many_of_each() -> None:
    labels = np.array([0] * 90 + [2] * 9 + [5])
    drawn = even_draw(labels, 99, np.random.default_rng(0))
    assert np.bincount(labels[drawn]).tolist() == [33, 0, 33, 0, 0, 33]
    assert len(np.unique(drawn[labels[drawn] == 0])) == 33


def test_reset_draws_a_new_head_without_momentum() -> None:
    make_deterministic(0)
    encoder = perceptron()
    classifier = Classifier(encoder, 3, learning_rate=0.1, momentum=0.9, weight_decay=0.0)
    rows, truth = blobs()
    classifier.reset(np.random.default_rng(0))
    first = classifier.model.get_weights()[-2].copy()
    losses = [classifier.step(rows, truth) for _ in range(20)]
    assert losses[0] == pytest.approx(np.log(3), abs=0.3)
    assert losses[-1] < 0.2
    trained = encoder.get_weights()[0].copy()
    classifier.reset(np.random.default_rng(0))
    assert (classifier.model.get_weights()[-2] == first).all()
    assert (encoder.get_weights()[0] == trained).all()
    momenta = [v for v in classifier.model.optimizer.variables if "momentum" in v.path]
    heads = [float(np.abs(np.asarray(keras.ops.convert_to_numpy(v))).max()) for v in momenta]
    assert sum(value == 0 for value in heads) == 2
    assert sum(value > 0 for value in heads) == 2
