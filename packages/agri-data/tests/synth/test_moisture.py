"""Scenes in 13 bands, and fields that lack water above 900 nm only."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
from agri_core.bands import EUROSAT_TIFF_ORDER, SENTINEL2
from agri_core.files.errors import InputError
from agri_core.legend import COVER, MOISTURE
from agri_data.synth.scene import Place, Scene, observe_place, place
from agri_data.synth.spectra.bandset import THIRTEEN, band_set, spectra
from agri_data.synth.spectra.endmembers import ENDMEMBERS, SCENE_BANDS
from agri_data.synth.spectra.moisture import is_field, lacks, parch
from agri_data.synth.spectra.render import paint
from agri_data.synth.spectra.sensor import observe
from agri_data.synth.spectra.weather import sky
from agri_data.synth.write import Plan, write_synth
from numpy.typing import NDArray
from rasterio.features import rasterize
from ruamel.yaml import YAML
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SIZE = 192
BLIND = [name for name in EUROSAT_TIFF_ORDER if name not in ("B09", "B11", "B12")]
RGB, SWIR = ("B04", "B03", "B02"), ("B8A", "B11", "B12")


def columns(names: tuple[str, ...] | list[str]) -> list[int]:
    return [EUROSAT_TIFF_ORDER.index(name) for name in names]


@pytest.fixture(scope="module")
def spots() -> list[Place]:
    return [place("alder", 0, 7, SIZE), place("birch", 1, 7, SIZE), place("cedar", 2, 7, SIZE)]


@pytest.fixture(scope="module")
def moist(spots: list[Place]) -> list[list[Scene]]:
    return [list(observe_place(spot, "moisture", THIRTEEN)) for spot in spots]


def test_the_new_bands_follow_from_the_ten() -> None:
    #       B02   B03   B04 B05 B06 B07 B08  B8A  B11 B12
    ten = [[0.06, 0.08, 0.1, 0.1, 0.1, 0.1, 0.2, 0.24, 0.3, 0.2]]
    found = spectra(np.array(ten, np.float32), ("B01", "B09", "B10", "B04"))
    # B01 = 0.06 - 0.25 * (0.08 - 0.06), B09 = 0.5 * 0.24, B10 a trace
    np.testing.assert_allclose(found, [[0.055, 0.12, 0.0012, 0.1]], rtol=1e-5)


def test_the_new_bands_are_plausible_on_every_surface() -> None:
    ten = np.stack(list(ENDMEMBERS.values()))
    found = dict(zip(EUROSAT_TIFF_ORDER, spectra(ten, EUROSAT_TIFF_ORDER).T, strict=True))
    assert ((found["B01"] > 0.5 * found["B02"]) & (found["B01"] < found["B02"])).all()
    assert ((found["B10"] > 0.001) & (found["B10"] < 0.003)).all()
    np.testing.assert_array_equal(np.stack([found[name] for name in SCENE_BANDS], axis=1), ten)


@pytest.mark.parametrize("side", [72, 77])
@pytest.mark.parametrize("name", ["B01", "B12"])
def test_cubic_keeps_a_ramp_where_it_is(name: str, side: int) -> None:
    metres = (np.arange(2 * side, dtype=np.float32) + 0.5) * 5
    ramp = np.repeat(metres[None], 2 * side, axis=0)
    inner = slice(24, side - 24)
    expected = (np.arange(side)[inner] + 0.5) * 10
    # Half a pixel is 5 m; a kernel that keeps straight lines does far better.
    for seen in (observe(ramp, name, cubic=True), observe(ramp.T, name, cubic=True).T):
        assert seen.shape == (side, side)
        assert np.abs(seen[inner, inner] - expected).max() < 0.05


def test_coarse_bands_are_blurred_by_their_pixel() -> None:
    point = np.zeros((144, 144), np.float32)
    point[72:74, 72:74] = 1.0
    peaks = [observe(point, name, cubic=True).max() for name in ("B04", "B11", "B01")]
    assert peaks[0] > 2 * peaks[1] > 8 * peaks[2] > 0


def test_cirrus_sees_clouds_and_no_ground(moist: list[list[Scene]]) -> None:
    clear = moist[0][0].image[..., columns(["B10"])].astype(float) / 10_000
    assert 0.001 < np.median(clear) < 0.003
    assert np.quantile(clear, 0.99) < 0.005
    above = sky(np.random.default_rng(0), 128, 0.2, 0.0)
    seen = above.over(np.full((128, 128), 0.0012, np.float32), "B10")
    assert seen[above.cloud > 0.8].min() > 0.02


def test_water_lacks_only_above_900_nm() -> None:
    found = spectra(ENDMEMBERS["loess"][None], EUROSAT_TIFF_ORDER)
    dry = parch(found, np.array([0.25]), EUROSAT_TIFF_ORDER)
    ratio = dict(zip(EUROSAT_TIFF_ORDER, (dry / found)[0], strict=True))
    assert all(value == 1 for name, value in ratio.items() if name in BLIND)
    # 0.368 ** 0.75 = 0.4725 and 0.318 ** 0.75 = 0.4235
    assert ratio["B11"] == pytest.approx(0.4725 / 0.368, rel=1e-3)
    assert ratio["B12"] == pytest.approx(0.4235 / 0.318, rel=1e-3)
    assert 1.01 < ratio["B09"] < 1.1
    np.testing.assert_array_equal(parch(found, np.zeros(1), EUROSAT_TIFF_ORDER), found)


def test_nothing_but_dry_fields_and_nothing_visible_changes(spots: list[Place]) -> None:
    spot = spots[0]
    for date, season in enumerate(day.season for day in spot.dates):
        plain, dry = (
            paint(spot.land, date, season, (*spot.seed, 5), THIRTEEN.names, dry=dry)
            for dry in (False, True)
        )
        lack = np.zeros(len(plain.low), bool)
        lack[: len(spot.land.features)] = lacks(spot.land.features, date) > 0
        for one, two in ((plain.low, dry.low), (plain.high, dry.high)):
            np.testing.assert_array_equal(one[~lack], two[~lack])
            np.testing.assert_array_equal(one[:, columns(BLIND)], two[:, columns(BLIND)])
            assert (two[lack][:, columns(SWIR[1:])] > 1.1 * one[lack][:, columns(SWIR[1:])]).all()
        np.testing.assert_array_equal(plain.mixture, dry.mixture)
        np.testing.assert_array_equal(plain.light, dry.light)


def test_the_noise_does_not_tell_either(spots: list[Place], moist: list[list[Scene]]) -> None:
    dry = MOISTURE.index("dry arable")
    for plain, parched in zip(observe_place(spots[0], "cover", THIRTEEN), moist[0], strict=True):
        hidden, seen = (scene.image[..., columns(BLIND)] for scene in (plain, parched))
        np.testing.assert_array_equal(hidden, seen)
        fields = parched.truth == dry
        swir = [scene.image[fields][:, columns(SWIR[1:])].mean(0) for scene in (plain, parched)]
        assert ((swir[1] / swir[0] > 1.2) & (swir[1] / swir[0] < 1.7)).all()
        both = np.where(parched.truth > dry, parched.truth - 1, COVER.index("arable"))
        np.testing.assert_array_equal(both, plain.truth)


def test_half_of_the_fields_are_dry_and_neighbours_are_alike(spots: list[Place]) -> None:
    for spot in spots:
        fields = [f for f in spot.land.features if is_field(f, 0) or is_field(f, 1)]
        dry = np.array([f.lack > 0 for f in fields])
        assert dry.mean() == pytest.approx(0.5, abs=0.02)
        assert not any(f.lack for f in spot.land.features if f not in fields)
        x, y = np.array([f.shape.centroid.coords[0] for f in fields]).T
        near = np.hypot(x[:, None] - x, y[:, None] - y) < 250
        np.fill_diagonal(near, False)
        assert (dry[:, None] == dry)[near].mean() > 0.75


def fields_of(scenes: list[Scene]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the mean spectrum of every field of both dates, and whether it is dry."""
    means, dry = [], []
    for scene in scenes:
        land = scene.place.land
        shapes = zip(land.placed([f.shape for f in land.features]), range(10**6), strict=False)
        index = rasterize(shapes, (SIZE, SIZE), transform=land.frame.transform(), fill=10**6)
        for number, feature in enumerate(land.features):
            pixels = scene.image[index == number]
            if is_field(feature, scene.index) and len(pixels) > 40:
                means.append(pixels.mean(axis=0))
                dry.append(feature.lack > 0)
    return np.array(means), np.array(dry)


def test_only_the_infrared_tells_moist_from_dry(moist: list[list[Scene]]) -> None:
    *learnt, (means, dry) = (fields_of(scenes) for scenes in moist)
    spectra_, answers = (np.concatenate(part) for part in zip(*learnt, strict=True))
    accuracy = {}
    for names in (RGB, tuple(BLIND), SWIR):
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        model.fit(spectra_[:, columns(names)], answers)
        accuracy[names] = float((model.predict(means[:, columns(names)]) == dry).mean())
    assert len(dry) > 100
    assert 0.35 < accuracy[RGB] < 0.65
    assert 0.35 < accuracy[tuple(BLIND)] < 0.65
    assert accuracy[SWIR] > 0.85


def test_files_know_bands_and_moisture(tmp_path: Path) -> None:
    out = tmp_path / "scenes"
    plan = Plan(seed=3, size=96, places=1, target="moisture", bands=13, clouds=0, wedge=0)
    write_synth(out, plan, spare=False)
    assert sorted(path.name for path in out.glob("*.tif")) == ["alder-2023.tif", "alder-2024.tif"]
    content = YAML(typ="safe").load(out / "source.yaml")
    assert content["bands"] == list(EUROSAT_TIFF_ORDER) and set(content["bands"]) == set(SENTINEL2)
    assert content["legend"] == MOISTURE.to_list()
    truth = json.loads((out / "truth" / "truth.json").read_text())
    assert truth["bands"] == 13
    for stem, scene in truth["scenes"].items():
        with (
            rasterio.open(out / f"{stem}.tif") as image,
            rasterio.open(out / "truth" / f"{stem}.tif") as labels,
        ):
            assert image.descriptions == EUROSAT_TIFF_ORDER
            counts = np.bincount(labels.read(1).ravel(), minlength=len(MOISTURE))
            assert labels.tags(1)["class_1"] == "dry arable"
        assert dict(zip(MOISTURE.names, counts / 100, strict=True)) == scene["visible"]
        table = geopandas.read_file(out / "truth" / f"{stem}.geojson").to_crs(32633)
        assert set(table["class"][table["kind"] == "field"]) == {"moist arable", "dry arable"}
        assert not table["class"][table["kind"] != "field"].str.contains("arable").any()
        areas = table.geometry.area.groupby(table["class"]).sum() / 1e4
        assert scene["hectares"]["dry arable"] == pytest.approx(areas["dry arable"], abs=0.001)


def test_other_numbers_of_bands_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="10 or 13 bands, got 12"):
        band_set(12)
    with pytest.raises(InputError, match="10 or 13 bands, got 3"):
        write_synth(tmp_path / "scenes", Plan(size=64, places=1, bands=3))
    assert list(tmp_path.iterdir()) == []
