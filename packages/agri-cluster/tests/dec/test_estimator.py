import numpy as np
import pytest
from agri_cluster.backend.framework import keras
from agri_cluster.dec.estimator import DeepEmbeddedClustering
from agri_core.files.errors import InputError
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score


def small(clusters=3, **settings):
    quick = {"hidden": (16,), "embedding_dim": 4, "epochs": 5, "max_iter": 60, "n_init": 3}
    return DeepEmbeddedClustering(clusters, **(quick | settings))


@pytest.fixture(scope="module")
def blobs():
    x, y = make_blobs(256, 6, centers=3, cluster_std=0.7, random_state=0)
    return np.float32(x), y


@pytest.fixture(scope="module")
def fitted(blobs):
    return small().fit(blobs[0])


def test_it_finds_the_groups_and_says_why_it_stopped(fitted, blobs):
    assert adjusted_rand_score(blobs[1], fitted.labels_) == 1
    assert fitted.stop_reason_ == "converged"
    assert fitted.n_clusters_used_ == 3
    # Clear groups are surer of themselves than 3^(-1/2) with the least alpha.
    assert fitted.alpha_ == 1.0
    assert fitted.history_[-1]["iteration"] == fitted.n_iter_


def test_labels_are_what_predict_says(fitted, blobs):
    np.testing.assert_array_equal(fitted.predict(blobs[0]), fitted.labels_)
    q = fitted.predict_proba(blobs[0])
    np.testing.assert_allclose(q.sum(axis=1), 1)
    np.testing.assert_array_equal(q.argmax(axis=1), fitted.labels_)
    np.testing.assert_allclose(fitted.transform(blobs[0]), fitted.embedding_, atol=1e-5)
    assert fitted.score(blobs[0]) < 0


def test_the_same_seed_gives_the_same_bits_and_another_does_not(fitted, blobs):
    again = small().fit(blobs[0])
    np.testing.assert_array_equal(again.labels_, fitted.labels_)
    np.testing.assert_array_equal(again.cluster_centers_, fitted.cluster_centers_)
    other = small(random_state=1).fit(blobs[0])
    assert not np.array_equal(other.cluster_centers_, fitted.cluster_centers_)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [({"max_iter": 7, "tol": 0.0}, "max_iter"), ({"budget": 1e-9, "tol": 0.0}, "budget")],
)
def test_labels_are_what_predict_says_after_every_stop(blobs, settings, reason):
    made = small(objective="idec", **settings).fit(blobs[0])
    assert made.stop_reason_ == reason
    np.testing.assert_array_equal(made.predict(blobs[0]), made.labels_)


def test_alpha_of_the_papers_and_its_warning(blobs):
    rng = np.random.default_rng(0)
    noise = np.float32(rng.normal(size=(300, 60)))
    made = small(
        30, alpha=1, embedding_dim=60, hidden=(), max_iter=5, epochs=0, pretrain="none", n_init=1
    ).fit(noise)
    assert made.alpha_ == 1.0
    assert made.scale_ == 1.0
    assert any("alpha=1 leaves" in text for text in made.warnings_)


def test_auto_starts_half_way_from_knowing_nothing_to_certainty():
    noise = np.float32(np.random.default_rng(0).normal(size=(300, 40)))
    made = small(9, embedding_dim=40, max_iter=5, epochs=0, pretrain="none").fit(noise)
    assert 1 < made.alpha_ < 39
    # 9^(-1/2)
    assert made.history_[0]["confidence"] == pytest.approx(1 / 3, abs=1e-3)
    assert made.warnings_ == [text for text in made.warnings_ if "two best k-means" in text]


def test_a_ward_start_is_learnt_before_it_is_refined(blobs):
    made = small(init="ward").fit(blobs[0])
    assert made.initial_.needs_warmup
    assert adjusted_rand_score(made.initial_.labels, made.labels_) == 1
    assert made.warmup_[-1]["agreement"] >= 0.995


def test_a_start_from_its_own_centres_needs_no_warm_up(fitted):
    assert fitted.warmup_ == []


def test_labels_that_cannot_be_learnt_are_told():
    # Every row is there twice, once with each label, so that half of them is all that can be.
    rows = np.float32(np.random.default_rng(0).normal(size=(40, 5)))
    made = small(2, init=np.repeat([0, 1], 40), max_iter=0).fit(np.concatenate([rows, rows]))
    assert made.warmup_[-1]["agreement"] == 0.5
    assert any("gives 50.0% of the initial labels" in text for text in made.warnings_)


def test_tiles_with_a_convolutional_autoencoder(tmp_path):
    rng = np.random.default_rng(0)
    dark, light = rng.normal(-1, 0.2, (24, 16, 16, 2)), rng.normal(1, 0.2, (24, 16, 16, 2))
    x = np.float32(np.concatenate([dark, light]))
    made = small(
        2, encoder="convae", filters=(8, 8), epochs=2, batch_size=16, max_iter=20,
        augment=True, folder=tmp_path / "work",
    ).fit(x)  # fmt: skip
    assert adjusted_rand_score(np.repeat([0, 1], 24), made.labels_) == 1
    assert isinstance(made.embedding_, np.memmap)
    np.testing.assert_array_equal(made.predict(x), made.labels_)


def test_any_keras_model_is_an_encoder(blobs):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(16, activation="relu")])
    made = small(encoder=model, epochs=30).fit(blobs[0])
    assert adjusted_rand_score(blobs[1], made.labels_) > 0.9


def test_frozen_features_of_a_contrastive_encoder():
    from agri_cluster.pretrain.contrast import ContrastConfig

    rng = np.random.default_rng(0)
    dark, light = rng.normal(-1, 0.2, (16, 16, 16, 3)), rng.normal(1, 0.2, (16, 16, 16, 3))
    x = np.float32(np.concatenate([dark, light]))
    made = small(
        2, encoder="small", pretrain="contrastive",
        contrast=ContrastConfig(epochs=1, batch_size=16), n_components=4, max_iter=20, views=4,
    ).fit(x)  # fmt: skip
    assert len(made.contrast_) == 1
    assert made.model_.input_shape == (None, 16, 16, 3)
    np.testing.assert_array_equal(made.predict(x), made.labels_)


@pytest.mark.parametrize(
    ("settings", "rows", "message"),
    [
        ({"clusters": 0}, 20, "`n_clusters` is 1 or more, got 0"),
        ({"clusters": 30}, 20, "20 items cannot make 30"),
        ({"alpha": -1}, 20, "alpha"),
        ({"pretrain": "magic"}, 20, "`pretrain` is one of"),
        ({"objective": "both"}, 20, "`objective` is one of"),
        ({"init": "dbscan"}, 20, "`init` is one of"),
        ({"encoder": "resnet50"}, 20, "random weights"),
        ({"encoder": "alexnet"}, 20, "`encoder` is one of"),
    ],
)
def test_what_cannot_be_asked(settings, rows, message):
    x = np.random.default_rng(0).normal(size=(rows, 4)).astype(np.float32)
    with pytest.raises(InputError, match=message):
        small(**settings).fit(x)


def test_one_cluster_holds_all(blobs):
    made = small(1).fit(blobs[0])
    assert made.stop_reason_ == "converged"
    assert made.labels_.tolist() == [0] * 256


def test_equal_items_are_no_groups():
    with pytest.raises(InputError, match="1 different clusters"):
        small(2).fit(np.ones((40, 5), np.float32))


def test_nan_is_refused_by_its_row():
    tiles = np.zeros((30, 16, 16, 2), np.float32)
    tiles[7, 3, 3, 1] = np.nan
    with pytest.raises(ValueError, match=r"NaN|item 7"):
        small(2, encoder="convae").fit(tiles)


@pytest.mark.parametrize("init", ["kmeans", "ward"])
def test_a_killed_fit_goes_on_to_the_same_end(blobs, tmp_path, monkeypatch, init):
    whole = small(tol=0.0, max_iter=40, init=init).fit(blobs[0])
    from agri_cluster.dec import refine

    class Killed(Exception):
        pass

    plain = refine.Refiner._train

    def killing(self, steps):
        plain(self, steps)
        self._save()
        if self.state.iteration >= 20:
            raise Killed

    monkeypatch.setattr(refine.Refiner, "_train", killing)
    again = small(tol=0.0, max_iter=40, init=init, folder=tmp_path)
    with pytest.raises(Killed):
        again.fit(blobs[0])
    monkeypatch.setattr(refine.Refiner, "_train", plain)
    again.fit(blobs[0], resume=True)
    assert again.history_ == whole.history_
    assert again.warmup_ == whole.warmup_
    assert (again.alpha_, again.scale_) == (whole.alpha_, whole.scale_)
    np.testing.assert_array_equal(again.labels_, whole.labels_)
    np.testing.assert_array_equal(again.cluster_centers_, whole.cluster_centers_)


def test_scikit_learn_takes_it_for_one_of_its_own():
    from sklearn.utils.estimator_checks import check_estimator

    model = DeepEmbeddedClustering(
        2, hidden=(), embedding_dim=2, epochs=1, max_iter=2, n_init=1, batch_size=64
    )
    results = check_estimator(model, on_fail=None, on_skip=None)
    failed = {row["check_name"]: row["exception"] for row in results if row["status"] == "failed"}
    assert failed == {}
