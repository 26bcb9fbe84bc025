import numpy as np
import pytest
from agri_classify.evaluation.scores import class_rows, coverage
from agri_core.evaluation.evaluation import Evaluation
from agri_core.legend import Legend

THREE = Legend.of({"a": "#000000", "b": "#111111", "c": "#222222"})
# Four patches: right at 0.9, right at 0.9, wrong at 0.9, right at 0.6.
P = np.array([[0.9, 0.1], [0.1, 0.9], [0.9, 0.1], [0.6, 0.4]])
TRUTH = np.array([0, 1, 1, 0])


def test_coverage_by_hand():
    # At 0.4 and above: {0}, {1}, {0}, {0, 1}: the third misses its truth.
    assert coverage(P, TRUTH, 0.4) == {"coverage": 0.75, "size": 1.25}
    # No class reaches 0.95, so each set is its best class.
    assert coverage(P, TRUTH, 0.95) == {"coverage": 0.75, "size": 1.0}


def test_class_rows_by_hand():
    cm = np.array([[3, 1, 0], [0, 2, 0], [0, 0, 0]])
    rows = class_rows(Evaluation(THREE, "val", cm[None], "patch"))
    assert rows[0] == {"class": "a", "precision": 1.0, "recall": 0.75, "f1": 6 / 7, "patches": 4}
    assert rows[1]["precision"] == pytest.approx(2 / 3)
    assert rows[2] == {"class": "c", "precision": None, "recall": None, "f1": None, "patches": 0}
