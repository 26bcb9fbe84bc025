"""Metrics: literal tables with the arithmetic shown, scikit-learn as the independent reference."""

from __future__ import annotations

import math

import numpy as np
import pytest
from agri_cluster.data.tiles import ArrayTiles
from agri_cluster.evaluation import metrics
from agri_cluster.evaluation.metrics import contingency
from agri_cluster.evaluation.scores import score
from agri_core.files.errors import InputError
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits

TRUTH = [0, 0, 0, 1, 1, 1, 1, 2]
LABELS = [0, 0, 1, 1, 1, 1, 3, 3]
# cluster 0: 2 of class 0; cluster 1: 1 of class 0 and 3 of class 1; 2 empty; 3: one of 1, one of 2
TABLE = [[2, 0, 0], [1, 3, 0], [0, 0, 0], [0, 1, 1]]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_contingency_counts_tiles_of_each_cluster_and_class() -> None:
    assert contingency(TRUTH, LABELS).tolist() == TABLE


def test_unknown_classes_are_left_out() -> None:
    assert contingency([-1, 0, 1], [5, 0, 1]).tolist() == [[1, 0], [0, 1]]


def test_accuracy_and_purity_by_hand() -> None:
    table = contingency(TRUTH, LABELS)
    assert metrics.accuracy(table) == 6 / 8  # 0 -> 0: 2, 1 -> 1: 3, 3 -> 2: 1
    assert metrics.purity(table) == 6 / 8  # 2 + 3 + 0 + 1
    assert metrics.accuracy(contingency([0, 0, 0, 0], [0, 0, 1, 1])) == 0.5  # one cluster matches
    assert metrics.purity(contingency([0, 0, 0, 0], [0, 0, 1, 1])) == 1.0


def test_accuracy_takes_the_best_match_not_the_greedy_one() -> None:
    # greedy takes 5 and is left with 0; the best is 4 + 4
    assert metrics.accuracy(np.array([[5, 4], [4, 0]])) == 8 / 13


def test_labels_must_be_whole_numbers_from_0_of_equal_count() -> None:
    with pytest.raises(InputError, match="2 classes are given for 3 labels"):
        contingency([0, 1], [0, 1, 1])
    with pytest.raises(InputError, match="numbers from 0, got -1"):
        contingency([0, 1], [-1, 1])
    with pytest.raises(InputError, match="float64"):
        contingency([0, 1], [0.0, 1.0])


def test_agreement_by_hand() -> None:
    # Two classes of 2; clusters of 1 and 3: H(class) = ln 2, H(cluster) = ln 4 - 3/4 ln 3 = .56234,
    # joint of 1, 1, 2 of 4 = 1.5 ln 2, so MI = .21576; NMI = MI / mean(.69315, .56234) = .34371.
    # Pairs together in both: 1; by class 2, by cluster 3, of 6: ARI = (1 - 1) / (2.5 - 1) = 0.
    found = score(np.array([0, 1, 1, 1]), 2, truth=np.array([0, 0, 1, 1]))
    assert found.nmi == pytest.approx(0.343711, abs=1e-5)
    assert found.homogeneity == pytest.approx(0.215762 / math.log(2), abs=1e-5)
    assert found.completeness == pytest.approx(0.215762 / 0.562335, abs=1e-5)
    assert found.ari == pytest.approx(0.0, abs=1e-12)


def test_unknown_classes_do_not_change_the_agreement() -> None:
    truth, labels = np.array([0, 0, 1, 1, -1, -1]), np.array([0, 1, 1, 1, 0, 5])
    whole, known = score(labels, 6, truth=truth), score(labels[:4], 6, truth=truth[:4])
    assert (whole.nmi, whole.ami, whole.ari) == (known.nmi, known.ami, known.ari)
    assert whole.labelled == 4


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=40))
def test_names_of_clusters_do_not_matter(pairs: list[tuple[int, int]]) -> None:
    truth, labels = (np.array(side) for side in zip(*pairs, strict=True))
    renamed = rng().permutation(9)[labels]
    one, other = contingency(truth, labels), contingency(truth, renamed)
    for figure in (metrics.accuracy, metrics.purity):
        assert figure(one) == pytest.approx(figure(other))


def test_heldout_purity_is_nothing_where_every_tile_is_a_cluster() -> None:
    truth, labels = np.arange(40) % 2, np.arange(40)
    assert metrics.purity(contingency(truth, labels)) == 1.0
    assert metrics.heldout_purity(truth, labels, rng()) == 0.0


def test_heldout_purity_of_pure_clusters_is_one() -> None:
    truth = np.repeat([0, 1, 2], 20)
    assert metrics.heldout_purity(truth, 2 - truth, rng()) == 1.0
    assert math.isnan(metrics.heldout_purity([-1, -1], [0, 1], rng()))


def test_silhouette_equals_scikit_learn_and_is_sampled() -> None:
    values = rng().normal(size=(60, 3))
    labels = np.arange(60) % 3
    exact = reference.silhouette_score(np.float32(values), labels)
    assert metrics.silhouette(ArrayTiles(values), labels, rng()) == pytest.approx(exact, abs=1e-6)
    part = metrics.silhouette(ArrayTiles(values), labels, rng(), count=30)
    assert part != pytest.approx(exact, abs=1e-6)
    assert math.isnan(metrics.silhouette(ArrayTiles(values), labels * 0, rng()))


def test_stability_is_the_mean_over_pairs() -> None:
    one, same, other = [0, 0, 1, 1], [1, 1, 0, 0], [0, 1, 0, 1]
    # pairs: 1, -0.5, -0.5
    assert metrics.stability([one, same, other]) == pytest.approx(0.0)
    assert math.isnan(metrics.stability([one]))


def test_what_needs_no_classes() -> None:
    labels = [0] * 6 + [2] * 3 + [7]
    assert metrics.used(labels) == 3
    assert metrics.largest(labels) == 0.6
    assert [metrics.holding(labels, share) for share in (0.6, 0.61, 0.9, 1.0)] == [1, 2, 2, 3]


def test_scores_give_accuracy_only_where_there_are_as_many_clusters_as_classes() -> None:
    truth = np.repeat([0, 1, 2], 10)
    exact = score(truth, 3, truth=truth)
    assert (exact.acc, exact.nmi, exact.ari, exact.purity, exact.heldout) == (1, 1, 1, 1, 1)
    assert exact.permuted is not None and exact.permuted < 0.7
    assert score(truth, 4, truth=truth).acc is None
    assert score(truth, 4, truth=truth).purity == 1.0


def test_scores_without_classes_are_internal_only() -> None:
    labels = np.array([0, 0, 1, 1])
    rows = ArrayTiles(np.array([[0.0], [0.1], [5.0], [5.1]]))
    for truth in (None, np.full(4, -1)):
        found = score(labels, 2, truth=truth, spaces={"pca": rows}).to_json()
        assert found["used"] == 2 and found["silhouette"]["pca"] > 0.9
        assert found["acc"] is found["nmi"] is found["purity"] is found["classes"] is None
    assert score(labels * 0, 2, spaces={"pca": rows}).silhouette == {"pca": None}


def test_many_clusters_of_digits_are_pure_beyond_chance() -> None:
    values, truth = load_digits(return_X_y=True)
    labels = KMeans(100, n_init=1, random_state=0).fit_predict(values)
    found = score(labels.astype(np.int64), 100, truth=truth)
    assert found.heldout is not None and found.heldout >= 0.94
    assert found.heldout_permuted is not None and found.heldout_permuted < 0.2
    assert found.permuted is not None and 0.2 < found.permuted < 0.3  # purity that is only size
