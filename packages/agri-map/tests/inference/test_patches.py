"""A map from a bundle that names whole patches."""

import numpy as np
import pytest
import rasterio
from agri_core.files.errors import InputError
from agri_map.bundle.preprocess import normalise
from agri_map.inference.engine import open_engine
from agri_map.inference.patches import Patches, patch_axes
from agri_map.inference.tiles import Axis
from agri_map.mapping import Options, Outputs, make_axes, map_scene
from agri_map.scene.scene import open_scene


@pytest.fixture
def bundle(save_model, make_spec):
    return save_model("pointwise", spec=make_spec(task="classify", tile=16, overlap=4))


@pytest.fixture
def run(tmp_path, bundle):
    """Map a scene and give its probabilities `(K, H, W)` and the result."""

    def run(path, **options):
        out = Outputs(tmp_path / "map.tif", tmp_path / "p.tif")
        with open_scene(path, open_engine(bundle).spec.bands) as scene:
            result = map_scene(scene, bundle, out, Options(threads=1, exact=True, **options))
        with rasterio.open(out.probabilities) as dataset:
            return dataset.read(), result

    return run


def answers(bundle, patches):
    """Run the engine itself on `(N, C, H, W)`."""
    engine = open_engine(bundle, threads=1)
    return engine.run(normalise(np.moveaxis(patches, 1, -1), engine.spec))


def test_an_answer_is_spread_without_memory(bundle, smooth):
    patch = smooth(16, 16)[None]
    engine = Patches(open_engine(bundle, threads=1))
    spread = engine.run(normalise(np.moveaxis(patch, 1, -1), engine.spec))
    assert spread.shape == (1, 3, 16, 16) and spread.strides[2:] == (0, 0)
    assert np.array_equal(spread[:, :, 7, 9], answers(bundle, patch))


def test_a_scene_of_one_patch_has_its_answer(run, bundle, write_scene, smooth):
    image = smooth(16, 16)
    found, result = run(write_scene(image))
    assert result.tiles == 1
    expected = answers(bundle, image[None])[0][:, None, None]
    assert np.abs(found - expected).max() < 1e-6


def test_a_smaller_scene_is_reflected(run, bundle, write_scene, smooth):
    image = smooth(10, 12)
    found, result = run(write_scene(image))
    padded = np.pad(image, ((0, 0), (0, 6), (0, 4)), mode="reflect")
    assert result.tiles == 1 and found.shape == (3, 10, 12)
    assert np.abs(found - answers(bundle, padded[None])[0][:, None, None]).max() < 1e-6


def test_patches_side_by_side_are_blocks(run, bundle, write_scene, smooth):
    image = smooth(32, 48)
    found, result = run(write_scene(image), step=16)
    assert result.tiles == 2 * 3
    blocks = image.reshape(4, 2, 16, 3, 16).transpose(1, 3, 0, 2, 4).reshape(6, 4, 16, 16)
    grid = answers(bundle, blocks).reshape(2, 3, 3).transpose(2, 0, 1)
    assert np.abs(found - grid.repeat(16, 1).repeat(16, 2)).max() < 1e-6


@pytest.mark.parametrize("step", [None, 3, 11, 16])
def test_a_pixel_is_the_blend_of_the_patches_over_it(run, bundle, write_scene, smooth, step):
    """Every patch is run by itself, spread and weighted with the plain outer product."""
    image = smooth(41, 37)
    found, result = run(write_scene(image), step=step)
    overlap = 16 - (step or 8)
    rows, cols = Axis(41, 16, overlap, whole=True), Axis(37, 16, overlap, whole=True)
    expected, count = np.zeros((3, 41, 37)), 0
    for top, down in zip(rows.starts(), rows.weights(), strict=True):
        for left, across in zip(cols.starts(), cols.weights(), strict=True):
            patch = image[None, :, top : top + 16, left : left + 16]
            share = answers(bundle, patch)[0][:, None, None] * np.outer(down, across)
            expected[:, top : top + 16, left : left + 16] += share
            count += 1
    assert result.tiles == count
    assert np.abs(found - expected).max() < 1e-6
    assert np.abs(found.sum(0) - 1).max() < 1e-5


def test_bf16_is_compared_with_f32(run, bundle, write_scene, smooth):
    pytest.importorskip("openvino", reason="the extra agri-map[openvino] is not installed")
    _, result = run(write_scene(smooth(40, 40)), engine="openvino", precision="bf16")
    assert 0.9 < result.agreement <= 1


def test_sizes(write_scene, smooth, make_spec):
    patches = make_spec(task="classify", tile=17, overlap=0)
    with open_scene(write_scene(smooth(50, 40)), patches.bands) as scene:
        assert patch_axes(scene.grid, patches, None)[0] == Axis(50, 17, 8, whole=True)
        assert make_axes(scene, patches, Options(step=5))[1] == Axis(40, 17, 12, whole=True)
        for step in (0, 18, -1):
            with pytest.raises(InputError, match=f"1 to 17, the patch of .* tiny, got {step}"):
                make_axes(scene, patches, Options(step=step))
        for wrong in (Options(tile=32), Options(overlap=2)):
            with pytest.raises(InputError, match="patches of 17 pixels: choose a step"):
                make_axes(scene, patches, wrong)
        with pytest.raises(InputError, match="a step is for patches"):
            make_axes(scene, make_spec(), Options(step=8))
