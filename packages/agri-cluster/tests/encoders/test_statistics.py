import numpy as np
import pytest
from agri_cluster.backend.framework import keras
from agri_cluster.dec.estimator import DeepEmbeddedClustering
from agri_cluster.encoders.registry import build_encoder
from agri_cluster.encoders.statistics import BandStatistics
from agri_core.files.errors import InputError
from sklearn.metrics import adjusted_rand_score


def test_statistics_by_hand():
    # One tile of 2 x 2 pixels, two bands: 0 1 2 5 and four times 3.
    tile = np.float32([[[[0, 3], [1, 3]], [[2, 3], [5, 3]]]])
    found = np.asarray(BandStatistics()(tile))[0]
    # means 2 and 3; deviation sqrt((4 + 1 + 0 + 9) / 4) = 1.870829 and 0; least; largest.
    np.testing.assert_allclose(found, [2, 3, 1.870829, 0, 0, 3, 5, 3], atol=1e-5)


def test_the_encoder_keeps_sizes(tmp_path):
    encoder = build_encoder("statistics", (8, 8, 3))
    assert encoder.groups == ()
    assert encoder.features == 12
    encoder.model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras", safe_mode=True)
    x = np.random.default_rng(0).normal(size=(4, 8, 8, 3)).astype(np.float32)
    np.testing.assert_array_equal(again.predict_on_batch(x), encoder.model.predict_on_batch(x))


def test_brightness_alone_tells_tiles_apart():
    rng = np.random.default_rng(0)
    x = np.float32(
        rng.normal(0, 0.1, (60, 8, 8, 2)) + np.repeat([1.0, 2.0, 4.0], 20)[:, None, None, None]
    )
    made = DeepEmbeddedClustering(
        3,
        encoder="statistics",
        hidden=(16,),
        embedding_dim=4,
        epochs=100,
        max_iter=40,
        batch_size=16,
    ).fit(x)
    assert adjusted_rand_score(np.repeat([0, 1, 2], 20), made.labels_) > 0.9
    np.testing.assert_array_equal(made.predict(x), made.labels_)


def test_there_is_nothing_to_pretrain():
    with pytest.raises(InputError, match="no weights to pretrain"):
        DeepEmbeddedClustering(2, encoder="statistics", pretrain="contrastive").fit(
            np.random.default_rng(0).normal(size=(20, 8, 8, 2)).astype(np.float32)
        )
