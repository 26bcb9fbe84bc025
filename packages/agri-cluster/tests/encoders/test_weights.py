import h5py
import numpy as np
import pytest
from agri_cluster.backend.framework import keras
from agri_cluster.encoders.registry import build_encoder
from agri_cluster.encoders.weightfile import read_weights
from agri_cluster.encoders.weights import adapt_input, load_weights
from agri_core.files.errors import InputError, MissingError

RGB = ("B04", "B03", "B02")
BGR = ("blue", "green", "red")


def network(channels=3):
    inputs = keras.Input((16, 16, channels))
    x = keras.layers.Conv2D(4, 3, name="first")(inputs)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Conv2D(2, 1, name="fire2_expand")(x)
    return keras.Model(inputs, x, name="network")


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    shapes = {
        "first": [(3, 3, 3, 4), (4,)],
        "norm": [(4,)] * 4,
        "fire2/expand": [(1, 1, 4, 2), (2,)],
    }
    return {
        name: [rng.standard_normal(shape).astype(np.float32) for shape in group]
        for name, group in shapes.items()
    }


def write_old(path, arrays, root=""):
    """Keras 1 and 2: groups by layer, order in attributes, slashes make groups of groups."""
    with h5py.File(path, "w") as file:
        top = file.create_group(root) if root else file
        top.attrs["layer_names"] = [name.encode() for name in ("input_1", *arrays)]
        top.create_group("input_1").attrs["weight_names"] = np.array([], "S1")
        for name, group in arrays.items():
            names = [f"uniform{name[-1]}", *(f"{name}_{n}" for n in range(1, len(group)))]
            here = top.require_group(name)
            here.attrs["weight_names"] = [item.encode() for item in names]
            for item, array in zip(names, group, strict=True):
                here[item] = array
    return path


@pytest.mark.parametrize("root", ["", "model_weights"])
def test_the_layout_of_keras_1_and_2_is_read(tmp_path, arrays, root):
    model = network()
    assert load_weights(model, str(write_old(tmp_path / "w.h5", arrays, root)), RGB) == 3
    for layer, name in (("first", "first"), ("norm", "norm"), ("fire2_expand", "fire2/expand")):
        for found, expected in zip(model.get_layer(layer).get_weights(), arrays[name], strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["w.keras", "w.weights.h5"])
def test_the_layouts_of_keras_3_are_read_by_layer_name(tmp_path, name):
    model, other = network(), network()
    other.get_layer("norm").set_weights([np.full(4, float(n)) for n in range(4)])
    (other.save if name.endswith(".keras") else other.save_weights)(tmp_path / name)
    load_weights(model, str(tmp_path / name), RGB)
    for found, expected in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_network_within_a_saved_model_is_found(tmp_path):
    inner, again = network(), network()
    inputs = keras.Input((16, 16, 3))
    outer = keras.Model(inputs, keras.layers.GlobalMaxPooling2D()(inner(inputs)))
    outer.save(tmp_path / "outer.keras")
    load_weights(again, str(tmp_path / "outer.keras"), RGB)
    np.testing.assert_array_equal(again.get_weights()[0], inner.get_weights()[0])


def test_none_changes_nothing(arrays):
    model = network()
    before = model.get_weights()
    assert load_weights(model, "none", RGB) == 0
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_first_convolution_for_colours_is_fitted_to_other_bands():
    kernel = np.zeros((1, 1, 3, 1), np.float32)
    kernel[0, 0, :, 0] = [1.0, 2.0, 6.0]
    found = adapt_input(kernel, ("B04", "B08", "green", "B02"), BGR)[0, 0, :, 0]
    # red 6, the mean of 1, 2 and 6, green 2, blue 1; each times 3 / 4
    assert found == pytest.approx([4.5, 2.25, 1.5, 0.75])


def test_a_grey_picture_gives_what_it_gave_as_three_equal_bands(tmp_path, arrays):
    path = write_old(tmp_path / "w.h5", arrays)
    colour, grey = network(), network(1)
    load_weights(colour, str(path), RGB)
    load_weights(grey, str(path), ("grey",))
    tile = np.random.default_rng(1).random((1, 16, 16, 1)).astype(np.float32)
    np.testing.assert_allclose(
        colour.predict_on_batch(np.repeat(tile, 3, axis=3)), grey.predict_on_batch(tile), atol=1e-4
    )


def test_a_band_order_does_not_change_the_features(tmp_path):
    # A tile in two band orders, an encoder each, the same file: the same features.
    source = build_encoder("squeezenet", (24, 24, 3), bands=RGB)
    source.model.save_weights(tmp_path / "w.weights.h5")
    tile = np.random.default_rng(1).random((1, 24, 24, 3)).astype(np.float32) * 255
    rows = []
    for bands in (RGB, RGB[::-1]):
        encoder = build_encoder(
            "squeezenet", (24, 24, 3), bands=bands, weights=str(tmp_path / "w.weights.h5")
        )
        rows.append(encoder.model.predict_on_batch(tile if bands == RGB else tile[..., ::-1]))
    np.testing.assert_allclose(*rows, rtol=1e-4, atol=1e-5)


def test_a_missing_layer_is_named(tmp_path, arrays):
    del arrays["norm"]
    path = write_old(tmp_path / "w.h5", arrays)
    with pytest.raises(InputError, match=r"no layer norm, .*\(4,\).*it has first, fire2_expand"):
        load_weights(network(), str(path), RGB)


def test_a_wrong_shape_is_named_with_what_was_expected(tmp_path, arrays):
    arrays["first"][0] = np.zeros((5, 5, 3, 4), np.float32)
    path = write_old(tmp_path / "w.h5", arrays)
    with pytest.raises(InputError, match=r"first has .*\(5, 5, 3, 4\).*expects.*\(3, 3, 3, 4\)"):
        load_weights(network(), str(path), RGB)


def test_nothing_is_set_when_a_later_layer_does_not_fit(tmp_path, arrays):
    arrays["fire2/expand"][1] = np.zeros(3, np.float32)
    model = network()
    before = model.get_weights()[0]
    with pytest.raises(InputError):
        load_weights(model, str(write_old(tmp_path / "w.h5", arrays)), RGB)
    np.testing.assert_array_equal(before, model.get_weights()[0])


def test_weights_that_are_not_finite_are_refused(tmp_path, arrays):
    arrays["norm"][2][1] = np.nan
    with pytest.raises(InputError, match="norm holds NaN"):
        load_weights(network(), str(write_old(tmp_path / "w.h5", arrays)), RGB)


@pytest.mark.parametrize("name", ["w.h5", "w.keras"])
@pytest.mark.parametrize(
    "content", [b"", b"PK\x05\x06" + b"\0" * 18, b"\x89HDF\r\n\x1a\n", b"text"]
)
def test_a_file_that_is_no_weights_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match="not a Keras weights file"):
        read_weights(tmp_path / name)


def test_an_hdf5_file_of_something_else_is_refused(tmp_path):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["sea"] = np.zeros(3)
    with pytest.raises(InputError, match="no layer with weights"):
        read_weights(tmp_path / "w.h5")


def test_text_in_place_of_numbers_is_refused(tmp_path):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["layers/first/vars/0"] = "import os"
    with pytest.raises(InputError, match="not a table of numbers"):
        read_weights(tmp_path / "w.h5")


def test_numbers_that_lie_in_another_file_are_not_followed(tmp_path):
    (tmp_path / "other.bin").write_bytes(bytes(16))
    with h5py.File(tmp_path / "w.h5", "w") as file:
        group = file.create_group("layers/first/vars")
        group.create_dataset("0", (4,), "f4", external=[(str(tmp_path / "other.bin"), 0, 16)])
    with pytest.raises(InputError, match="lies in another file"):
        read_weights(tmp_path / "w.h5")


def test_a_truncated_file_is_refused(tmp_path, arrays):
    path = write_old(tmp_path / "w.h5", arrays)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match="not a Keras weights file"):
        read_weights(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingError, match="there is no weights file"):
        build_encoder("small", (16, 16, 3), weights=str(tmp_path / "nothing.h5"))


def test_imagenet_without_a_network_is_one_clear_error(monkeypatch):
    model = build_encoder("vgg16", (32, 32, 3), bands=RGB).model

    def refuse(**_):
        raise Exception("URL fetch failure on https://example.org\nand more")

    monkeypatch.setattr(keras.applications, "VGG16", refuse)
    with pytest.raises(MissingError, match=r"vgg16 could not be fetched.*URL fetch failure"):
        load_weights(model, "imagenet", RGB)


def test_imagenet_weights_are_fitted_to_the_bands(monkeypatch):
    model = build_encoder("vgg16", (32, 32, 4)).model
    make = keras.applications.VGG16
    published = make(include_top=False, weights=None, input_shape=(32, 32, 3))
    monkeypatch.setattr(keras.applications, "VGG16", lambda **_: published)
    load_weights(model, "imagenet", (*RGB, "B08"), BGR)
    found = model.get_layer("block1_conv1").get_weights()[0]
    expected = published.get_layer("block1_conv1").get_weights()[0]
    np.testing.assert_allclose(found[:, :, 0], expected[:, :, 2] * 0.75, rtol=1e-6)


def test_there_are_no_imagenet_weights_of_an_encoder_of_ours():
    with pytest.raises(MissingError, match="no ImageNet weights for small"):
        build_encoder("small", (16, 16, 3), weights="imagenet")


SEVEN = ("B01", "B05", "B06", "B07", "B08", "B11", "B12")


@pytest.mark.parametrize(
    ("bands", "expected"),
    [
        # A kernel of blue 1, green 2, red 6, so mean 3; filters go by name, times 3 / bands.
        (("B02", "B03", "B04"), [1, 2, 6]),
        (("B04", "B03", "B02"), [6, 2, 1]),
        (("b3", "RED", "Blue"), [2, 6, 1]),
        (("B08", "B04", "B03"), [3, 6, 2]),
        (("band1", "band2", "band3"), [1, 2, 6]),
        (("B04", *SEVEN, "B03", "B02"), [1.8, *[0.9] * 7, 0.6, 0.3]),
    ],
)
def test_filters_go_by_the_name_of_a_band_not_by_its_place(bands, expected):
    kernel = np.float32([1, 2, 6]).reshape(1, 1, 3, 1)
    assert adapt_input(kernel, bands, BGR).ravel() == pytest.approx(expected)


@pytest.mark.parametrize("name", ["squeezenet", "small"])
@pytest.mark.parametrize(
    "bands",
    [("B02", "B03", "B04"), ("B08", "B04", "B03"), ("B04", *SEVEN, "B03", "B02")],
)
def test_features_do_not_depend_on_the_order_of_bands(tmp_path, name, bands):
    path = tmp_path / "w.weights.h5"
    build_encoder(name, (24, 24, 3), bands=RGB).model.save_weights(path)
    tile = np.random.default_rng(1).random((1, 24, 24, len(bands))).astype(np.float32) * 255
    turned = np.roll(np.arange(len(bands)), 1)
    rows = [
        build_encoder(
            name, (24, 24, len(bands)), bands=[bands[place] for place in order], weights=str(path)
        ).model.predict_on_batch(tile[..., order])
        for order in (np.arange(len(bands)), turned)
    ]
    np.testing.assert_allclose(*rows, rtol=1e-3, atol=1e-4)
