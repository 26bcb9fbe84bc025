"""`agri-classify map`: a bundle whose answers are known, on scenes whose maps are."""

import subprocess
import sys

import numpy as np
import onnx
import pytest
import rasterio
from agri_classify.cli import app
from agri_core.files.errors import AgriError
from agri_core.legend import IGNORE, Legend
from agri_map.analysis.area import measure
from agri_map.bundle.bundle import metadata
from agri_map.bundle.spec import BundleSpec
from onnx import TensorProto, helper, numpy_helper
from rasterio.transform import from_origin
from typer.testing import CliRunner

BANDS = ("B04", "B03", "B02")
PATCH = 16
DARK, BRIGHT = 50, 150
HERE = from_origin(4_500_000, 3_000_000, 10, 10)


@pytest.fixture
def save_bundle(tmp_path):
    """A bundle that calls patches of a mean above 100 `bright`, at 150 with odds of e^10."""

    def save(name="bundle.onnx", **changes):
        facts = {
            "name": "light", "task": "classify", "bands": BANDS, "unit": "uint8",
            "mean": (100.0,) * 3, "std": (10.0,) * 3, "tile": PATCH, "overlap": 0,
            "legend": Legend.of({"dark": "#202020", "bright": "#f0f0f0"}), "pixel_size": 10.0,
        }  # fmt: skip
        spec = BundleSpec(**facts | changes)
        # A third of each band: logits -m and m of the normalised mean m.
        weight = np.array([[-1] * 3, [1] * 3], np.float32) / 3
        nodes = [
            helper.make_node("GlobalAveragePool", ["image"], ["means"]),
            helper.make_node("Flatten", ["means"], ["flat"]),
            helper.make_node("Gemm", ["flat", "weight"], ["logits"], transB=1),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ]
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, "h", "w"])
        answer = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 2])
        graph = helper.make_graph(
            nodes, "light", [image], [answer], [numpy_helper.from_array(weight, "weight")]
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        helper.set_model_props(model, metadata(spec))
        onnx.save(model, tmp_path / name)
        return tmp_path / name

    return save


@pytest.fixture
def write(tmp_path):
    """Write one plane as all three bands of a scene."""

    def write(plane, name="scene.tif", bands=BANDS, nodata=None):
        path, (height, width) = tmp_path / name, plane.shape
        with rasterio.open(
            path, "w", driver="GTiff", dtype=plane.dtype, count=len(bands), height=height,
            width=width, crs="EPSG:3035", transform=HERE, nodata=nodata,
        ) as dataset:  # fmt: skip
            for number, band in enumerate(bands, start=1):
                dataset.write(plane, number)
                dataset.set_band_description(number, band)
        return path

    return write


@pytest.fixture
def halves():
    """Bright to the left of column 48, dark to the right."""
    plane = np.full((40, 96), DARK, np.uint8)
    plane[:, :48] = BRIGHT
    return plane


@pytest.fixture
def run(tmp_path):
    """Run the command and give its codes, or its one line of error."""

    def run(*words):
        out = tmp_path / "map.tif"
        done = CliRunner().invoke(
            app, ["map", *map(str, words), "--out", str(out), "--threads", "1"]
        )
        if done.exit_code:
            assert isinstance(done.exception, AgriError), done.output
            assert not out.exists()
            return str(done.exception)
        with rasterio.open(out) as dataset:
            return dataset.read(1)

    return run


@pytest.mark.parametrize("step", [[], ["--step", 16], ["--step", 4]])
def test_the_border_is_where_it_is(run, save_bundle, write, halves, step):
    codes = run(write(halves), "--model", save_bundle(), *step)
    assert np.array_equal(codes, halves == BRIGHT)


def test_the_map_lies_on_the_grid_of_the_scene(run, save_bundle, write, halves, tmp_path):
    scene = write(halves)
    run(scene, "--model", save_bundle())
    with rasterio.open(tmp_path / "map.tif") as found, rasterio.open(scene) as wanted:
        assert (found.crs, found.transform, found.shape) == (
            wanted.crs, wanted.transform, wanted.shape
        )  # fmt: skip
        assert found.colormap(1)[0] == (32, 32, 32, 255)
        assert found.colormap(1)[1] == (240, 240, 240, 255)
        tags = found.tags()
    assert found.nodata == IGNORE
    assert (tags["AGRI_TASK"], tags["AGRI_TILE"], tags["AGRI_OVERLAP"]) == ("classify", "16", "8")
    assert "AGRI_SCALE" not in tags


def test_blocks(run, save_bundle, write):
    """Patches side by side, each bright or dark by its own mean."""
    truth = np.array([[0, 1, 0, 0], [1, 1, 0, 1]], np.uint8)
    noise = np.random.default_rng(0).integers(-40, 41, (32, 64))
    plane = np.where(truth, BRIGHT, DARK).repeat(16, 0).repeat(16, 1) + noise
    codes = run(write(plane.astype(np.uint8)), "--model", save_bundle(), "--step", 16)
    assert np.array_equal(codes, truth.repeat(16, 0).repeat(16, 1))


def test_confidence_and_probabilities(run, save_bundle, write, halves, tmp_path):
    extra = tmp_path / "c.tif", tmp_path / "p.tif"
    run(write(halves), "--model", save_bundle(), "--confidence", extra[0], "--probabilities",
        extra[1])  # fmt: skip
    with rasterio.open(extra[0]) as c, rasterio.open(extra[1]) as p:
        confidence, (dark, bright) = c.read(1), p.read()
    # Only the patches from 40 to 56 see both halves: there m = 0 and both classes have 50 %.
    assert (confidence[:, :40] == 100).all() and (confidence[:, 56:] == 100).all()
    assert (confidence[:, 44:52] < 95).all() and (confidence >= 50).all()
    assert (np.abs(dark.astype(int) + bright - 100) <= 1).all()
    assert (bright[:, :40] == 100).all() and (dark[:, 56:] == 100).all()


def test_no_data_stays_no_data(run, save_bundle, write, halves):
    halves[5:9, 30:70] = 0
    halves[:, 90:] = 0
    codes = run(write(halves, nodata=0), "--model", save_bundle(), "--step", 16)
    assert np.array_equal(codes == IGNORE, halves == 0)
    assert np.array_equal(codes[halves > 0], (halves == BRIGHT)[halves > 0])
    assert np.array_equal(
        codes, run(write(halves, "b.tif"), "--model", save_bundle(), "--step", 16, "--nodata", 0)
    )


def test_a_scene_smaller_than_a_patch(run, save_bundle, write):
    assert (run(write(np.full((5, 9), BRIGHT, np.uint8)), "--model", save_bundle()) == 1).all()


def test_area_of_the_map(run, save_bundle, write, halves, tmp_path):
    run(write(halves), "--model", save_bundle())
    table, _ = measure(tmp_path / "map.tif")
    # 40 x 48 pixels of 100 square metres each: 19.2 ha of either class.
    assert [(row.name, row.hectares) for row in table.rows] == [
        ("dark", pytest.approx(19.2)), ("bright", pytest.approx(19.2)), ("no data", 0)
    ]  # fmt: skip


def test_bands_by_name(run, save_bundle, write, halves):
    scene = write(halves, bands=("a", "b", "c", "d"))
    model = save_bundle()
    assert "has no band B04, B03, B02; it has a, b, c, d" in run(scene, "--model", model)
    assert "name a scene" in run("--model", model)
    named = run(scene, "--model", model, "--bands", "B02,B08,B03,B04")
    one = write(halves, "one.tif", bands=("B04",))
    files = [word for name in BANDS for word in ("--band", f"{name}={one}")]
    assert np.array_equal(named, run("--model", model, *files))


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_scale(run, save_bundle, write, halves, tmp_path, kind):
    """50 and 150 of 255 stand for 539 and 1618 of 2750."""
    model, top = save_bundle(), 2750 if kind is np.uint16 else 0.275
    wide = (halves * (top / 255) + (0.5 if kind is np.uint16 else 0)).astype(kind)
    wide[:3, :3] = 0
    scene = write(wide, nodata=0)
    assert f"--scale {top:g}" in run(scene, "--model", model)
    codes = run(scene, "--model", model, "--scale", top)
    assert (codes[:3, :3] == IGNORE).all()
    assert np.array_equal(codes[3:], halves[3:] == BRIGHT)
    with rasterio.open(tmp_path / "map.tif") as dataset:
        assert dataset.tags()["AGRI_SCALE"] == f"0 to {top:g} became 0 to 255"


def test_a_scale_that_does_not_suit(run, save_bundle, write, halves):
    wide = write(halves.astype(np.uint16) * 10, "wide.tif")
    other = save_bundle("dn.onnx", unit="dn")
    assert "fitted on dn; leave the scale out" in run(wide, "--model", other, "--scale", 2750)
    model = save_bundle()
    assert "8-bit values already" in run(write(halves), "--model", model, "--scale", 2750)
    assert "scale must be above 0" in run(wide, "--model", model, "--scale", -1)


def test_a_bundle_of_pixels_is_refused(run, save_bundle, write, halves):
    message = run(write(halves), "--model", save_bundle(task="segment"))
    assert "is for segmentation; use `agri-map predict`" in message


@pytest.mark.parametrize("step", [0, 17])
def test_step_out_of_range(run, save_bundle, write, halves, step):
    message = run(write(halves), "--model", save_bundle(), "--step", step)
    assert f"step must lie in 1 to 16, the patch of the bundle light, got {step}" in message


def test_help():
    done = CliRunner().invoke(app, ["map", "--help"])
    assert done.exit_code == 0
    # Lines break at hyphens as well, wherever the width of the terminal has it.
    text = "".join(done.output.split())
    assert "Example:agri-classifymap" in text and "EuroSAT" in text


def test_no_torch():
    code = (
        "import sys; import agri_classify.commands.map as m; assert 'numpy' not in sys.modules\n"
        "from pathlib import Path\n"
        "try: m.map_patches(None, model=Path('no.onnx'), out=Path('m.tif'))\n"
        "except FileNotFoundError: pass\n"
        "import agri_map.mapping; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
