from __future__ import annotations

import json
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
from agri_core.files.errors import InputError
from agri_core.legend import ARABLE, COVER, IGNORE
from agri_data.synth import truth as truths
from agri_data.synth.layout.frame import Frame
from agri_data.synth.layout.noise import fractal, ranks
from agri_data.synth.layout.shapes import above, blob
from agri_data.synth.scene import Place, Scene, names, observe_place, place
from agri_data.synth.spectra.crops import CROPS, SHARES
from agri_data.synth.spectra.endmembers import ENDMEMBERS, SCENE_BANDS, mix
from agri_data.synth.spectra.sensor import observe
from agri_data.synth.spectra.weather import sky
from agri_data.synth.write import Plan, write_synth
from rasterio.errors import RasterioIOError
from rasterio.features import rasterize
from ruamel.yaml import YAML
from shapely.geometry import box

SIZE = 160


@pytest.fixture(scope="module")
def spot() -> Place:
    return place("alder", 0, seed=7, size=SIZE)


@pytest.fixture(scope="module")
def scenes(spot: Place) -> list[Scene]:
    return list(observe_place(spot, "cover"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("synth") / "scenes"
    write_synth(out, Plan(seed=3, size=128, places=1, clouds=0.05, wedge=0.04))
    return out


def test_same_seed_gives_same_arrays(scenes: list[Scene]) -> None:
    again = list(observe_place(place("alder", 0, seed=7, size=SIZE), "cover"))
    for one, two in zip(scenes, again, strict=True):
        np.testing.assert_array_equal(one.image, two.image)
        np.testing.assert_array_equal(one.truth, two.truth)


def test_another_seed_gives_another_place(spot: Place) -> None:
    other = place("alder", 0, seed=8, size=SIZE)
    differs = truths.labels(spot.land, 0, "cover") != truths.labels(other.land, 0, "cover")
    assert differs.mean() > 0.3


def test_features_tile_the_scene_without_gap_or_overlap(spot: Place) -> None:
    import shapely

    shapes = [feature.shape for feature in spot.land.features]
    square = spot.land.frame.square
    assert sum(shape.area for shape in shapes) == pytest.approx(square.area, rel=1e-6)
    assert shapely.union_all(shapes).area == pytest.approx(square.area, rel=1e-6)


@pytest.mark.parametrize("size", [64, 96, 250])
def test_every_size_has_all_six_covers(size: int) -> None:
    land = place("alder", 0, seed=1, size=size).land
    ids = set(np.unique(truths.labels(land, 0, "cover")).tolist())
    assert ids == set(range(len(COVER)))


def test_default_scene_has_sensible_shares() -> None:
    land = place("alder", 0, seed=7, size=512).land
    share = {name: land.hectares(name) / land.frame.hectares for name in COVER.names}
    assert 0.35 < share["arable"] < 0.5
    assert 0.15 < share["grassland"] < 0.3
    assert 0.15 < share["forest"] < 0.3
    assert 0.04 < share["built-up"] < 0.09
    assert 0.03 < share["water"] < 0.08
    assert 0.02 < share["bare"] < 0.08


def test_change_is_exactly_the_planted_polygons(scenes: list[Scene], spot: Place) -> None:
    changed = truths.changes(spot.land)
    table = changed.columns
    planted = rasterize(
        [(shape, 1) for shape in changed.geometries],
        (SIZE, SIZE),
        transform=spot.land.frame.transform(),
        dtype="uint8",
    )
    np.testing.assert_array_equal(scenes[0].truth != scenes[1].truth, planted == 1)
    pairs = set(zip(table["from"], table["to"], strict=True))
    assert {("forest", "bare"), ("arable", "built-up"), ("grassland", "arable")} <= pairs
    total = sum(truths.change_hectares(spot.land.features).values())
    assert total == pytest.approx(table["area_ha"].sum(), abs=0.01)
    assert 0.01 < total / spot.land.frame.hectares < 0.12


def _index(scene: Scene, cover: str, upper: str, lower: str) -> float:
    pixels = scene.image[scene.truth == COVER.index(cover)].astype(float)
    one, two = (pixels[:, SCENE_BANDS.index(name)] for name in (upper, lower))
    return float(np.median((one - two) / (one + two)))


def test_spectra_are_plausible(scenes: list[Scene]) -> None:
    for scene in scenes:
        ndvi = {cover: _index(scene, cover, "B08", "B04") for cover in COVER.names}
        assert ndvi["forest"] > 0.7 > ndvi["bare"]
        assert ndvi["forest"] > ndvi["grassland"] > ndvi["bare"] > ndvi["water"]
        assert ndvi["water"] < 0
        assert _index(scene, "forest", "B11", "B12") > 0.2
        water = scene.image[scene.truth == COVER.index("water")]
        assert np.median(water[:, SCENE_BANDS.index("B08")]) < 500


def test_seasons_differ_on_fields_and_not_on_forest(scenes: list[Scene]) -> None:
    change = {}
    for cover in ("arable", "forest"):
        same = (scenes[0].truth == COVER.index(cover)) & (scenes[1].truth == COVER.index(cover))
        reds = [scene.image[same][:, SCENE_BANDS.index("B04")].astype(float) for scene in scenes]
        change[cover] = float(np.abs(reds[1] - reds[0]).mean())
    assert change["arable"] > 4 * change["forest"]


def test_a_linear_model_on_single_pixels_is_neither_lost_nor_done(scenes: list[Scene]) -> None:
    from agri_core.confusion import confusion, iou
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    first, second = scenes[0], next(observe_place(place("birch", 1, seed=7, size=SIZE), "cover"))
    model = make_pipeline(StandardScaler(), LogisticRegression(tol=0.01, max_iter=200))
    chosen = np.random.default_rng(0).choice(SIZE * SIZE, 6000, replace=False)
    model.fit(first.image.reshape(-1, 10)[chosen], first.truth.ravel()[chosen])
    predicted = model.predict(second.image.reshape(-1, 10)).astype(np.uint8)
    score = np.nanmean(iou(confusion(second.truth.ravel(), predicted, len(COVER))))
    assert 0.45 < score < 0.8


def test_files_agree_with_each_other(written: Path) -> None:
    for stem in ("alder-2023", "alder-2024", "map-2023", "map-2024"):
        polygons = geopandas.read_file(written / "truth" / f"{stem}.geojson")
        assert polygons.crs == "EPSG:4326"
        with (
            rasterio.open(written / "truth" / f"{stem}.tif") as truth,
            rasterio.open(written / f"{stem}.tif") as image,
        ):
            assert truth.crs == image.crs == "EPSG:32633"
            polygons = polygons.to_crs(truth.crs)
            assert truth.transform == image.transform
            assert image.transform.c % 60 == 0 and image.transform.f % 60 == 0
            assert image.descriptions == SCENE_BANDS and image.nodata == 0
            ids = [COVER.index(name) for name in polygons["class"]]
            burnt = rasterize(
                zip(polygons.geometry, ids, strict=True),
                truth.shape,
                transform=truth.transform,
                fill=IGNORE,
                dtype="uint8",
            )
            labels, pixels = truth.read(1), image.read()
            assert truth.tags(1)["class_3"] == "built-up"
            assert truth.colormap(1)[0] == (*COVER.rgb[0].tolist(), 255)
        seen = labels != IGNORE
        np.testing.assert_array_equal(labels[seen], burnt[seen])
        assert (labels[(pixels == 0).any(axis=0)] == IGNORE).all()
        assert polygons["area_ha"].sum() == pytest.approx(128 * 128 / 100, rel=1e-3)


def test_hidden_ground_is_on_the_second_date_only(written: Path) -> None:
    hidden = {}
    for stem in ("alder-2023", "alder-2024", "map-2023", "map-2024"):
        with (
            rasterio.open(written / "truth" / f"{stem}.tif") as truth,
            rasterio.open(written / f"{stem}.tif") as image,
        ):
            hidden[stem] = (truth.read(1) == IGNORE).mean(), (image.read(1) == 0).mean()
    assert hidden["alder-2023"] == hidden["map-2023"] == (0, 0)
    assert hidden["alder-2024"][0] > 0.07
    assert hidden["alder-2024"][1] == pytest.approx(0.04, abs=0.01)
    assert hidden["map-2024"][0] == hidden["map-2024"][1] == pytest.approx(0.04, abs=0.01)


def test_source_description_lists_training_scenes_only(written: Path) -> None:
    content = YAML(typ="safe").load(written / "source.yaml")
    assert list(content) == [
        "name", "kind", "licence", "bands", "unit", "legend", "pixel", "nodata", "label", "scenes",
    ]  # fmt: skip
    assert content["label"] == {"kind": "raster"}
    assert content["legend"] == COVER.to_list()
    assert [scene["image"] for scene in content["scenes"]] == ["alder-2023.tif", "alder-2024.tif"]
    for scene in content["scenes"]:
        assert (written / scene["image"]).is_file()
        assert (written / scene["label"]).is_file()
        assert scene["group"] == "alder"


def test_sums_are_those_of_the_polygons(written: Path) -> None:
    content = json.loads((written / "truth" / "truth.json").read_text())
    for stem, scene in content["scenes"].items():
        polygons = geopandas.read_file(written / "truth" / f"{stem}.geojson").to_crs(32633)
        sums = polygons.geometry.area.groupby(polygons["class"]).sum() / 1e4
        for name, area in scene["hectares"].items():
            assert area == pytest.approx(sums[name], abs=0.001)
    changed = geopandas.read_file(written / "truth" / "change-map.geojson").to_crs(32633)
    total = sum(content["changes"]["map"].values())
    assert total == pytest.approx(changed.geometry.area.sum() / 1e4, abs=0.001)


def test_writing_twice_gives_the_same_bytes_and_replaces(tmp_path: Path) -> None:
    plan = Plan(seed=5, size=64, places=1)
    out = tmp_path / "scenes"
    write_synth(out, plan)
    before = {path: path.read_bytes() for path in sorted(out.rglob("*.*"))}
    write_synth(out, plan)
    assert {path: path.read_bytes() for path in sorted(out.rglob("*.*"))} == before


def test_target_arable_has_two_classes(tmp_path: Path) -> None:
    write_synth(tmp_path / "scenes", Plan(seed=5, size=64, places=1, target="arable"))
    content = YAML(typ="safe").load(tmp_path / "scenes" / "source.yaml")
    assert content["legend"] == ARABLE.to_list()
    with rasterio.open(tmp_path / "scenes" / "truth" / "map-2023.tif") as truth:
        assert set(np.unique(truth.read(1)).tolist()) == {0, 1}
    polygons = geopandas.read_file(tmp_path / "scenes" / "truth" / "map-2023.geojson")
    fields = polygons["kind"] == "field"
    assert set(polygons["class"][fields]) == {"arable"}
    assert set(polygons["class"][~fields]) == {"other"}


def test_foreign_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"thesis\.txt exists and was not written by"):
        write_synth(tmp_path, Plan(size=64, places=1))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (Plan(size=10), "size between"),
        (Plan(places=0), "places, got 0"),
        (Plan(target="soil"), "cover, arable"),
        (Plan(size=64, clouds=0.9), "clouds between"),
    ],
)
def test_impossible_plans_are_refused(plan: Plan, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        write_synth(tmp_path / "scenes", plan)
    assert list(tmp_path.iterdir()) == []


def test_frame_must_lie_on_the_grid() -> None:
    with pytest.raises(InputError, match="60 m grid"):
        Frame(128, left=300010)
    frame = Frame(100, left=300000, top=5400000)
    assert frame.origin == (300000.0, 5399000.0)
    assert frame.hectares == 100.0


def test_place_names_do_not_repeat() -> None:
    assert names(3) == ["alder", "birch", "cedar"]
    assert len(set(names(37))) == 37


def test_crops_and_endmembers_are_within_physics() -> None:
    assert sum(SHARES.values()) == pytest.approx(1)
    assert set(SHARES) == set(CROPS)
    for crop in CROPS.values():
        for day in range(1, 366, 10):
            green, brown = crop.on(day)
            assert 0 <= green <= 1 and 0 <= brown <= 1 and green + brown <= 1.0001
    for spectrum in ENDMEMBERS.values():
        assert spectrum.shape == (10,) and (spectrum > 0).all() and (spectrum < 0.6).all()
    # equal parts: (0.060 + 0.036) / 2 in the first band
    assert mix(loam=2, humus=2)[0] == pytest.approx(0.048)


def test_sensor_keeps_a_flat_scene_and_blurs_20_m_bands_more() -> None:
    flat = np.full((64, 64), 0.2, np.float32)
    np.testing.assert_allclose(observe(flat, "B04"), 0.2, rtol=1e-5)
    point = np.zeros((64, 64), np.float32)
    point[30:32, 30:32] = 1.0
    sharp, soft = observe(point, "B04"), observe(point, "B11")
    assert sharp.shape == soft.shape == (32, 32)
    assert sharp.max() > 2 * soft.max() > 0
    # the blob's weight stays where it was: row and column 15 of the 10 m grid
    assert np.unravel_index(sharp.argmax(), sharp.shape) == (15, 15)


def test_odd_sizes_keep_their_shape() -> None:
    assert observe(np.zeros((130, 130), np.float32), "B12").shape == (65, 65)


def test_sky_hides_the_asked_shares() -> None:
    clear = sky(np.random.default_rng(0), 128, 0.0, 0.0)
    assert not clear.hidden.any()
    ground = np.full((128, 128), 0.1, np.float32)
    np.testing.assert_array_equal(clear.over(ground, "B08"), ground)
    cloudy = sky(np.random.default_rng(0), 128, 0.2, 0.1)
    assert cloudy.outside.mean() == pytest.approx(0.1, abs=0.01)
    assert cloudy.over(ground, "B02")[cloudy.cloud > 0.8].min() > 0.45
    dark = (cloudy.shadow > 0.8) & (cloudy.cloud == 0)
    assert cloudy.over(ground, "B02")[dark].max() < 0.06


def test_blob_and_contour_areas() -> None:
    assert blob(np.random.default_rng(1), (500, 500), 3.0).area == pytest.approx(3e4, rel=1e-6)
    field = np.zeros((40, 40), np.float32)
    field[10:20, 5:30] = 1.0
    area = above(field, 0.5, 400.0)
    # 10 x 25 pixels of 100 square metres; the contour runs half-way between pixel centres
    assert area.area == pytest.approx(25000, rel=0.02)
    assert area.bounds == pytest.approx((50, 200, 300, 300), abs=1e-6)
    assert box(60, 210, 290, 290).within(area)


def test_noise_is_standard_and_ranked() -> None:
    field = fractal(np.random.default_rng(2), (70, 90), 20)
    assert field.shape == (70, 90)
    assert float(field.mean()) == pytest.approx(0, abs=1e-4)
    assert float(field.std()) == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(ranks(np.array([[3.0, 1.0, 2.0]], np.float32)), [[1.0, 0.0, 0.5]])


def test_a_full_disk_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise RasterioIOError("Write failed. See previous exception for details.")

    monkeypatch.setattr(rasterio, "open", full)
    with pytest.raises(OSError, match=r"cannot write .*/scenes, is the disk full\?"):
        write_synth(tmp_path / "scenes", Plan(size=64, places=1))
    assert list(tmp_path.iterdir()) == []
