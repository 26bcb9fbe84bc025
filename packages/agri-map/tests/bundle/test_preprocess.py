"""Normalisation: the arithmetic, bit for bit, and what does not matter to it."""

import numpy as np
import pytest
from agri_core.files.errors import InputError
from agri_map.bundle.preprocess import normalise


@pytest.fixture
def spec(make_spec):
    return make_spec(bands=("B02", "B03"), mean=(1000.0, 1100.1), std=(300.0, 0.3))


def test_arithmetic(spec):
    image = np.array([[[1300, 1100], [700, 1101]]], np.uint16)  # (1, 2, 2)
    out = normalise(image, spec)
    # (1300 - 1000) / 300 = 1, (700 - 1000) / 300 = -1
    assert out[0].tolist() == [[1.0, -1.0]]
    f = np.float32
    assert out[1].tolist() == [[(f(1100) - f(1100.1)) / f(0.3), (f(1101) - f(1100.1)) / f(0.3)]]
    assert out.dtype == np.float32 and out.flags.c_contiguous


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_dtype_does_not_matter(spec, dtype):
    values = np.random.default_rng(0).integers(0, 200, (3, 4, 2))
    expected = normalise(values.astype(np.float32), spec)
    assert np.array_equal(normalise(values.astype(dtype), spec), expected)


def test_cut_and_batch_do_not_matter(spec):
    image = np.random.default_rng(0).integers(0, 9999, (5, 16, 12, 2)).astype(np.uint16)
    whole = normalise(image, spec)
    assert np.array_equal(whole[2], normalise(image[2], spec))
    assert np.array_equal(whole[:, :, 3:9, 5:], normalise(image[:, 3:9, 5:], spec))
    strided = np.ascontiguousarray(image.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)
    assert np.array_equal(whole, normalise(strided, spec))


def test_invalid_pixels_are_the_mean(spec):
    image = np.full((2, 2, 2), 5000, np.uint16)
    valid = np.array([[True, False], [True, True]])
    out = normalise(image, spec, valid)
    assert (out[:, 0, 1] == 0).all() and (out[:, valid] > 0).all()


def test_not_finite_is_the_mean(spec):
    image = np.full((1, 3, 2), 1300.0)
    image[0, 0, 0], image[0, 1, 0], image[0, 2, 1] = np.nan, np.inf, -np.inf
    out = normalise(image, spec)
    assert out[0].tolist() == [[0.0, 0.0, 1.0]] and out[1, 0, 2] == 0


def test_input_is_left_alone(spec):
    image = np.full((2, 2, 2), 1300.0, np.float32)
    normalise(image, spec)
    assert (image == 1300).all()


def test_wrong_channels(spec):
    with pytest.raises(InputError, match=r"\(\.\.\., H, W, 2\) for the bands B02, B03, got .*3\)"):
        normalise(np.zeros((4, 4, 3)), spec)


def test_wrong_valid(spec):
    with pytest.raises(InputError, match="valid must have shape"):
        normalise(np.zeros((4, 4, 2)), spec, np.ones((4, 5), bool))
