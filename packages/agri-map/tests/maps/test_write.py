"""The files: georeference, COG layout, colours, names, tags, and what is not overwritten."""

import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import rasterio
from agri_core.files.errors import InputError
from agri_core.raster.grid import Grid
from agri_map import mapping
from agri_map.inference.engine import open_engine
from agri_map.mapping import Options, Outputs, map_scene
from agri_map.maps.write import Layout, argmax, encode, raster_sink
from agri_map.scene.scene import open_scene
from rasterio.env import get_gdal_config
from rasterio.transform import Affine

ROTATED = Affine(9.3, 2.1, 321_000.5, 1.9, -9.4, 5_600_000.25)


@pytest.fixture
def make_map(tmp_path, save_model, write_scene, smooth):
    def make(image=None, model=None, outputs=None, options=None, **scene):
        image = smooth(700, 650) if image is None else image
        model = model or save_model("conv")
        path = write_scene(image, **scene)
        outputs = outputs or Outputs(tmp_path / "map.tif")
        with open_scene(path, open_engine(model).spec.bands) as source:
            return map_scene(source, model, outputs, options or Options(threads=1))

    return make


@pytest.mark.parametrize(
    ("crs", "transform"),
    [("EPSG:32633", Affine(10, 0, 499_980, 0, -10, 5_500_020)), ("EPSG:32633", ROTATED),
     ("EPSG:4326", Affine(0.0001, 0, 15.123456789, 0, -0.0001, 49.987654321)),
     ("EPSG:2056", Affine(10, 0, 2_600_000, 0, -10, 1_200_000)), (None, Affine.identity())],
)  # fmt: skip
def test_georeference_is_exactly_the_scenes(make_map, smooth, crs, transform):
    result = make_map(smooth(90, 80), crs=crs, transform=transform)
    with (
        rasterio.open(result.path.parent / "scene.tif") as scene,
        rasterio.open(result.path) as out,
    ):
        assert out.crs == scene.crs
        assert out.transform == scene.transform == transform
        assert out.shape == scene.shape


def test_the_cache_holds_a_row_of_the_scenes_blocks(make_map, smooth, monkeypatch):
    seen = []
    write = mapping._write

    def note(scene, *args):
        seen.append((get_gdal_config("GDAL_CACHEMAX"), scene.block_row_bytes))
        return write(scene, *args)

    monkeypatch.setattr(mapping, "_write", note)
    make_map(smooth(90, 80))
    ((cache, row),) = seen
    # In bytes: a row of blocks and 16 MiB; without it, JPEG 2000 is decoded once a strip of tiles.
    assert cache == row + 16 * 1024 * 1024 and row >= 80 * 4 * 2


@pytest.mark.parametrize("suffix", [".ovr", ".msk"])
def test_side_files_of_an_earlier_map_are_not_read_with_the_new_one(make_map, smooth, suffix):
    path = make_map(smooth(90, 80)).path
    before = path.read_bytes()
    path.with_name(path.name + suffix).write_bytes(b"made by another program")
    with pytest.raises(InputError, match=rf"map\.tif\{suffix} belongs to an earlier map\.tif"):
        make_map(smooth(90, 80))
    assert path.read_bytes() == before


def test_an_independent_validator_finds_valid_cogs(make_map, smooth, tmp_path):
    rio_cogeo = pytest.importorskip("rio_cogeo", reason="rio-cogeo (group test) is missing")
    outputs = Outputs(tmp_path / "map.tif", tmp_path / "p.tif", tmp_path / "c.tif")
    make_map(outputs=outputs)
    for path in (outputs.map, outputs.probabilities, outputs.confidence):
        valid, errors, _ = rio_cogeo.cog_validate(path, strict=True)
        assert valid and not errors


def test_is_a_cog_with_class_codes_only(make_map):
    result = make_map()
    with rasterio.open(result.path) as out:
        assert out.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert out.nodata == 255 and out.dtypes == ("uint8",)
        codes = set(np.unique(out.read(1)))
        assert out.overviews(1)
        for level in range(len(out.overviews(1))):
            with rasterio.open(result.path, overview_level=level) as small:
                assert set(np.unique(small.read(1))) <= codes <= {0, 1, 2}


def test_colours_names_and_tags(make_map, legend):
    result = make_map()
    with rasterio.open(result.path) as out:
        assert out.colormap(1)[1] == (0xE8, 0xC5, 0x47, 255)
        assert out.colorinterp == (rasterio.enums.ColorInterp.palette,)
        assert {k: v for k, v in out.tags(1).items() if k.startswith("CLASS_")} == {
            "CLASS_0": "other", "CLASS_1": "arable", "CLASS_2": "water",
        }  # fmt: skip
        tags = out.tags()
    assert json.loads(tags["AGRI_LEGEND"]) == legend.to_list()
    assert tags["AGRI_BUNDLE"] == "tiny" and len(tags["AGRI_BUNDLE_SHA256"]) == 64
    assert (tags["AGRI_ENGINE"], tags["AGRI_PRECISION"]) == ("onnxruntime", "f32")
    assert (tags["AGRI_TILE"], tags["AGRI_OVERLAP"]) == ("64", "16")
    sidecar = ElementTree.parse(f"{result.path}.aux.xml")
    assert [item.text for item in sidecar.iter("Category")] == ["other", "arable", "water"]
    style = ElementTree.parse(result.path.with_suffix(".qml"))
    entries = style.iter("paletteEntry")
    assert [(e.get("value"), e.get("label"), e.get("color")) for e in entries] == [
        ("0", "other", "#c8c8c8"), ("1", "arable", "#e8c547"), ("2", "water", "#2a7fba"),
    ]  # fmt: skip


def test_nodata_and_counts(make_map, smooth):
    image = smooth(150, 131)
    image[:, :30] = 0
    result = make_map(image, nodata=0)
    with rasterio.open(result.path) as out:
        codes = out.read(1)
    assert (codes[:30] == 255).all() and (codes[30:] < 3).all()
    assert result.area.pixels.tolist() == np.bincount(codes.ravel(), minlength=256).tolist()
    assert result.area.metres.sum() == pytest.approx(150 * 131 * 100, rel=1e-8)


def test_probabilities_and_confidence_exact(make_map, smooth, tmp_path):
    image = smooth(150, 131)
    image[:, 50:60, 70:80] = 0
    outputs = Outputs(tmp_path / "map.tif", tmp_path / "p.tif", tmp_path / "c.tif")
    make_map(image, outputs=outputs, options=Options(threads=1, exact=True), nodata=0)
    valid = (image != 0).all(0)
    with rasterio.open(outputs.map) as out:
        codes = out.read(1)
    with rasterio.open(outputs.probabilities) as out:
        p = out.read()
        assert out.descriptions[1] == "probability of arable" and np.isnan(out.nodata)
    with rasterio.open(outputs.confidence) as out:
        c = out.read(1)
    assert np.isnan(p[:, ~valid]).all() and np.isnan(c[~valid]).all()
    assert np.abs(p[:, valid].sum(0) - 1).max() < 1e-5
    assert np.array_equal(p[:, valid].argmax(0), codes[valid])
    assert np.array_equal(p[:, valid].max(0), c[valid])


def test_percent(make_map, smooth, tmp_path):
    outputs = Outputs(tmp_path / "map.tif", tmp_path / "p.tif", tmp_path / "c.tif")
    make_map(smooth(90, 80), outputs=outputs)
    for path, count in ((outputs.probabilities, 3), (outputs.confidence, 1)):
        with rasterio.open(path) as out:
            values = out.read()
            assert out.dtypes == ("uint8",) * count and out.nodata == 255
            assert out.tags(1)["UNIT"] == "percent"
            assert values.max() <= 100
            assert out.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"


def test_encode_literal(legend):
    p = np.array([[[0.5, 0.2]], [[0.5, 0.3]], [[0.0, 0.5]]], np.float32)
    valid = np.array([[True, False]])
    assert encode(p, valid, Layout("classes", legend)).tolist() == [[[0, 255]]]
    assert encode(p, valid, Layout("confidence", legend)).tolist() == [[[50, 255]]]
    assert encode(p, valid, Layout("probabilities", legend)).tolist() == [
        [[50, 255]], [[50, 255]], [[0, 255]],
    ]  # fmt: skip


def test_argmax_is_numpys():
    p = np.random.default_rng(0).integers(0, 4, (6, 30, 20)).astype(np.float32)  # with ties
    assert np.array_equal(argmax(p), p.argmax(0))


def test_only_the_results_stay(make_map, smooth, tmp_path):
    outputs = Outputs(*(tmp_path / "maps" / name for name in ("map.tif", "p.tif", "c.tif")))
    make_map(smooth(64, 64), outputs=outputs)
    assert sorted(path.name for path in (tmp_path / "maps").glob("[!.]*")) == [
        "c.tif", "map.qml", "map.tif", "map.tif.aux.xml", "p.tif",
    ]  # fmt: skip


def test_rerun_gives_the_same_bytes(make_map):
    first = make_map().path.read_bytes()
    assert make_map().path.read_bytes() == first


def test_a_style_saved_by_hand_is_kept(make_map, smooth, tmp_path):
    make_map(smooth(64, 64))
    make_map(smooth(64, 64))
    style = tmp_path / "map.qml"
    style.write_text("<qgis>mine</qgis>")
    make_map(smooth(64, 64))
    assert style.read_text() == "<qgis>mine</qgis>"


def test_outputs_are_tiffs(make_map, smooth, tmp_path):
    with pytest.raises(InputError, match=r"ending in \.tif, got .*map\.png"):
        make_map(smooth(64, 64), outputs=Outputs(tmp_path / "map.png"))


def test_foreign_files_are_not_overwritten(make_map, tmp_path, write_scene, smooth):
    (tmp_path / "map.tif").write_text("my thesis")
    with pytest.raises(InputError, match="was not written by"):
        make_map(smooth(64, 64))
    assert (tmp_path / "map.tif").read_text() == "my thesis"
    (tmp_path / "folder.tif").mkdir()
    with pytest.raises(InputError, match="exists and is not a file"):
        make_map(smooth(64, 64), outputs=Outputs(tmp_path / "folder.tif"))
    other = write_scene(smooth(64, 64), "other.tif")
    with pytest.raises(InputError, match="was not written by"):
        make_map(smooth(64, 64), outputs=Outputs(other))


def test_inputs_are_not_overwritten(make_map, tmp_path, smooth):
    with pytest.raises(InputError, match="is the scene or the bundle itself"):
        make_map(smooth(64, 64), outputs=Outputs(tmp_path / "scene.tif"))
    with pytest.raises(InputError, match="need different files"):
        make_map(smooth(64, 64), outputs=Outputs(tmp_path / "a.tif", tmp_path / "a.tif"))


def test_an_error_leaves_nothing(tmp_path, legend):
    grid = Grid(None, Affine.identity(), 8, 8)
    with pytest.raises(RuntimeError), raster_sink(
        tmp_path / "map.tif", grid, Layout("classes", legend), {}
    ) as sink:  # fmt: skip
        sink.put(0, np.ones((3, 4, 8), np.float32), np.ones((4, 8), bool))
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_lost_blocks_are_noticed(tmp_path, legend):
    grid = Grid(None, Affine.identity(), 8, 8)
    with pytest.raises(OSError, match="does not read back"), raster_sink(
        tmp_path / "map.tif", grid, Layout("classes", legend), {}
    ) as sink:  # fmt: skip
        sink.put(0, np.ones((3, 8, 8), np.float32), np.ones((8, 8), bool))
        sink.written += 1
    assert list(tmp_path.iterdir()) == []
