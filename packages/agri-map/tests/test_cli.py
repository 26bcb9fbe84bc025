"""The command line: what a user sees, and every way in which a run can go wrong."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
import rasterio
from agri_map.cli import main
from rasterio.transform import Affine

AGRI_MAP = [sys.executable, "-c", "from agri_map.cli import main; main()"]
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Run the console script in this process, in a folder of its own."""

    def call(*arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["agri-map", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        output = capsys.readouterr()
        return SimpleNamespace(
            returncode=stop.value.code or 0, stdout=output.out, stderr=output.err
        )

    return call


@pytest.fixture
def inputs(save_model, write_scene, smooth):
    """A scene and a bundle."""
    image = smooth(300, 280)
    image[:, :30, :30] = 0
    return write_scene(image, nodata=0), save_model("conv")


@pytest.fixture
def fails(tmp_path, call):
    """Run `predict`, expect one line of error, exit code 2 and no map."""

    def fails(*arguments):
        run = call("predict", *arguments, "--out", "map.tif", "--threads", 1)
        assert run.returncode == 2, run.stderr
        lines = [line for line in run.stderr.splitlines() if not line.startswith("warning:")]
        assert len(lines) == 1 and lines[0].startswith("error: "), run.stderr
        assert not (tmp_path / "map.tif").exists() and not list(tmp_path.glob(".partial*"))
        return lines[0]

    return fails


def test_a_note_travels_with_the_map(call, fails, inputs, tmp_path):
    scene, model = inputs
    note = tmp_path / "why.json"
    note.write_text('{"name": "plain"}\n')
    run = call("predict", scene, "--model", model, "--out", "m.tif", "--note", note)
    assert run.returncode == 0, run.stderr
    with rasterio.open(tmp_path / "m.tif") as dataset:
        assert dataset.tags()["AGRI_NOTE"] == '{"name": "plain"}'
    for content, message in (
        (b"x" * 16_385, "16385 bytes; a note has at most 16384"),
        (b"\xff\xfe", "not UTF-8 text"), (b"a\0b", "NUL"),
    ):  # fmt: skip
        note.write_bytes(content)
        assert message in fails(scene, "--model", model, "--note", note)
    assert "no note gone.txt" in fails(scene, "--model", model, "--note", "gone.txt")


def test_the_spec_is_read_once(call, inputs, monkeypatch):
    from agri_map.bundle import bundle

    scene, model = inputs
    read, reader = [], bundle.read_metadata
    monkeypatch.setattr(bundle, "read_metadata", lambda path: read.append(path) or reader(path))
    run = call("predict", scene, "--model", model, "--out", "map.tif", "--threads", 1)
    assert run.returncode == 0, run.stderr
    assert read == [model]


def test_the_whole_way(call, inputs, tmp_path):
    scene, model = inputs
    run = call(
        "predict", scene, "--model", model, "--out", "maps/map.tif", "--threads", 1,
        "--confidence", "maps/confidence.tif", "--probabilities", "maps/p.tif",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "not an area estimate" in run.stdout and "km2/s" in run.stdout
    assert "map: maps/map.tif" in run.stdout and run.stderr == ""
    for _ in range(2):  # a second run replaces what the first one wrote
        run = call("area", "maps/map.tif", "--out", "reports")
    assert run.returncode == 0 and "arable" in run.stdout
    record = json.loads((tmp_path / "reports/area.json").read_text())
    assert record["total_hectares"] == pytest.approx(300 * 280 * 0.01)
    assert record["classes"][-1] == {
        "class_id": 255, "class": "no data", "pixels": 900, "hectares": 9.0, "share": None,
    }  # fmt: skip
    for name in ("map.gpkg", "map.geojson"):
        run = call("polygons", "maps/map.tif", "--out", name, "--minimum", 0.25,
                   "--confidence", "maps/confidence.tif", "--simplify", 15)  # fmt: skip
        assert run.returncode == 0, run.stderr
        assert "pixels changed" in run.stdout and "polygons" in run.stdout
    run = call("info", model)
    assert run.returncode == 0 and "B08" in run.stdout and "untested" in run.stdout
    assert json.loads(call("info", model, "--json").stdout)["name"] == "tiny"


def test_openvino_and_its_agreement(call, inputs, tmp_path):
    pytest.importorskip("openvino", reason="the extra agri-map[openvino] is not installed")
    scene, model = inputs
    maps = {}
    for name, options in {
        "ort": [], "ov": ["--engine", "openvino"],
        "bf16": ["--engine", "openvino", "--precision", "bf16"],
    }.items():  # fmt: skip
        run = call("predict", scene, "--model", model, "--out", f"{name}.tif", *options)
        assert run.returncode == 0, run.stderr
        assert ("bf16 gives the class of f32 in" in run.stdout) == (name == "bf16")
        with rasterio.open(tmp_path / f"{name}.tif") as out:
            maps[name], tags = out.read(1), out.tags()
        assert ("AGRI_AGREEMENT_WITH_F32" in tags) == (name == "bf16")
    assert 0.9 < float(tags["AGRI_AGREEMENT_WITH_F32"]) <= 1 and tags["AGRI_PRECISION"] == "bf16"
    assert np.array_equal(maps["ort"], maps["ov"])


def test_separate_files(call, inputs, tmp_path, write_scene, smooth):
    scene, model = inputs
    call("predict", scene, "--model", model, "--out", "one.tif")
    with rasterio.open(scene) as source:
        image = source.read()
    options = []
    for band, plane in zip(("B02", "B03", "B04", "B08"), image, strict=True):
        options += ["--band", f"{band}={write_scene(plane[None], f'{band}.tif', None, nodata=0)}"]
    run = call("predict", "--model", model, "--out", "two.tif", *options)
    assert run.returncode == 0, run.stderr
    with rasterio.open(tmp_path / "one.tif") as a, rasterio.open(tmp_path / "two.tif") as b:
        assert np.array_equal(a.read(1), b.read(1))


def test_no_crs(call, save_model, write_scene, smooth):
    scene = write_scene(smooth(80, 90), crs=None, transform=Affine.identity())
    run = call("predict", scene, "--model", save_model(), "--out", "map.tif")
    assert run.returncode == 0 and "warning: " in run.stderr and "no CRS" in run.stderr
    assert "no hectares" in run.stdout and "km2" not in run.stdout
    assert call("area", "map.tif").returncode == 2
    run = call("area", "map.tif", "--pixel", 100)  # 80 x 90 pixels of 1 ha
    assert run.returncode == 0 and "7,200.00" in run.stdout


def test_bundle_for_other_bands(fails, inputs, save_model, make_spec):
    model = save_model(spec=make_spec(bands=("B02", "B11")))
    assert "has no band B11; it has B02, B03, B04, B08" in fails(inputs[0], "--model", model)


def test_nothing_but_nodata(fails, save_model, write_scene):
    scene = write_scene(np.zeros((4, 100, 90), np.uint16), nodata=0)
    assert "holds no valid pixel" in fails(scene, "--model", save_model())


def test_wrong_unit(fails, save_model, write_scene, smooth, make_spec):
    model = save_model()
    floats = write_scene((smooth(90, 80) / 10_000).astype(np.float32), "f.tif")
    assert "looks like reflectance" in fails(floats, "--model", model)
    bytes_ = write_scene((smooth(90, 80) // 20).astype(np.uint8), "b.tif")
    assert "looks like uint8" in fails(bytes_, "--model", model)
    other = save_model(name="r.onnx", spec=make_spec(unit="reflectance", mean=(0.1,) * 4))
    assert "divide it by 10000" in fails(write_scene(smooth(90, 80)), "--model", other)


def test_a_bundle_of_patches(fails, inputs, save_model, make_spec):
    model = save_model(name="patches.onnx", spec=make_spec(task="classify"))
    message = fails(inputs[0], "--model", model)
    assert "tiny names whole patches" in message and "`agri-classify map`" in message


def test_vrt_in_disguise(fails, save_model, tmp_path):
    (tmp_path / "scene.tif").write_text("<VRTDataset rasterXSize='1' rasterYSize='1'/>")
    assert "expected a GeoTIFF or JPEG 2000 file" in fails("scene.tif", "--model", save_model())


def test_truncated_files(fails, inputs, tmp_path):
    scene, model = inputs
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(model.read_bytes()[:-100])
    assert "cut.onnx" in fails(scene, "--model", cut)
    scene.write_bytes(scene.read_bytes()[:-400_000])
    assert "truncated or damaged" in fails(scene, "--model", model)


def test_missing_files(fails, inputs):
    assert "there is no model bundle no.onnx" in fails(inputs[0], "--model", "no.onnx")
    assert "there is no raster file no.tif" in fails("no.tif", "--model", inputs[1])


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--tile", 8], "tile must be"), (["--tile", 0], "tile must be"),
     (["--tile", 1_000_000], "to 8192 pixels, got 1000000"),
     (["--overlap", 40], "overlap must lie in 0 to 32"),
     (["--batch", 0], "batch must be"),
     (["--precision", "bf16"], "--engine openvino"), (["--band", "B02"], "NAME=FILE"),
     (["--band", "B02=a", "--band", "B02=b"], "given twice"), (["--bands", "B02"], "1 names"),
     (["--band", "B77=a.tif"], "the model takes B02, B03, B04, B08")],
)  # fmt: skip
def test_wrong_options(fails, inputs, options, message):
    assert message in fails(inputs[0], "--model", inputs[1], *options)


def test_an_unknown_engine(call, inputs):
    run = call("predict", inputs[0], "--model", inputs[1], "--out", "m.tif", "--engine", "torch")
    assert run.returncode == 2
    assert "'torch' is not one of 'onnxruntime', 'openvino'" in run.stderr


def test_no_scene_at_all(fails, save_model):
    assert "--band" in fails("--model", save_model())


def test_full_disk(tmp_path, inputs):
    """Files may not grow beyond 10 kB: writing fails, nothing is left behind."""
    scene, model = inputs

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    run = subprocess.run(
        [*AGRI_MAP, "predict", scene, "--model", model, "--out", "map.tif",
         "--probabilities", "p.tif", "--exact"],
        cwd=tmp_path, env=ONE_THREAD, capture_output=True, text=True, preexec_fn=limit,
    )  # fmt: skip
    assert run.returncode == 2, run.stderr
    last = run.stderr.splitlines()[-1]
    assert last.startswith("error: cannot write ") and "is the disk full?" in last, run.stderr
    assert "Traceback" not in run.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.onnx", "scene.tif"]


def test_killed_half_way(tmp_path, save_model, write_scene, smooth):
    scene = write_scene(smooth(1500, 1500), tiled=True)
    process = subprocess.Popen(
        [*AGRI_MAP, "predict", scene, "--model", save_model("wide"), "--out", "map.tif",
         "--batch", "1", "--tile", "32", "--threads", "1"],
        cwd=tmp_path, env=ONE_THREAD, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip

    def written() -> int:
        return sum(path.stat().st_size for path in tmp_path.glob(".partial*/*"))

    begun = time.monotonic()
    # A look every 20 ms; what is awaited is asserted below, so that no pace can hide its absence.
    while not written() and process.poll() is None and time.monotonic() - begun < 60:
        time.sleep(0.02)
    assert written() and process.poll() is None, "the kill must come while the map is written"
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert not list(tmp_path.glob("map*")) and written()
    small = write_scene(smooth(64, 64), "small.tif")
    subprocess.run(
        [*AGRI_MAP, "predict", small, "--model", save_model("wide"), "--out", "map.tif"],
        cwd=tmp_path, env=ONE_THREAD, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    assert (tmp_path / "map.tif").exists() and not list(tmp_path.glob(".partial*"))


@pytest.mark.parametrize("command", ["predict", "area", "polygons", "show", "info"])
def test_help_has_an_example(call, command):
    run = call(command, "--help")
    assert run.returncode == 0 and f"agri-map {command}" in run.stdout


def test_help_is_quick():
    code = (
        "import sys, agri_map.cli; heavy = {'numpy', 'rasterio', 'onnxruntime', 'matplotlib', "
        "'shapely', 'pandas', 'torch'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_torch_anywhere():
    code = (
        "import sys, pkgutil, importlib, agri_map\n"
        "for m in pkgutil.walk_packages(agri_map.__path__, 'agri_map.'):\n"
        "    importlib.import_module(m.name)\n"
        "assert not {'torch', 'tensorflow', 'agri_train'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
