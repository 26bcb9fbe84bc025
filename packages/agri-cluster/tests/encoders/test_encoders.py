import numpy as np
import pytest
from agri_cluster.backend.framework import keras, ops
from agri_cluster.encoders.decoder import build_decoder
from agri_cluster.encoders.photograph import photograph
from agri_cluster.encoders.registry import build_encoder, scale_of
from agri_core.files.errors import InputError

RGB = ("B04", "B03", "B02")


@pytest.mark.parametrize(
    ("name", "shape", "features", "scale"),
    [
        ("mlp", (20,), 2000, "standard"),
        ("mlp", (4, 4, 2), 2000, "standard"),
        ("convae", (16, 16, 4), 2 * 2 * 128, "standard"),
        ("convae", (64, 64, 3), 4 * 4 * 256, "standard"),
        ("convae", (20, 24, 3), 3 * 3 * 128, "standard"),
        ("small", (32, 32, 4), 192, "standard"),
        ("squeezenet", (24, 24, 4), 256 + 512, "photo"),
    ],
)
def test_an_encoder_gives_a_row_of_features_per_item(name, shape, features, scale):
    encoder = build_encoder(name, shape)
    items = np.random.default_rng(0).random((2, *shape), np.float32)
    rows = np.asarray(encoder.model.predict_on_batch(items))
    assert rows.shape == (2, features)
    assert np.isfinite(rows).all()
    assert encoder.features == features
    assert encoder.scale == scale_of(name) == scale


def test_the_embedding_is_a_linear_layer_on_top():
    encoder = build_encoder("mlp", (6,), width=3, widths=(5, 4))
    assert [layer.units for layer in encoder.model.layers[1:]] == [5, 4, 3]
    assert encoder.model.layers[-1].activation is keras.activations.linear
    assert encoder.groups == (3,)


def test_squeezenet_has_the_published_number_of_weights():
    # shared weights' own description: 722,496 parameters without the top
    assert build_encoder("squeezenet", (64, 64, 3), bands=RGB).model.count_params() == 722_496


@pytest.mark.parametrize("name", ["resnet50", "vgg16"])
def test_keras_own_networks_take_any_bands(name):
    encoder = build_encoder(name, (32, 32, 4))
    assert encoder.model.output_shape == (None, 2048 if name == "resnet50" else 512)
    assert encoder.side == 96


def test_a_model_of_ones_own_is_taken_as_it_is():
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.GlobalMaxPooling2D()])
    encoder = build_encoder(model, (5, 7, 3))
    assert encoder.model is model
    assert encoder.features == 3


@pytest.mark.parametrize(
    ("shape", "layers", "message"),
    [
        ((4,), [keras.layers.Dense(2)], r"takes items of shape \(4,\), these are \(5,\)"),
        ((5, 5, 1), [keras.layers.Conv2D(2, 3)], "add global pooling"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(shape, layers, message):
    model = keras.Sequential([keras.Input(shape), *layers])
    with pytest.raises(InputError, match=message):
        build_encoder(model, (5,) if len(shape) == 1 else shape)


@pytest.mark.parametrize(
    ("name", "shape", "bands", "message"),
    [
        ("resnet18", (32, 32, 3), (), "one of mlp, convae, .*'resnet18'"),
        (3, (32, 32, 3), (), "a Keras model, got int"),
        ("small", (12, 32, 3), (), "from 16 pixels, got 32 x 12"),
        ("squeezenet", (40,), (), "got rows of 40; use 'mlp'"),
        ("mlp", (4, 4), (), r"got \(4, 4\)"),
        ("small", (16, 16, 3), ("B04", "B03"), "3 channels"),
    ],
)
def test_what_does_not_fit_is_refused(name, shape, bands, message):
    with pytest.raises(InputError, match=message):
        build_encoder(name, shape, bands=bands)


def test_pictures_are_put_into_blue_green_red_and_centred():
    tile = np.zeros((1, 2, 2, 3), np.float32)
    tile[...] = [200.0, 100.0, 50.0]
    found = ops.convert_to_numpy(photograph(2, RGB)(tile))[0, 0, 0]
    # blue 50 - 103.939, green 100 - 116.779, red 200 - 123.68
    assert found == pytest.approx([-53.939, -16.779, 76.32], abs=1e-4)


def test_colours_are_found_by_name_whatever_their_order():
    tile = np.zeros((1, 2, 2, 3), np.float32)
    tile[...] = [50.0, 200.0, 100.0]
    found = ops.convert_to_numpy(photograph(2, ("blue", "R", "B03"))(tile))[0, 0, 0]
    assert found == pytest.approx([-53.939, -16.779, 76.32], abs=1e-4)


def test_three_bands_without_a_colour_serve_as_red_green_and_blue():
    assert photograph(4, ("band1", "band2", "band3")).order == [2, 1, 0]


def test_infrared_red_and_green_keep_their_order_and_the_means_of_their_colours():
    layer = photograph(4, ("B08", "B04", "B03"))
    assert layer.order == [0, 1, 2]
    # Infrared: the mean of the three, (103.939 + 116.779 + 123.68) / 3.
    assert layer.mean == pytest.approx([114.799, 123.68, 116.779], abs=1e-3)


def test_four_bands_keep_their_order():
    layer = photograph(4, (*RGB, "B08"))
    assert layer.order == [0, 1, 2, 3]
    assert layer.mean == pytest.approx([123.68, 116.779, 103.939, 114.799333])


def test_an_encoder_survives_saving(tmp_path):
    encoder = build_encoder("squeezenet", (24, 24, 3), bands=RGB, width=5)
    encoder.model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    items = np.random.default_rng(0).random((2, 24, 24, 3), np.float32) * 255
    np.testing.assert_array_equal(
        encoder.model.predict_on_batch(items), again.predict_on_batch(items)
    )


@pytest.mark.parametrize(
    "shape", [(64, 64, 3), (32, 32, 4), (16, 16, 1), (20, 24, 2), (100, 100, 3), (9,)]
)
def test_a_decoder_gives_back_the_shape_of_an_item(shape):
    decoder = build_decoder(shape, 7, filters=(16, 8, 8, 4), widths=(12, 11, 10))
    rows = np.random.default_rng(0).standard_normal((2, 7)).astype(np.float32)
    assert np.asarray(decoder.predict_on_batch(rows)).shape == (2, *shape)


def test_the_decoder_of_a_tile_of_64_pixels_has_the_five_stages():
    decoder = build_decoder((64, 64, 3), 10)
    ups = [
        layer.filters for layer in decoder.layers if isinstance(layer, keras.layers.Conv2DTranspose)
    ]
    assert ups == [512, 256, 128, 64, 64]
    assert decoder.get_layer("map").output.shape == (None, 2, 2, 512)
    assert decoder.layers[-1].activation is keras.activations.linear


def test_the_decoder_of_rows_mirrors_the_encoder():
    decoder = build_decoder((9,), 4, widths=(7, 6, 5))
    assert [layer.units for layer in decoder.layers[1:]] == [5, 6, 7, 9]


def test_an_autoencoder_learns():
    keras.utils.set_random_seed(0)
    tiles = np.random.default_rng(0).standard_normal((16, 1, 1, 2)).astype(np.float32)
    tiles = np.tile(tiles, (1, 16, 16, 1))
    encoder = build_encoder("convae", (16, 16, 2), width=4)
    decoder = build_decoder((16, 16, 2), 4, filters=(8, 8, 8, 8))
    model = keras.Model(encoder.model.inputs[0], decoder(encoder.model.outputs[0]))
    model.compile(keras.optimizers.Adam(0.02), "mse", run_eagerly=True)
    losses = [float(model.train_on_batch(tiles, tiles)) for _ in range(15)]
    assert losses[-1] < 0.5 * losses[0]
