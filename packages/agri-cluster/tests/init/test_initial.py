import numpy as np
import pytest
from agri_cluster.data.tiles import ArrayTiles
from agri_cluster.init.initial import initial_clusters, median_distance
from agri_cluster.init.lloyd import nearest
from agri_core.files.errors import InputError
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs, make_moons
from sklearn.metrics import adjusted_rand_score


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(300, 5, centers=4, cluster_std=0.6, random_state=3)


@pytest.mark.parametrize("method", ["kmeans", "ward", "spectral"])
def test_blobs_are_found(blobs, method):
    x, y = blobs
    made = initial_clusters(ArrayTiles(x), 4, method, 3, np.random.default_rng(0))
    assert adjusted_rand_score(y, made.labels) == 1
    assert made.needs_warmup == (method != "kmeans")


def test_spectral_follows_a_shape_that_kmeans_cuts():
    x, y = make_moons(400, noise=0.04, random_state=0)
    rng = np.random.default_rng(0)
    assert (
        adjusted_rand_score(y, initial_clusters(ArrayTiles(x), 2, "spectral", 1, rng).labels) > 0.95
    )
    assert adjusted_rand_score(y, initial_clusters(ArrayTiles(x), 2, "kmeans", 5, rng).labels) < 0.5


def test_kmeans_keeps_the_best_of_its_starts_and_their_inertias(blobs):
    x, _ = blobs
    made = initial_clusters(ArrayTiles(x), 6, "kmeans", 8, np.random.default_rng(0))
    assert list(made.inertias) == sorted(made.inertias)
    assert len(made.inertias) == 8
    reference = KMeans(6, n_init=20, random_state=0).fit(x)
    assert made.inertias[0] <= reference.inertia_ * 1.02


def test_large_sets_are_polished_over_all_rows(blobs, monkeypatch):
    x, y = blobs
    monkeypatch.setattr("agri_cluster.init.initial.LIMIT", 50 * 5)
    tiles = ArrayTiles(x)
    made = initial_clusters(tiles, 4, "kmeans", 3, np.random.default_rng(0))
    means = np.array([x[made.labels == k].mean(axis=0) for k in range(4)])
    np.testing.assert_allclose(made.centres, means, rtol=1e-5)
    assert (
        adjusted_rand_score(
            y, initial_clusters(tiles, 4, "ward", 1, np.random.default_rng(0)).labels
        )
        > 0.9
    )


def test_given_centres_and_labels(blobs):
    x, y = blobs
    centres = np.array([x[y == k].mean(axis=0) for k in range(4)])
    rng = np.random.default_rng(0)
    assert (initial_clusters(ArrayTiles(x), 4, centres, 1, rng).labels == y).all()
    made = initial_clusters(ArrayTiles(x), 4, y, 1, rng)
    np.testing.assert_allclose(made.centres, centres, rtol=1e-5)
    by_hand = initial_clusters(ArrayTiles(x), 4, lambda rows, k, rng: y, 1, rng)
    assert (by_hand.labels == y).all()


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("dbscan", "one of kmeans, ward"),
        (np.zeros((3, 5)), "centres of shape"),
        (np.full((4, 5), np.nan), "finite"),
        (np.full(300, 9), "from 0 to 3"),
    ],
)
def test_what_is_no_start(blobs, method, message):
    with pytest.raises(InputError, match=message):
        initial_clusters(ArrayTiles(blobs[0]), 4, method, 1, np.random.default_rng(0))


def test_repeated_rows_cannot_make_more_groups_than_there_are():
    x = np.repeat(np.float32([[0, 0], [5, 5], [9, 0]]), 20, axis=0)
    with pytest.raises(InputError, match="3 different clusters"):
        initial_clusters(ArrayTiles(x), 5, "kmeans", 2, np.random.default_rng(0))


def test_spacing_is_the_median_nearest_distance():
    x = np.array([[0.0], [1.0], [2.0], [10.0]])
    # Nearest centres 0 and 10: distances 0, 1, 2, 0, of which the median is 0.5.
    assert median_distance(x, np.array([[0.0], [10.0]])) == 0.5
    assert nearest(ArrayTiles(x), np.array([[0.0], [10.0]])).tolist() == [0, 0, 0, 1]
