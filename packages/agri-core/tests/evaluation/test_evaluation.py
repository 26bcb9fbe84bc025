"""The record of an evaluation, against hand arithmetic and scikit-learn."""

import numpy as np
import pytest
from agri_core import confusion
from agri_core.evaluation.evaluation import Evaluation, plain, rounded
from agri_core.legend import Legend
from sklearn import metrics as reference

TWO = Legend.of({"other": "#c8c8c8", "arable": "#e8c547"})
THREE = Legend.of({"a": "#000000", "b": "#111111", "c": "#222222"})


def evaluation(places, legend=TWO):
    return Evaluation(legend, "val", np.array(places, np.int64), "block of 640 m")


def test_scores_by_hand():
    # rows = truth; together [[3, 1], [1, 2]]
    found = evaluation([[[1, 1], [0, 1]], [[2, 0], [1, 1]]])
    assert found.matrix.tolist() == [[3, 1], [1, 2]]
    scores = found.scores
    assert scores["iou"] == {"other": 0.6, "arable": 0.5}  # 3 / 5 and 2 / 4
    assert scores["f1"] == {"other": 0.75, "arable": 0.666667}  # 6 / 8 and 4 / 6
    assert scores["precision"] == scores["recall"] == scores["f1"]
    assert (scores["miou"], scores["accuracy"]) == (0.55, 0.714286)  # 5 / 7
    assert (scores["majority_accuracy"], scores["majority_class"]) == (0.571429, "other")
    assert (scores["pixels"], scores["places"]) == (7, 2)
    # Resamples of two places have mean IoU (1/2 + 1/2) / 2, 0.55, (2/3 + 1/2) / 2.
    assert scores["miou_low"] == pytest.approx(0.5)
    assert scores["miou_high"] == pytest.approx(0.583333, abs=1e-6)


def test_scores_agree_with_scikit_learn():
    rng = np.random.default_rng(1)
    truth, found = rng.integers(0, 3, 500), rng.integers(0, 3, 500)
    scores = evaluation(reference.confusion_matrix(truth, found)[None], THREE).scores
    assert list(scores["iou"].values()) == pytest.approx(
        reference.jaccard_score(truth, found, average=None), abs=1e-6
    )
    assert scores["mf1"] == pytest.approx(
        reference.f1_score(truth, found, average="macro"), abs=1e-6
    )
    assert scores["kappa"] == pytest.approx(reference.cohen_kappa_score(truth, found), abs=1e-6)


def test_an_absent_class_has_no_score_and_does_not_enter_the_mean():
    scores = evaluation([[[3, 1, 0], [0, 4, 0], [0, 0, 0]]], THREE).scores
    assert scores["iou"]["c"] is None
    assert scores["miou"] == pytest.approx((3 / 4 + 4 / 5) / 2)
    assert scores["miou_low"] is None  # one place cannot be resampled


def test_the_interval_of_the_accuracy_resamples_places():
    wrong = np.zeros((40, 2, 2), np.int64)
    wrong[:10, 0, 1], wrong[10:, 0, 0] = 1, 1
    alone = evaluation(wrong).accuracy_interval
    assert alone[0] < 0.75 < alone[1]
    # Four places of ten, one of them all wrong: 3 of 4 draws by Wilson.
    found = evaluation(wrong.reshape(4, 10, 2, 2).sum(axis=1)).accuracy_interval
    assert found == pytest.approx((0.3006, 0.9544), abs=5e-5)
    assert np.isnan(evaluation(wrong[:1]).accuracy_interval[0])


def test_the_interval_of_the_accuracy_is_that_of_the_whole_matrices():
    places = np.random.default_rng(0).integers(0, 9, (12, 3, 3))
    expected = confusion.bootstrap(places, confusion.accuracy)
    assert evaluation(places, THREE).accuracy_interval == expected


def test_a_perfect_map_has_no_interval_of_the_mean_iou():
    scores = evaluation([[[2, 0], [0, 3]]] * 12).scores
    assert (scores["miou"], scores["miou_low"], scores["miou_high"]) == (1.0, None, None)


def test_baseline_and_classes_by_name():
    found = evaluation([[[0, 0], [1, 3]]])
    assert found.majority == (1.0, "arable")
    assert found.by_class(confusion.recall) == {"other": None, "arable": 0.75}


def test_numbers_for_json():
    assert (plain(0.5), plain(float("nan")), plain(float("inf"))) == (0.5, None, None)
    assert (rounded(1 / 3), rounded(None), rounded(float("nan"))) == (0.333333, None, None)
