import numpy as np
import pytest
from agri_core.files.errors import InputError
from agri_map.bundle.chips import read_labelled
from agri_train.baselines.pixels import class_pixels, fit_pixel_logistic, fit_pixel_majority


def predict(baseline, store, split="val"):
    """Return true and predicted classes of every pixel."""
    images, truth = read_labelled(baseline.spec, store, store.indices(split))
    return truth, baseline.run(images).argmax(axis=1)


def test_majority_predicts_the_majority_class_of_train(three_classes):
    baseline = fit_pixel_majority(three_classes)
    _, found = predict(baseline, three_classes)
    assert (found == 2).all() and found.shape == (2, 16, 16)
    assert baseline.spec.name == "majority"


def test_class_pixels_are_counted_on_train_only(three_classes):
    train = three_classes.masks(three_classes.indices("train"))
    assert class_pixels(three_classes).tolist() == np.bincount(train.ravel(), minlength=3).tolist()


def test_logistic_separates_linear_classes(three_classes):
    truth, found = predict(fit_pixel_logistic(three_classes), three_classes)
    assert (truth == found).mean() > 0.99


def test_logistic_is_the_regression_of_scikit_learn(three_classes):
    from sklearn.linear_model import LogisticRegression

    train = three_classes.indices("train")
    pixels = three_classes.images(train).reshape(-1, 2).astype(np.float64)
    classes = three_classes.masks(train).ravel()
    pixels = (pixels - pixels.mean(0)) / pixels.std(0)
    model = LogisticRegression(max_iter=1000, class_weight="balanced").fit(pixels, classes)
    # With a cap above every class count, all pixels of train take part.
    ours = fit_pixel_logistic(three_classes, cap=10**9).classifier
    assert ours.weights == pytest.approx(model.coef_, rel=1e-2, abs=1e-2)


def test_logistic_is_the_same_for_a_seed_and_capped(three_classes):
    first, second, other = (
        fit_pixel_logistic(three_classes, seed, cap=50).classifier.weights for seed in (3, 3, 4)
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_two_classes_of_three(write_store):
    """A class that train lacks is never predicted; two classes give one row of weights."""
    rng = np.random.default_rng(0)
    masks = rng.choice([0, 2], (4, 8, 8)).astype(np.uint8)
    images = (100 + 50 * masks[..., None]).astype(np.uint16)
    images += rng.integers(0, 3, images.shape).astype(np.uint16)
    store = write_store(images, ["train", "train", "val", "val"], masks)
    truth, found = predict(fit_pixel_logistic(store), store)
    assert np.array_equal(truth, found)


def test_a_single_class(write_store):
    images = np.arange(16, dtype=np.uint16).reshape(4, 2, 2, 1)
    masks = np.ones((4, 2, 2), np.uint8)
    store = write_store(images, ["train", "train", "val", "val"], masks)
    _, found = predict(fit_pixel_logistic(store), store)
    assert (found == 1).all()


def test_no_train_split_is_refused(write_store):
    store = write_store(
        np.ones((2, 2, 2, 1), np.uint16), ["val", "val"], np.ones((2, 2, 2), np.uint8)
    )
    with pytest.raises(InputError, match="no chip in train"):
        fit_pixel_majority(store)
