import numpy as np
import pytest
from agri_cluster.backend.framework import keras
from agri_cluster.data.tiles import ArrayTiles, in_memory
from agri_cluster.encoders.features import encode, extract, extract_whitened
from agri_cluster.encoders.registry import build_encoder
from agri_cluster.encoders.rotations import Rotation, mean_over_rotations, rotate
from agri_cluster.encoders.whitening import UnitGroups, fit_whitening
from agri_core.files.errors import InputError
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler, normalize


@pytest.fixture
def tiles():
    rng = np.random.default_rng(0)
    return ArrayTiles(rng.standard_normal((11, 16, 16, 2)).astype(np.float32))


def corner():
    """A model that gives the first value of the first row, and of the last."""
    inputs = keras.Input((2, 2, 1))
    return keras.Model(inputs, keras.layers.Flatten()(inputs))


def test_features_are_those_of_the_model_in_the_order_of_the_tiles(tmp_path, tiles):
    encoder = build_encoder("small", (16, 16, 2))
    rows = extract(encoder, tiles, tmp_path / "rows.npy", batch=4)
    expected = encoder.model.predict(in_memory(tiles), verbose=0)
    np.testing.assert_allclose(in_memory(rows), expected, atol=1e-5)
    assert rows.ids == tiles.ids
    np.testing.assert_array_equal(np.load(tmp_path / "rows.npy"), in_memory(rows))


def test_the_rows_of_a_tile_s_views_follow_each_other(tmp_path):
    items = np.arange(8, dtype=np.float32).reshape(2, 2, 2, 1)
    rows = extract(corner(), ArrayTiles(items), tmp_path / "rows.npy", views=2)
    # [[0, 1], [2, 3]] turned a quarter to the left is [[1, 3], [0, 2]]; the second is 4 more.
    assert in_memory(rows).tolist() == [
        [0, 1, 2, 3], [1, 3, 0, 2], [4, 5, 6, 7], [5, 7, 4, 6],
    ]  # fmt: skip
    assert rows.ids == ["0/0", "0/1", "1/0", "1/1"]


def test_the_mean_over_all_rotations_does_not_change_when_tiles_are_rotated():
    items = np.random.default_rng(0).random((3, 2, 2, 1)).astype(np.float32)
    model = mean_over_rotations(corner(), 8)
    found = [model.predict_on_batch(x) for x in (items, rotate(items, 5))]
    np.testing.assert_allclose(*found, atol=1e-6)
    by_hand = np.mean([rotate(items, number).reshape(3, 4) for number in range(8)], axis=0)
    np.testing.assert_allclose(found[0], by_hand, atol=1e-6)


@pytest.mark.parametrize("number", range(8))
def test_the_layer_rotates_as_the_function_does(number):
    items = np.arange(18.0, dtype=np.float32).reshape(2, 3, 3, 1)
    np.testing.assert_array_equal(np.asarray(Rotation(number)(items)), rotate(items, number))


def test_the_eight_rotations_differ_and_the_first_is_none():
    items = np.arange(4.0, dtype=np.float32).reshape(1, 2, 2, 1)
    assert len({rotate(items, number).tobytes() for number in range(8)}) == 8
    np.testing.assert_array_equal(rotate(items, 0), items)


@pytest.mark.parametrize(("shape", "views"), [((16, 16, 2), 0), ((16, 16, 2), 9), ((6,), 2)])
def test_views_that_cannot_be_are_refused(tmp_path, shape, views):
    items = ArrayTiles(np.zeros((2, *shape), np.float32))
    with pytest.raises(InputError, match=r"views|square"):
        extract(build_encoder("mlp", shape, widths=(3,)), items, tmp_path / "rows.npy", views=views)
    assert list(tmp_path.iterdir()) == []


def test_features_that_are_not_finite_name_the_item(tmp_path):
    model = build_encoder("mlp", (3,), widths=(2,)).model
    items = np.ones((4, 3), np.float32)
    items[2] = 3e38
    model.set_weights([np.full((3, 2), 1e3, np.float32), np.zeros(2, np.float32)])
    with pytest.raises(InputError, match="item third"):
        extract(model, ArrayTiles(items, ["a", "b", "third", "d"]), tmp_path / "rows.npy")
    assert not (tmp_path / "rows.npy").exists()


def test_bfloat16_gives_nearly_the_same_and_leaves_the_model_as_it_was(tmp_path, tiles):
    encoder = build_encoder("small", (16, 16, 2))
    exact = in_memory(extract(encoder, tiles, tmp_path / "exact.npy"))
    rough = in_memory(extract(encoder, tiles, tmp_path / "rough.npy", precision="mixed_bfloat16"))
    again = in_memory(extract(encoder, tiles, tmp_path / "again.npy"))
    assert not np.array_equal(exact, rough)
    np.testing.assert_allclose(normalize(rough), normalize(exact), atol=0.02)
    np.testing.assert_array_equal(exact, again)


def test_a_short_batch_gives_the_same_rows():
    model = build_encoder("mlp", (4,), widths=(3,)).model
    items = np.random.default_rng(0).random((7, 4)).astype(np.float32)
    np.testing.assert_allclose(encode(model, items, 16), model.predict_on_batch(items), atol=1e-6)


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    mixed = rng.standard_normal((300, 4)) @ rng.standard_normal((4, 9))
    return ArrayTiles((mixed + 0.1 * rng.standard_normal((300, 9)) + 3).astype(np.float32))


def by_sklearn(x, groups, n_components, whiten):
    units = [normalize(part) for part in np.split(x, np.cumsum(groups)[:-1], axis=1)]
    scaled = StandardScaler().fit_transform(np.hstack(units))
    return normalize(PCA(n_components, whiten=whiten, svd_solver="full").fit_transform(scaled))


@pytest.mark.parametrize("whiten", [False, True])
@pytest.mark.parametrize("groups", [(9,), (4, 5)])
def test_whitening_is_scikit_learns_but_for_signs(rows, groups, whiten):
    x = in_memory(rows).astype(np.float64)
    found = fit_whitening(rows, groups, 3, whiten=whiten).apply(in_memory(rows))
    expected = by_sklearn(x, groups, 3, whiten)
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found * signs, expected, atol=2e-4)


def test_the_shares_of_variance_are_scikit_learns(rows):
    x = StandardScaler().fit_transform(normalize(in_memory(rows)))
    expected = PCA(4).fit(x).explained_variance_ratio_
    assert fit_whitening(rows, (9,), 4).explained == pytest.approx(expected, abs=1e-4)


def test_a_constant_feature_is_left_out(rows):
    x = in_memory(rows).copy()
    x[:, 2] = 0
    found = fit_whitening(ArrayTiles(x), (9,), 4)
    assert not found.matrix[2].any()
    assert np.isfinite(found.apply(x)).all()


def test_no_more_parts_come_out_than_there_are():
    x = np.random.default_rng(0).standard_normal((5, 9)).astype(np.float32)
    # 5 centred rows span 4 directions.
    assert fit_whitening(ArrayTiles(x), (9,), 50).matrix.shape == (9, 4)


def test_rows_all_alike_are_refused():
    with pytest.raises(InputError, match="all 6 items have the same features"):
        fit_whitening(ArrayTiles(np.ones((6, 3), np.float32)), (3,))


@pytest.mark.parametrize(("groups", "n_components"), [((4, 4), 3), ((9,), 0)])
def test_arguments_that_do_not_fit_are_refused(rows, groups, n_components):
    with pytest.raises(InputError, match=r"groups|n_components"):
        fit_whitening(rows, groups, n_components)


def test_one_model_maps_a_tile_to_its_row_and_can_be_saved(tmp_path):
    rng = np.random.default_rng(0)
    tiles = ArrayTiles(rng.uniform(0, 255, (20, 24, 24, 3)).astype(np.float32))
    encoder = build_encoder("squeezenet", (24, 24, 3))
    made = extract_whitened(encoder, tiles, tmp_path, n_components=4, views=2)
    made.model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    found = again.predict(in_memory(tiles), verbose=0)
    assert made.rows.shape == (4,)
    np.testing.assert_allclose(found, in_memory(made.rows), atol=2e-3)
    assert np.square(found).mean(axis=1) == pytest.approx(np.ones(20), abs=1e-5)
    assert len(made.rotations) == 40
    names = ["features.npy", "model.keras", "rotations.npy"]
    assert sorted(item.name for item in tmp_path.glob("[!.]*")) == names


def test_a_row_of_zeros_stays_zero():
    layer = UnitGroups([2, 1])
    found = np.asarray(layer(np.array([[0.0, 0.0, 0.0], [3.0, 4.0, -2.0]], np.float32)))
    np.testing.assert_allclose(found, [[0, 0, 0], [0.6, 0.8, -1]], atol=1e-6)
