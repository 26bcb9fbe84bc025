import numpy as np
import pytest
from agri_core.files.errors import InputError
from agri_core.legend import Legend
from agri_segment.evaluation.baseline import class_pixels, fit_logistic, fit_majority
from agri_segment.evaluation.evaluate import evaluate

THREE = Legend.of({"a": "#000000", "b": "#111111", "c": "#222222"})


@pytest.fixture
def three_classes(make_store, tmp_path):
    """Class = which of two bands is high, or none; twice as many pixels of c."""
    rng = np.random.default_rng(0)
    masks = rng.choice(3, (8, 16, 16), p=[0.25, 0.25, 0.5]).astype(np.uint8)
    images = rng.normal(100, 10, (8, 16, 16, 2))
    images[..., 0] += 200 * (masks == 0)
    images[..., 1] += 200 * (masks == 1)
    splits = ["train"] * 5 + ["val"] * 2 + ["test"]
    return make_store(
        tmp_path / "t", images.astype(np.uint16), masks, bands=["B03", "B04"], legend=THREE,
        splits=splits,
    )  # fmt: skip


def test_majority_predicts_the_commonest_class_of_train(three_classes):
    baseline = fit_majority(three_classes)
    assert baseline.choice == 2
    result = evaluate(baseline, three_classes, "val")
    truth = three_classes.masks(three_classes.indices("val"))
    assert result.scores["accuracy"] == pytest.approx((truth == 2).mean(), abs=1e-6)
    assert result.matrix[:, :2].sum() == 0
    assert result.scores["iou"]["a"] == 0


def test_class_pixels_are_counted_on_train_only(three_classes):
    train = three_classes.masks(three_classes.indices("train"))
    assert class_pixels(three_classes).tolist() == np.bincount(train.ravel(), minlength=3).tolist()


def test_logistic_separates_linear_classes(three_classes):
    assert evaluate(fit_logistic(three_classes), three_classes, "val").scores["miou"] > 0.99


def test_logistic_is_the_regression_of_scikit_learn(three_classes):
    from sklearn.linear_model import LogisticRegression

    train = three_classes.indices("train")
    pixels = three_classes.images(train).reshape(-1, 2).astype(np.float64)
    classes = three_classes.masks(train).ravel()
    pixels = (pixels - pixels.mean(0)) / pixels.std(0)
    model = LogisticRegression(max_iter=1000, class_weight="balanced").fit(pixels, classes)
    # With a cap above every class count, all pixels of train take part.
    ours = fit_logistic(three_classes, cap=10**9)
    assert ours.weights == pytest.approx(model.coef_, rel=1e-2, abs=1e-2)


def test_logistic_is_the_same_for_a_seed_and_capped(three_classes):
    first, second = fit_logistic(three_classes, 3, cap=50), fit_logistic(three_classes, 3, cap=50)
    assert np.array_equal(first.weights, second.weights)
    assert not np.array_equal(first.weights, fit_logistic(three_classes, 4, cap=50).weights)


def test_logistic_with_two_classes_of_three(make_store, tmp_path):
    """A class that train lacks is never predicted; two classes give one row of weights."""
    rng = np.random.default_rng(0)
    masks = rng.choice([0, 2], (4, 8, 8)).astype(np.uint8)
    images = (100 + 50 * masks[..., None]).astype(np.uint16)
    images += rng.integers(0, 3, images.shape).astype(np.uint16)
    store = make_store(
        tmp_path / "t", images, masks, bands=["B04"], legend=THREE,
        splits=["train", "train", "val", "val"],
    )  # fmt: skip
    result = evaluate(fit_logistic(store), store, "val")
    assert result.scores["accuracy"] == 1
    assert result.matrix[:, 1].sum() == 0


def test_logistic_with_a_single_class(make_store, tmp_path):
    images = np.arange(16, dtype=np.uint16).reshape(4, 2, 2, 1)
    masks = np.ones((4, 2, 2), np.uint8)
    store = make_store(
        tmp_path / "t", images, masks, bands=["B04"], splits=["train", "train", "val", "val"]
    )
    assert evaluate(fit_logistic(store), store, "val").matrix.tolist() == [[0, 0], [0, 8]]


def test_no_train_part_is_refused(make_store, tmp_path, small_store):
    from agri_data.store.store import ChipStore, rewrite_table

    table = small_store.table.assign(split="val")
    rewrite_table(small_store.path, table, split=None, stats=small_store.info.stats)
    with pytest.raises(InputError, match="no chip in train"):
        fit_majority(ChipStore.open(small_store.path))
