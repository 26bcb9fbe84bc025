"""Scores from counts, against hand arithmetic and scikit-learn."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from agri_core import confusion as score
from agri_core.files.errors import InputError
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics as reference

TRUTH = np.array([[0, 0, 1], [1, 1, 255]], np.uint8)
FOUND = np.array([[0, 1, 1], [1, 0, 2]], np.uint8)
# counted pairs: (0,0) (0,1) (1,1) (1,1) (1,0); the last pixel is ignored
CM = np.array([[1, 1, 0], [1, 2, 0], [0, 0, 0]])


def test_counts_have_truth_in_rows_and_leave_out_ignored_pixels() -> None:
    assert score.confusion(TRUTH, FOUND, 3).tolist() == CM.tolist()


def test_formulas_by_hand() -> None:
    # IoU: 1/(1+1+1), 2/(2+1+1); F1: 2/(2+1+1), 4/(4+1+1)
    assert score.iou(CM)[:2].tolist() == [1 / 3, 2 / 4]
    assert score.f1(CM)[:2].tolist() == [2 / 4, 4 / 6]
    assert score.recall(CM)[:2].tolist() == [1 / 2, 2 / 3]
    assert score.accuracy(CM) == 3 / 5
    assert score.majority(CM) == (3 / 5, 1)
    # chance = (2*2 + 3*3)/25 = 0.52; (0.6 - 0.52)/(1 - 0.52)
    assert score.kappa(CM) == pytest.approx(0.08 / 0.48)


def test_absent_class_is_nan_and_left_out_of_means() -> None:
    assert math.isnan(score.iou(CM)[2])
    assert math.isnan(score.f1(CM)[2])
    assert score.mean_iou(CM) == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert math.isnan(score.mean_iou(np.zeros((3, 3), np.int64)))
    assert math.isnan(score.accuracy(np.zeros((3, 3), np.int64)))


def test_matrix_axes_are_not_swapped() -> None:
    # everything true is 0, everything found is 1
    cm = score.confusion([0, 0, 0], [1, 1, 1], 2)
    assert cm.tolist() == [[0, 3], [0, 0]]
    assert score.recall(cm)[0] == 0
    assert math.isnan(score.recall(cm)[1])
    assert score.precision(cm)[1] == 0


def test_no_score_where_nothing_counts_and_no_warning() -> None:
    empty = np.zeros((2, 2), np.int64)
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        assert all(math.isnan(value) for value in (score.kappa(empty), score.mean_f1(empty)))
        assert np.isnan(score.shares_of_truth(empty)).all()
        # Everything is class 0: agreement by chance is 1.
        assert math.isnan(score.kappa(np.array([[4, 0], [0, 0]])))
    # One pixel only, and wrong: p_o = 0, p_e = 1 * 0 + 0 * 1 = 0.
    assert score.kappa(np.array([[0, 1], [0, 0]])) == 0


def test_shares_of_each_true_class() -> None:
    assert score.shares_of_truth(np.array([[3, 1], [0, 2]])).tolist() == [[3 / 4, 1 / 4], [0, 1]]


def test_a_stack_of_matrices_is_scored_one_by_one() -> None:
    # The second matrix is not symmetric: TP 1 and 2, FN 3 and 4, FP 4 and 3.
    stack = np.array([[[5, 0], [0, 5]], [[1, 3], [4, 2]]])
    assert score.iou(stack).tolist() == [[1, 1], [1 / 8, 2 / 9]]
    assert score.recall(stack).tolist() == [[1, 1], [1 / 4, 2 / 6]]
    assert score.precision(stack).tolist() == [[1, 1], [1 / 5, 2 / 5]]
    assert score.f1(stack).tolist() == [[1, 1], [2 / 9, 4 / 11]]
    assert score.confusion([0], [0], 2).dtype == np.int64


def test_wrong_ids_are_told_with_their_side() -> None:
    with pytest.raises(InputError) as caught:
        score.confusion([0, 1, 1], [-1, 2, 1], 2)
    assert str(caught.value) == "the prediction holds the class ids [-1, 2], expected 0..1"
    with pytest.raises(InputError) as caught:
        score.confusion(list(range(20)), [0] * 20, 2)
    assert str(caught.value) == (
        "the truth holds the class ids [2, 3, 4, 5, 6, 7, 8, 9], expected 0..1"
    )


@pytest.mark.parametrize(("truth", "found"), [([0, 5], [0, 0]), ([0, 1], [0, 9])])
def test_ids_outside_the_legend_are_refused(truth: list[int], found: list[int]) -> None:
    with pytest.raises(InputError, match=r"expected 0\.\.1"):
        score.confusion(truth, found, 2)


def test_shapes_must_agree() -> None:
    with pytest.raises(InputError, match=r"\(2,\).*\(3,\)"):
        score.confusion([0, 1], [0, 1, 1], 2)


labels = arrays(np.uint8, 40, elements=st.integers(0, 3))


@given(labels, labels)
def test_equals_scikit_learn(truth: np.ndarray, found: np.ndarray) -> None:
    cm = score.confusion(truth, found, 4)
    present = sorted(set(truth) | set(found))
    assert (cm == reference.confusion_matrix(truth, found, labels=range(4))).all()
    iou = reference.jaccard_score(truth, found, labels=present, average=None)
    dice = reference.f1_score(truth, found, labels=present, average=None)
    assert score.iou(cm)[present] == pytest.approx(iou)
    assert score.f1(cm)[present] == pytest.approx(dice)
    if len(present) > 1:
        assert score.kappa(cm) == pytest.approx(reference.cohen_kappa_score(truth, found))


@given(labels, labels)
def test_f1_and_iou_of_one_matrix_determine_each_other(
    truth: np.ndarray, found: np.ndarray
) -> None:
    cm = score.confusion(truth, found, 4)
    iou = score.iou(cm)
    assert score.f1(cm) == pytest.approx(2 * iou / (1 + iou), nan_ok=True)


@given(labels, labels, st.integers(1, 39))
def test_uneven_batches_change_nothing(truth: np.ndarray, found: np.ndarray, cut: int) -> None:
    whole = score.confusion(truth, found, 4)
    parts = score.confusion(truth[:cut], found[:cut], 4) + score.confusion(
        truth[cut:], found[cut:], 4
    )
    assert (whole == parts).all()


def test_bootstrap_covers_the_score_and_narrows_with_places() -> None:
    rng = np.random.default_rng(1)
    right = rng.integers(60, 100, 200)
    places = np.array([[[r, 100 - r], [100 - r, r]] for r in right])
    wide = score.bootstrap(places[:10], score.accuracy, seed=0)
    narrow = score.bootstrap(places, score.accuracy, seed=0)
    assert narrow[0] < score.accuracy(places.sum(0)) < narrow[1]
    assert narrow[1] - narrow[0] < wide[1] - wide[0]
    assert score.bootstrap(places, score.accuracy, seed=0) == narrow


def test_bootstrap_by_hand() -> None:
    # Three places of 10 pixels with 10, 5 and 0 right; a draw of all three from them scores
    # the mean of its picks. The same draws, taken one by one:
    places = np.array([[[right, 10 - right], [0, 0]] for right in (10, 5, 0)])
    picks = np.random.default_rng(0).multinomial(3, [1 / 3] * 3, 1000)
    scores = picks @ [10, 5, 0] / 30
    found = score.bootstrap(places, score.accuracy)
    assert found == pytest.approx(tuple(np.percentile(scores, [2.5, 97.5])))
    # 27 outcomes are equally likely, so 1/27 = 3.7 % score 0 and 3.7 % score 1.
    assert found == (0, 1)
    assert score.bootstrap(places, score.accuracy, seed=1, draws=20) != found


def test_bootstrap_of_what_no_resample_has_is_unknown() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = score.bootstrap(np.zeros((3, 2, 2), np.int64), score.accuracy)
    assert len(found) == 2 and all(math.isnan(value) for value in found)


def test_bootstrap_of_one_place_is_unknown() -> None:
    assert all(math.isnan(v) for v in score.bootstrap(CM[None], score.accuracy))
