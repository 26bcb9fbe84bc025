import numpy as np
import pytest
from agri_map.bundle.chips import read_chips
from agri_train.baselines.features import band_statistics
from agri_train.baselines.patches import fit_features, score_baselines
from agri_train.baselines.pixels import store_spec

LABELS = np.arange(60) % 3
SPLITS = ["train"] * 36 + ["val"] * 24


@pytest.fixture
def store(write_store):
    """Patches whose mean tells a class from another, not quite always."""
    rng = np.random.default_rng(0)
    images = rng.normal(1000 + 300 * LABELS[:, None, None, None], 900, (60, 8, 8, 2))
    return write_store(np.clip(images, 0, 6000).astype(np.uint16), SPLITS, labels=LABELS)


def test_every_baseline_is_scored_on_the_split(store):
    found = score_baselines(store, store_spec(store, "made"), "val")
    assert [item.name for item in found] == [
        "majority class",
        "band statistics, logistic regression",
        "random filters, logistic regression",
    ]
    assert found[0].accuracy == pytest.approx(1 / 3)
    # The mean of 128 pixels tells the classes apart; filters drawn at random see little of it.
    assert found[1].accuracy > 0.6 > found[2].accuracy > found[0].accuracy
    assert score_baselines(store, store_spec(store, "made"), "val") == found


def test_predictions_are_those_of_a_scikit_learn_pipeline(store):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    spec = store_spec(store, "made")
    train, val = (read_chips(spec, store, store.indices(split))[0] for split in ("train", "val"))
    model = make_pipeline(StandardScaler(), LogisticRegression(C=10.0, max_iter=300, tol=1e-3))
    model.fit(band_statistics(train), LABELS[:36])
    ours = fit_features(store, spec, band_statistics).run(val)
    assert ours == pytest.approx(model.predict_proba(band_statistics(val)), abs=1e-4)
    assert ours.sum(axis=1) == pytest.approx(1, abs=1e-5)
