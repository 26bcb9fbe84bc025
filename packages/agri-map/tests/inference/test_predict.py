"""Mapping: tiled equals un-tiled, nothing depends on how the work is cut, seams do not show."""

import numpy as np
import pytest
from agri_map.bundle.preprocess import normalise
from agri_map.inference.agreement import sample_tiles
from agri_map.inference.engine import open_engine
from agri_map.inference.predict import predict
from agri_map.inference.tiles import Axis
from agri_map.scene.scene import open_scene


def run(path, model, tile=64, overlap=16, batch=4):
    """Predict a whole scene into `(K, H, W)`; and where it is valid."""
    engine = open_engine(model, threads=1)
    with open_scene(path, engine.spec.bands) as scene:
        axes = (
            Axis(scene.grid.height, tile, overlap),
            Axis(scene.grid.width, tile, overlap),
        )
        parts = [(p.copy(), v) for _, p, v, _ in predict(scene, engine, axes, batch)]
    return np.concatenate([p for p, _ in parts], 1), np.concatenate([v for _, v in parts], 0)


def untiled(path, model):
    engine = open_engine(model, threads=1)
    with open_scene(path, engine.spec.bands) as scene:
        image, valid = scene.read((0, scene.grid.height), (0, scene.grid.width))
    return engine.run(normalise(image[None], engine.spec, valid[None]))[0]


@pytest.mark.parametrize(
    ("height", "width", "tile", "overlap"),
    [(64, 64, 64, 16), (101, 37, 64, 16), (200, 161, 64, 32), (97, 130, 32, 0), (1, 1, 64, 16),
     (3, 250, 64, 3), (33, 65, 17, 8), (130, 130, 50, 7), (48, 48, 64, 16)],
)  # fmt: skip
def test_tiled_is_untiled_for_a_pointwise_model(
    save_model, write_scene, smooth, height, width, tile, overlap
):
    path, model = write_scene(smooth(height, width)), save_model("pointwise")
    result, valid = run(path, model, tile, overlap)
    assert result.shape == (3, height, width) and valid.all()
    assert np.abs(result - untiled(path, model)).max() < 1e-6


def test_constant_model_gives_a_constant_map(save_model, write_scene, smooth):
    result, _ = run(write_scene(smooth(150, 131)), save_model("constant"))
    # The logits are log 1, log 2, log 3: the probabilities 1/6, 2/6, 3/6.
    assert np.abs(result - np.array([1, 2, 3]).reshape(3, 1, 1) / 6).max() < 1e-6


def test_inside_of_tiles_is_untiled_for_a_conv_model(save_model, write_scene, smooth):
    path, model = write_scene(smooth(160, 150)), save_model("conv")
    # The dropped margin (16 / 4 = 4 px) is wider than the receptive field (1 px).
    result, expected = run(path, model)[0], untiled(path, model)
    assert np.abs(result - expected)[:, 1:-1, 1:-1].max() < 1e-6


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_batch_does_not_matter(save_model, write_scene, smooth, batch):
    path, model = write_scene(smooth(150, 131)), save_model("conv")
    first, again = run(path, model, batch=4)[0], run(path, model, batch=batch)[0]
    assert np.abs(first - again).max() < 1e-6
    assert np.array_equal(first.argmax(0), again.argmax(0))


def test_block_layout_of_the_file_does_not_matter(save_model, write_scene, smooth):
    image, model = smooth(150, 131), save_model("conv")
    striped = run(write_scene(image), model)[0]
    tiled = write_scene(image, "t.tif", tiled=True, blockxsize=32, blockysize=32, compress="lzw")
    assert np.array_equal(striped, run(tiled, model)[0])


@pytest.mark.parametrize("kind", ["conv", "wide"])
def test_no_seams(save_model, write_scene, smooth, kind):
    """Shifting the tile grid changes fewer than 1 % of the pixels of a smooth scene."""
    image, model = smooth(300, 280, noise=0), save_model(kind)
    whole = run(write_scene(image), model)[0].argmax(0)
    shares = []
    for shift in (5, 19, 31):
        cut = write_scene(image[:, shift:, shift:], f"cut{shift}.tif")
        moved = run(cut, model)[0].argmax(0)
        inner = np.s_[8:-8, 8:-8]  # away from the rim of the scene, which moved too
        shares.append((whole[shift:, shift:][inner] != moved[inner]).mean())
    assert max(shares) < 0.01
    assert len(np.unique(whole)) == 3


def test_tile_size_hardly_matters(save_model, write_scene, smooth):
    path, model = write_scene(smooth(300, 280, noise=0)), save_model("wide")
    a, b = (run(path, model, tile, tile // 4)[0].argmax(0) for tile in (64, 128))
    assert (a != b).mean() < 0.01


def test_nodata_is_masked_and_does_not_leak(save_model, write_scene, smooth):
    image = smooth(150, 131)
    image[:, 40:60, 30:90] = 0
    path, model = write_scene(image, nodata=0), save_model("pointwise")
    result, valid = run(path, model)
    assert np.array_equal(valid, (image != 0).all(0))
    image[:, 40:60, 30:90] = 60_000  # another filling, declared as no-data too
    other, _ = run(write_scene(image, "other.tif", nodata=60_000), model)
    assert np.abs(result - other)[:, valid].max() < 1e-6


def test_empty_tiles_are_skipped(save_model, write_scene, smooth):
    image = smooth(64, 640)
    image[:, :, 200:] = 0
    model = save_model("pointwise")
    engine = open_engine(model, threads=1)
    with open_scene(write_scene(image, nodata=0), engine.spec.bands) as scene:
        axes = (Axis(64, 64, 16), Axis(640, 64, 16))
        run_tiles = sum(n for *_, n in predict(scene, engine, axes, 4))
        with_data = sum(start < 200 for start in axes[1].starts())
        assert run_tiles == 2 * with_data < 2 * len(axes[1].starts())
        assert all(valid.any() for _, valid in sample_tiles(scene, axes, 4))


def test_nan_pixels_do_not_poison_their_neighbours(save_model, write_scene, smooth):
    image = smooth(90, 80).astype(np.float32)
    image[1, 40, 40] = np.nan
    result, valid = run(write_scene(image), save_model("conv"))
    assert np.isfinite(result).all() and not valid[40, 40] and valid.sum() == 90 * 80 - 1


def test_shuffled_bands_give_the_same_map(save_model, write_scene, smooth):
    image, model = smooth(90, 80), save_model("conv")
    first = run(write_scene(image), model)[0]
    shuffled = write_scene(image[[2, 0, 3, 1]], "shuffled.tif", ("B04", "B02", "B08", "B03"))
    assert np.array_equal(first, run(shuffled, model)[0])


def test_probabilities_sum_to_one(save_model, write_scene, smooth):
    result, _ = run(write_scene(smooth(150, 131)), save_model("wide"))
    assert np.abs(result.sum(0) - 1).max() < 1e-5
