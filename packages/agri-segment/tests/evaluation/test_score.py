import numpy as np
import pytest
from agri_core.files.errors import InputError, MissingError
from agri_core.legend import Legend
from agri_map.inference.engine import open_engine
from agri_segment.evaluation.evaluate import evaluate, metrics, worst_chips
from agri_segment.evaluation.score import run_chips, soft_iou


@pytest.fixture
def rule(small_store, line_bundle, tmp_path):
    """Above 5 is arable: scores 0 and x - 5."""
    path = line_bundle(tmp_path / "rule.onnx", small_store, [[0.0], [1.0]], [0.0, -5.0])
    return open_engine(path)


def test_evaluation_equals_hand_counts(small_store, rule):
    result = evaluate(rule, small_store, "val")
    # rows = truth. Place b: 0>0 once, 0>1 once, 1>1 once. Place c: 0>0 twice, 1>0 once, 1>1 once.
    assert result.places.tolist() == [[[1, 1], [0, 1]], [[2, 0], [1, 1]]]
    assert result.matrix.tolist() == [[3, 1], [1, 2]]
    scores = result.scores
    assert scores["iou"] == {"other": 0.6, "arable": 0.5}  # 3 / 5 and 2 / 4
    assert scores["f1"] == {"other": 0.75, "arable": 0.666667}  # 6 / 8 and 4 / 6
    assert scores["precision"] == {"other": 0.75, "arable": 0.666667}
    assert scores["recall"] == {"other": 0.75, "arable": 0.666667}
    assert scores["miou"] == 0.55
    assert (scores["accuracy"], scores["majority_accuracy"]) == (0.714286, 0.571429)  # 5/7, 4/7
    assert scores["majority_class"] == "other"
    assert (scores["pixels"], scores["places"]) == (7, 2)


def test_the_interval_comes_from_resampled_places(small_store, rule):
    scores = evaluate(rule, small_store, "val").scores
    # Resamples are bb, bc, cc with mean IoU (1/2 + 1/2) / 2, 0.55, (2/3 + 1/2) / 2.
    assert scores["miou_low"] == pytest.approx(0.5)
    assert scores["miou_high"] == pytest.approx(0.583333, abs=1e-6)


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_the_batch_size_changes_nothing(small_store, rule, batch):
    assert evaluate(rule, small_store, "val", batch).matrix.tolist() == [[3, 1], [1, 2]]


def test_worst_chip_first(small_store, rule):
    result = evaluate(rule, small_store, "val")
    # chip 2: IoU 1/2, 1/2; chip 3: 2/3, 1/2.
    assert result.chip_iou.tolist() == pytest.approx([0.5, 7 / 12])
    assert worst_chips(result, 1).tolist() == [0]


def test_soft_iou_by_hand():
    # One class pair, two pixels: p = .8, .4 with truth 1, 0: both .8, found 1.2, true 1.
    assert soft_iou(np.array([[0.8], [1.2], [1.0]])).tolist() == pytest.approx([0.8 / 1.4])


def test_soft_scores_are_called_soft(small_store, rule):
    content = metrics(evaluate(rule, small_store))
    assert 0 < content["soft_miou"] < 1
    assert content["soft_miou"] != content["miou"]


def test_a_chip_without_data_is_not_counted(make_store, line_bundle, tmp_path):
    images = np.full((3, 2, 2, 1), 9, np.uint16)
    images[2, 0] = 0
    store = make_store(
        tmp_path / "empty", images, np.ones((3, 2, 2), np.uint8), bands=["B04"],
        splits=["train", "train", "val"], nodata=0,
    )  # fmt: skip
    engine = open_engine(line_bundle(tmp_path / "r.onnx", store, [[0.0], [1.0]], [0.0, -5.0]))
    assert run_chips(engine, store, store.indices("val")).matrices.sum() == 2


def test_other_bands_are_refused(hidden_band, line_bundle, small_store, tmp_path):
    engine = open_engine(
        line_bundle(tmp_path / "m.onnx", hidden_band, [[0.0], [1.0]], [0.0, 0.0], bands=["B09"])
    )
    with pytest.raises(MissingError, match="B09") as error:
        evaluate(engine, small_store)
    assert "it has B04" in str(error.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"unit": "reflectance"}, "trained on reflectance"),
        ({"legend": "x"}, "the classes must be the same"),
    ],
)
def test_other_units_and_classes_are_refused(small_store, line_bundle, tmp_path, change, words):
    if "legend" in change:
        change = {"legend": Legend.of({"water": "#0000ff", "land": "#00ff00"})}
    path = line_bundle(tmp_path / "m.onnx", small_store, [[0.0], [1.0]], [0.0, 0.0], **change)
    with pytest.raises(InputError, match=words):
        evaluate(open_engine(path), small_store)


def test_an_empty_part_is_refused(make_store, line_bundle, tmp_path):
    images, masks = np.ones((2, 2, 2, 1), np.uint16), np.ones((2, 2, 2), np.uint8)
    store = make_store(tmp_path / "s", images, masks, bands=["B04"], splits=["train", "val"])
    engine = open_engine(line_bundle(tmp_path / "m.onnx", store, [[0.0], [1.0]], [0.0, 0.0]))
    with pytest.raises(InputError, match="no chip in the test split"):
        evaluate(engine, store, "test")
