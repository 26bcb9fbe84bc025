"""Scenes: windows, several resolutions on one grid, labels of each kind, no data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import rasterio
from agri_core.files.errors import AgriError, InputError, MissingError
from agri_data.build import build
from agri_data.sources.windows import Cut
from agri_data.store.store import ChipStore
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.transform import from_origin
from rasterio.warp import transform_bounds
from ruamel.yaml import YAML
from shapely.geometry import box

LEGEND = [
    {"id": 0, "name": "other", "colour": "#c8c8c8"},
    {"id": 1, "name": "arable", "colour": "#e8c547"},
]
EDGE = (500_000.0, 5_000_000.0)


def write(
    path: Path,
    values: NDArray[Any],
    pixel: float = 10,
    crs: str | None = "EPSG:32633",
    **options: Any,
) -> Path:
    """Write `(C, H, W)` with its upper left corner at `EDGE`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count, height, width = values.shape
    shape = {"count": count, "height": height, "width": width, "dtype": str(values.dtype)}
    place = {"crs": crs, "transform": from_origin(*EDGE, pixel, pixel)} if crs else {}
    with rasterio.open(path, "w", driver="GTiff", **shape, **(place | options)) as sink:
        sink.write(values)
    return path


def ramp(side: int, pixel: float, dtype: str = "float32") -> NDArray[Any]:
    """The plane x + 2 y of ground metres from the corner, at pixel centres: `(1, H, W)`."""
    centre = (np.arange(side) + 0.5) * pixel
    return (centre[None, None, :] + 2 * centre[None, :, None]).astype(dtype)


def made(folder: Path, size: int = 16, overlap: int = 0, skip: bool = False, **content: Any) -> Any:
    base: dict[str, Any] = {"name": "set", "kind": "scenes", "unit": "dn"}
    with (folder / "set.yaml").open("w") as sink:
        YAML().dump(base | content, sink)
    report = build(folder / "set.yaml", folder / "chips", cut=Cut(size, overlap), skip=skip)
    return ChipStore.open(folder / "chips"), report


def scene(**entry: Any) -> dict[str, Any]:
    return {"scenes": [entry]}


@pytest.mark.parametrize("resampling", ["bilinear", "cubic"])
def test_bands_of_20_and_60_metres_lie_on_the_10_metre_grid(tmp_path: Path, resampling: str):
    """D7: on a plane, a band that is off by d metres differs by at least d; half a pixel is 5."""
    for band, pixel in (("B04", 10), ("B11", 20), ("B01", 60)):
        write(tmp_path / f"{band}.tif", ramp(960 // pixel, pixel), pixel)
    files = {"B01": "B01.tif", "B04": "B04.tif", "B11": "B11.tif"}
    store, _ = made(tmp_path, 96, **scene(name="a", image=files), resampling=resampling)
    assert store.bands == ("B01", "B04", "B11")
    image = store.image(0)
    assert (image[..., 1] == ramp(96, 10)[0]).all()
    inside = np.s_[12:-12, 12:-12]
    assert np.abs(image[inside] - image[..., 1:2][inside]).max() < 1e-2
    # The rim has no neighbours beyond it: off by at most half a coarse pixel, and never empty.
    assert np.abs(image - image[..., 1:2]).max() <= 75
    assert store.info.pixel_size == 10


def test_windows_and_the_whole_agree_at_seams(tmp_path: Path):
    rng = np.random.default_rng(3)
    write(tmp_path / "B04.tif", rng.integers(1, 9999, (1, 64, 64), dtype=np.uint16))
    write(tmp_path / "B11.tif", rng.integers(1, 9999, (1, 32, 32), dtype=np.uint16), 20)
    entry = scene(name="a", image={"B04": "B04.tif", "B11": "B11.tif"})
    whole = made(tmp_path, 64, **entry)[0].image(0).copy()
    store, _ = made(tmp_path, 16, 4, **entry)
    for i, row in store.table.iterrows():
        part = whole[row.row : row.row + 16, row.col : row.col + 16]
        assert (store.image(int(i)) == part).all()


@pytest.mark.parametrize("resampling", ["bilinear", "cubic"])
def test_no_data_does_not_bleed(tmp_path: Path, resampling: str):
    fine = np.full((1, 48, 48), 1000, np.uint16)
    coarse = np.full((1, 24, 24), 3000, np.uint16)
    coarse[0, :, :8] = 0
    write(tmp_path / "B04.tif", fine, nodata=0)
    write(tmp_path / "B11.tif", coarse, 20, nodata=0)
    files = {"B04": "B04.tif", "B11": "B11.tif"}
    store, _ = made(tmp_path, 48, **scene(name="a", image=files), resampling=resampling)
    image = store.image(0)
    assert sorted(np.unique(image[..., 1]).tolist()) == [0, 3000]
    assert (image[:, :16] == 0).all()
    assert (image[:, 16:] == [1000, 3000]).all()
    assert store.table.valid_fraction[0] == pytest.approx(32 / 48)


def test_no_data_that_only_the_description_names_does_not_bleed(tmp_path: Path):
    coarse = np.full((1, 24, 24), 3000, np.uint16)
    coarse[0, :, :8] = 0
    write(tmp_path / "B04.tif", np.full((1, 48, 48), 1000, np.uint16))
    write(tmp_path / "B11.tif", coarse, 20)
    files = {"B04": "B04.tif", "B11": "B11.tif"}
    store, _ = made(tmp_path, 48, **scene(name="a", image=files), nodata=0)
    assert sorted(np.unique(store.image(0)[..., 1]).tolist()) == [0, 3000]
    assert store.info.nodata == 0


def test_nan_does_not_bleed(tmp_path: Path):
    coarse = np.full((1, 24, 24), 0.5, np.float32)
    coarse[0, :, :8] = np.nan
    write(tmp_path / "B04.tif", np.full((1, 48, 48), 0.25, np.float32))
    write(tmp_path / "B11.tif", coarse, 20)
    entry = scene(name="a", image={"B04": "B04.tif", "B11": "B11.tif"})
    store, _ = made(tmp_path, 48, **entry, unit="reflectance")
    assert np.isnan(store.image(0)[:, :16]).all()
    assert (store.image(0)[:, 16:] == [0.25, 0.5]).all()
    assert store.table.valid_fraction[0] == pytest.approx(32 / 48)


def test_ground_that_a_label_raster_does_not_cover_is_ignored(tmp_path: Path):
    write(tmp_path / "a.tif", np.ones((1, 32, 32), np.uint16))
    write(tmp_path / "t.tif", np.zeros((1, 32, 20), np.uint8))
    about = {"legend": LEGEND, "label": {"kind": "raster"}, "bands": ["B04"]}
    store, _ = made(tmp_path, 32, **about, **scene(image="a.tif", label="t.tif"))
    assert (store.mask(0)[:, :20] == 0).all()
    assert (store.mask(0)[:, 20:] == 255).all()


def test_ground_that_a_band_does_not_cover_is_no_data(tmp_path: Path):
    write(tmp_path / "B04.tif", np.full((1, 32, 32), 7, np.uint16), nodata=0)
    write(tmp_path / "B11.tif", np.full((1, 8, 16), 9, np.uint16), 20, nodata=0)
    store, report = made(
        tmp_path, 16, **scene(name="a", image={"B04": "B04.tif", "B11": "B11.tif"})
    )
    assert len(store) == 2
    assert report.dropped == {"no pixel with data": 2}


def test_uncovered_ground_without_a_no_data_value_is_still_ignored(tmp_path: Path):
    write(tmp_path / "B04.tif", np.full((1, 32, 32), 7, np.uint16))
    write(tmp_path / "B11.tif", np.full((1, 16, 12), 9, np.uint16), 20)
    write(tmp_path / "t.tif", np.ones((1, 32, 32), np.uint8))
    store, _ = made(
        tmp_path, 32, legend=LEGEND, label={"kind": "raster"},
        **scene(name="a", image={"B04": "B04.tif", "B11": "B11.tif"}, label="t.tif"),
    )  # fmt: skip
    assert (store.mask(0)[:, :24] == 1).all()
    assert (store.mask(0)[:, 25:] == 255).all()


def test_the_grid_may_be_declared(tmp_path: Path):
    write(tmp_path / "B04.tif", ramp(96, 10))
    write(tmp_path / "B11.tif", ramp(48, 20), 20)
    files = {"B04": "B04.tif", "B11": "B11.tif"}
    for resolution in ("B11", 20):
        store, _ = made(tmp_path, 48, **scene(name="a", image=files), resolution=resolution)
        assert store.info.pixel_size == 20
        image = store.image(0)[6:-6, 6:-6]
        assert np.abs(image[..., 0] - image[..., 1]).max() < 1e-2
    message = r"set\.yaml: 'resolution' is 'finest', .* bands B04, B11; got 'B12'"
    with pytest.raises(InputError, match=message):
        made(tmp_path, 48, **scene(name="a", image=files), resolution="B12")


def test_another_crs_is_refused_unless_declared(tmp_path: Path):
    left, bottom, right, top = transform_bounds(
        "EPSG:32633", "EPSG:4326", EDGE[0] - 500, EDGE[1] - 1500, EDGE[0] + 1500, EDGE[1] + 500
    )
    write(tmp_path / "B04.tif", np.full((1, 96, 96), 5, np.uint16))
    place = {"transform": from_origin(left, top, (right - left) / 200, (top - bottom) / 200)}
    write(tmp_path / "B11.tif", np.full((1, 200, 200), 8, np.uint16), crs="EPSG:4326", **place)
    entry = scene(name="a", image={"B04": "B04.tif", "B11": "B11.tif"})
    with pytest.raises(
        InputError, match=r"B11.tif is in EPSG:4326, its scene is in EPSG:32633.*warp"
    ):
        made(tmp_path, 96, **entry, resolution="B04")
    store, _ = made(tmp_path, 96, **entry, resolution="B04", align="warp")
    assert (store.image(0) == [5, 8]).all()
    assert store.table.crs[0] == "EPSG:32633"


def test_bands_without_a_place_nest_by_whole_factors(tmp_path: Path):
    fine, coarse = ramp(48, 10), ramp(24, 20)
    write(tmp_path / "B04.tif", fine, crs=None)
    write(tmp_path / "B11.tif", coarse, crs=None)
    files = {"B04": "B04.tif", "B11": "B11.tif"}
    store, _ = made(tmp_path, 48, **scene(name="a", image=files))
    image = store.image(0)[4:-4, 4:-4]
    assert np.abs(image[..., 0] - image[..., 1]).max() < 1e-2
    assert (store.table.crs[0], store.table["transform"][0]) == ("", "")
    write(tmp_path / "B11.tif", ramp(25, 20), crs=None)
    with pytest.raises(InputError, match="whole multiples"):
        made(tmp_path, 48, **scene(name="a", image=files))


def test_records_say_where_each_chip_lies(tmp_path: Path):
    write(tmp_path / "a.tif", np.arange(40 * 40, dtype=np.uint16).reshape(1, 40, 40))
    store, _ = made(tmp_path, 16, 0, bands=["B04"], **scene(image="a.tif", group="place"))
    assert store.table.chip_id[5] == "a_r16_c24"
    row = store.table.iloc[5]
    assert (row.source, row.group, row.crs) == ("a.tif", "place", "EPSG:32633")
    assert row["transform"] == "10.0 0.0 500240.0 0.0 -10.0 4999840.0"
    back = np.zeros((40, 40), np.uint16)
    for i, row in store.table.iterrows():
        back[row.row : row.row + 16, row.col : row.col + 16] = store.image(int(i))[..., 0]
    assert (back.ravel() == np.arange(1600)).all()


def test_a_label_raster_of_another_grid_is_taken_nearest(tmp_path: Path):
    truth = np.random.default_rng(0).integers(0, 2, (1, 16, 16), dtype=np.uint8)
    write(tmp_path / "a.tif", np.ones((1, 32, 32), np.uint16))
    write(tmp_path / "t.tif", truth, 20)
    about = {"legend": LEGEND, "label": {"kind": "raster"}, "bands": ["B04"]}
    store, _ = made(tmp_path, 32, **about, **scene(image="a.tif", label="t.tif"))
    assert (store.mask(0) == truth[0].repeat(2, 0).repeat(2, 1)).all()
    write(tmp_path / "t.tif", truth * 7, 20)
    with pytest.raises(InputError, match=r"t.tif: label values that stand for no class: 7"):
        made(tmp_path, 32, **about, **scene(image="a.tif", label="t.tif"))
    with pytest.raises(MissingError, match=r"no raster file .*gone.tif"):
        made(tmp_path, 32, **about, **scene(image="a.tif", label="gone.tif"))


def test_polygons_are_burnt_as_rasterio_burns_them_whole(tmp_path: Path):
    write(tmp_path / "a.tif", np.ones((1, 40, 40), np.uint16))
    shapes = [
        box(500_013, 4_999_700, 500_222, 4_999_955),
        box(500_100, 4_999_650, 500_304, 4_999_801),
    ]
    table = geopandas.GeoDataFrame({"use": [1, 0]}, geometry=shapes, crs="EPSG:32633")
    table.to_file(tmp_path / "p.gpkg")
    transform = from_origin(*EDGE, 10, 10)
    expected = rasterize(
        zip(shapes, (1, 0), strict=True), (40, 40), fill=255, transform=transform, dtype="uint8"
    )
    label = {"kind": "vector", "file": "p.gpkg", "attribute": "use"}
    label |= {"codes": {1: "arable", 0: "other"}}
    about = {"legend": LEGEND, "label": label, "bands": ["B04"]}
    store, _ = made(tmp_path, 16, **about, **scene(image="a.tif"))
    for i, row in store.table.iterrows():
        part = expected[row.row : row.row + 16, row.col : row.col + 16]
        assert (store.mask(int(i)) == part).all()
    store, report = made(tmp_path, 16, **about, **scene(image="a.tif"), labelled=0.5)
    assert (store.masks(store.indices()) != 255).mean(axis=(1, 2)).min() >= 0.5
    assert report.dropped["fewer labelled pixels than 'labelled' asks for"] == 9 - len(store)


def test_a_layer_by_name_and_a_row_without_a_polygon(tmp_path: Path):
    write(tmp_path / "a.tif", np.ones((1, 16, 16), np.uint16))
    ground = box(500_000, 4_999_840, 500_160, 5_000_000)
    west = box(500_000, 4_999_840, 500_080, 5_000_000)
    area = geopandas.GeoDataFrame({"number": [1]}, geometry=[ground], crs="EPSG:32633")
    area.to_file(tmp_path / "p.gpkg", layer="study_area")
    fields = geopandas.GeoDataFrame(
        {"class": ["arable", None, "other"]}, geometry=[ground, None, west], crs="EPSG:32633"
    )
    fields.to_file(tmp_path / "p.gpkg", layer="fields")
    label = {"kind": "vector", "file": "p.gpkg"}
    about = {"legend": LEGEND, "bands": ["B04"], **scene(image="a.tif")}
    with pytest.raises(InputError, match=r"study_area \(number\); fields \(class\); name the one"):
        made(tmp_path, label=label, **about)
    with pytest.raises(MissingError, match=r"no layer 'field'; .*did you mean 'fields'"):
        made(tmp_path, label=label | {"layer": "field"}, **about)
    store, report = made(tmp_path, label=label | {"layer": "fields"}, **about)
    # The west half is drawn later, so it lies above.
    assert (store.mask(0) == np.repeat([0, 1], 8)[None, :]).all()
    assert report.skipped == ()
    assert any("features left out: 1 (feature 2" in note for note in report.notes)


def test_polygons_that_miss_the_scene_are_told(tmp_path: Path):
    write(tmp_path / "a.tif", np.ones((1, 16, 16), np.uint16))
    far = geopandas.GeoDataFrame(
        {"class": ["arable"]}, geometry=[box(0, 0, 9, 9)], crs="EPSG:32633"
    )
    far.to_file(tmp_path / "p.geojson", driver="GeoJSON")
    label = {"kind": "vector", "file": "p.geojson"}
    with pytest.raises(InputError, match="not one pixel is labelled; do the labels lie on"):
        made(tmp_path, legend=LEGEND, label=label, bands=["B04"], **scene(image="a.tif"))
    write(tmp_path / "a.tif", np.ones((1, 16, 16), np.uint16), crs=None)
    with pytest.raises(InputError, match="no coordinate reference system"):
        made(tmp_path, legend=LEGEND, label=label, bands=["B04"], **scene(image="a.tif"))


def test_a_pattern_lists_scenes_and_pairs_labels(tmp_path: Path):
    for name, value in (("north", 1), ("south", 0)):
        write(tmp_path / f"s/{name}.tif", np.ones((1, 16, 16), np.uint16))
        write(tmp_path / f"t/{name}-truth.tif", np.full((1, 16, 16), value, np.uint8))
    about = {"legend": LEGEND, "label": {"kind": "raster"}, "bands": ["B04"]}
    store, _ = made(tmp_path, images="s/*.tif", masks="t/*-truth.tif", **about)
    assert store.table.group.tolist() == ["north", "south"]
    assert store.masks([0, 1])[:, 0, 0].tolist() == [1, 0]
    (tmp_path / "t/south-truth.tif").unlink()
    with pytest.raises(InputError, match=r"1 files have no partner: .*south.tif has no mask"):
        made(tmp_path, images="s/*.tif", masks="t/*-truth.tif", **about)


def test_a_damaged_scene_is_refused_or_skipped(tmp_path: Path):
    rng = np.random.default_rng(0)
    for name in ("a", "b", "c"):
        write(tmp_path / f"{name}.tif", rng.integers(1, 9, (1, 64, 64), dtype=np.uint16))
    whole = (tmp_path / "b.tif").read_bytes()
    (tmp_path / "b.tif").write_bytes(whole[: len(whole) * 2 // 3])
    (tmp_path / "c.tif").write_bytes(b"")
    entries = {"scenes": [{"image": f"{name}.tif"} for name in ("a", "b", "c")]}
    with pytest.raises(InputError, match=r"c\.tif is empty"):
        made(tmp_path, bands=["B04"], **entries)
    assert not (tmp_path / "chips").exists()
    store, report = made(tmp_path, bands=["B04"], skip=True, **entries)
    assert len(report.skipped) == 2
    assert {"a.tif"} <= set(store.table.source) <= {"a.tif", "b.tif"}
    assert store.verify() == []


def test_files_that_do_not_fit_together_are_named(tmp_path: Path):
    write(tmp_path / "B04.tif", np.ones((1, 16, 16), np.uint16))
    write(tmp_path / "two.tif", np.ones((2, 16, 16), np.uint16))
    write(tmp_path / "bare.tif", np.ones((1, 16, 16), np.uint16), crs=None)
    write(tmp_path / "float.tif", np.ones((1, 16, 16), np.float32))
    for other, message in (
        ("two.tif", "has 2 bands; where a scene is listed band by band"),
        ("bare.tif", "bare.tif has no georeference"),
        ("float.tif", "its files hold float32, uint16"),
    ):
        with pytest.raises(InputError, match=message):
            made(tmp_path, **scene(name="a", image={"B04": "B04.tif", "B11": other}))
    with pytest.raises(InputError, match="scene two is 16x16 pixels, smaller than a chip of 17"):
        made(tmp_path, 17, bands=["B04", "B08"], **scene(image="two.tif"))


def test_nothing_kept_says_why(tmp_path: Path):
    write(tmp_path / "a.tif", np.zeros((1, 16, 16), np.uint16), nodata=0)
    with pytest.raises(AgriError, match="no pixel with data: 1"):
        made(tmp_path, bands=["B04"], **scene(image="a.tif"))


def masked(path: Path, mask: NDArray[Any], inside: bool) -> None:
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=inside), rasterio.open(path, "r+") as sink:
        sink.write_mask(mask)


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("pixel", [10, 20])
def test_masked_pixels_are_neither_imagery_nor_labelled(tmp_path: Path, inside: bool, pixel: int):
    """The masks of the image (of its own and of coarser pixels) and of the labels count alike."""
    side = 320 // pixel
    mask = np.full((side, side), 255, np.uint8)
    mask[: side // 4] = 0
    write(tmp_path / "fine.tif", np.full((1, 32, 32), 7, np.uint8))
    masked(write(tmp_path / "a.tif", np.full((1, side, side), 9, np.uint8), pixel), mask, inside)
    labels = write(tmp_path / "l.tif", np.ones((1, 32, 32), np.uint8))
    hidden = np.full((32, 32), 255, np.uint8)
    hidden[-4:] = 0
    masked(labels, hidden, inside)
    files = {"B04": "fine.tif", "B03": "a.tif"}
    store, _ = made(
        tmp_path, 32, **scene(name="a", image=files, label="l.tif"), label={"kind": "raster"},
        legend=LEGEND, unit="uint8",
    )  # fmt: skip
    expected = np.ones((32, 32), np.uint8)
    expected[:8] = expected[-4:] = 255
    assert (store.masks([0])[0] == expected).all()
    assert float(store.table["valid_fraction"][0]) == 0.75
    assert (store.image(0)[:8] == 0).all() and (store.image(0)[8:, :, 0] == 7).all()


def test_an_alpha_band_on_another_grid_is_a_mask_and_near_infrared_is_not(tmp_path: Path):
    values = np.full((4, 16, 16), 100, np.uint8)
    values[3, :8] = 0
    write(tmp_path / "a.tif", values, 20, photometric="RGB", alpha="yes")
    for names, fraction in ((["R", "G", "B"], 0.5), (["R", "G", "B", "N"], 1.0)):
        store, _ = made(
            tmp_path, 32, **scene(name="a", image="a.tif"), bands=names, resolution=10,
            unit="uint8",
        )  # fmt: skip
        assert float(store.table["valid_fraction"][0]) == fraction
        assert store.bands == tuple(names) and (store.image(0)[-1, :, :3] == 100).all()
