"""Hectares: literal counts, every kind of CRS, against pyproj's geodesic polygons."""

import csv
import io
import json

import numpy as np
import pytest
import rasterio
from agri_core.files.errors import InputError, MissingError
from agri_core.raster.pixel_area import PixelArea
from agri_map.analysis.area import AreaAccumulator, measure, to_csv, to_json, to_text
from pyproj import Geod, Transformer
from rasterio.transform import Affine, from_origin

CODES = np.array([[0, 0, 1], [1, 1, 255]], np.uint8)


def geodesic(geod, west, east, south, north, steps=200):
    """Area of a graticule cell by pyproj, its parallels drawn as many short geodesics."""
    across = np.linspace(west, east, steps)
    lon = np.concatenate([across, across[::-1]])
    lat = np.concatenate([np.full(steps, south), np.full(steps, north)])
    return abs(geod.polygon_area_perimeter(lon, lat)[0])


def test_literal(write_map):
    # 10 m pixels: 100 m2 = 0.01 ha each. Mapped: 5 pixels.
    table, _ = measure(write_map(CODES))
    found = [
        (r.name, r.pixels, round(r.hectares, 9), r.share if r.share is None else round(r.share, 9))
        for r in table.rows
    ]
    assert found == [
        ("other", 2, 0.02, 0.4), ("arable", 3, 0.03, 0.6), ("water", 0, 0.0, 0.0),
        ("no data", 1, 0.01, None),
    ]  # fmt: skip
    assert table.total == pytest.approx(0.06) and table.method == "geodesic"


def test_sums_to_the_scene(write_map):
    codes = np.random.default_rng(0).choice([0, 1, 2, 255], (700, 613)).astype(np.uint8)
    table, _ = measure(write_map(codes))
    assert table.total == pytest.approx(700 * 613 * 0.01, rel=1e-8)
    assert sum(row.share for row in table.rows if row.share is not None) == pytest.approx(1)
    assert [r.pixels for r in table.rows] == [int((codes == v).sum()) for v in (0, 1, 2, 255)]


def test_a_tally_weighs_rows_with_their_ground():
    areas = np.array([[1.0], [10.0], [100.0], [1000.0]])
    area = AreaAccumulator(PixelArea(areas, np.array([0, 3]), "geodesic"))
    area.add(2, CODES[1:])
    area.add(0, CODES)
    # Rows 0 and 1 hold CODES, row 2 its second row again: 1 1 255.
    assert area.pixels[[0, 1, 255]].tolist() == [2, 5, 2]
    assert area.metres[[0, 1, 255]].tolist() == [2 * 1, 1 + 2 * 10 + 2 * 100, 10 + 100]
    blind = AreaAccumulator(None)
    blind.add(0, CODES)
    assert (blind.pixels[[0, 1, 255]].tolist(), blind.metres.any()) == ([2, 3, 1], False)


def test_degrees_sum_to_the_scene(write_map):
    codes = np.random.default_rng(0).choice([0, 1, 2, 255], (300, 200)).astype(np.uint8)
    path = write_map(codes, crs="EPSG:4326", transform=from_origin(15, 50, 0.0005, 0.0005))
    table, _ = measure(path)
    expected = geodesic(Geod(ellps="WGS84"), 15, 15.1, 49.85, 50) / 10_000
    assert table.total == pytest.approx(expected, rel=1e-6) and table.method == "geodesic"


def test_without_crs(write_map):
    path = write_map(CODES, crs=None, transform=Affine.identity())
    with pytest.raises(InputError, match="--pixel 10"):
        measure(path)
    assert measure(path, 20)[0].total == pytest.approx(6 * 0.04)


def test_not_a_class_map(write_scene, smooth, tmp_path):
    with pytest.raises(InputError, match=r"is not a class map: .* got 4 band\(s\) of uint16"):
        measure(write_scene(smooth(8, 8)))
    with pytest.raises(MissingError, match="no raster file"):
        measure(tmp_path / "no.tif")


def test_foreign_map(write_scene):
    codes = np.array([[[3, 3, 0, 7]]], np.uint8)
    table, _ = measure(write_scene(codes, bands=None, nodata=0))
    assert {r.name: r.pixels for r in table.rows if r.pixels} == {
        "class 3": 2, "class 7": 1, "no data": 1,
    }  # fmt: skip


def test_formats(write_map):
    table, _ = measure(write_map(CODES))
    rows = list(csv.DictReader(io.StringIO(to_csv(table))))
    assert rows[1] == {
        "class_id": "1", "class": "arable", "pixels": "3", "hectares": "0.03", "share": "0.6",
    }  # fmt: skip
    assert rows[3]["share"] == ""
    record = json.loads(json.dumps(to_json(table), allow_nan=False))
    assert record["note"] == "mapped hectares (pixel count), not an area estimate"
    assert record["classes"][0]["hectares"] == 0.02
    text = to_text(table)
    assert "not an area estimate" in text and "no data" in text and "±" not in text


@pytest.mark.parametrize("kind", ["internal", "beside", "alpha"])
def test_masked_pixels_of_a_map_are_no_data(write_scene, kind):
    codes = np.array([[[1, 1, 0]]], np.uint8)
    mask = np.array([[255, 0, 255]], np.uint8)
    if kind == "alpha":
        path = write_scene(np.stack([codes[0], mask]), bands=None, alpha="yes")
    else:
        path = write_scene(codes, bands=None)
        inside = rasterio.Env(GDAL_TIFF_INTERNAL_MASK=kind == "internal")
        with inside, rasterio.open(path, "r+") as dataset:
            dataset.write_mask(mask)
    table, _ = measure(path)
    assert [row.pixels for row in table.rows] == [1, 1, 1]


def test_every_crs_and_the_strips_of_a_wide_map(write_map):
    """A map that spans several UTM zones: the hectares of each half are those of pyproj."""
    codes = np.zeros((40, 200), np.uint8)
    codes[:, 100:] = 1
    place = from_origin(500_000, 6_000_000, 8000, 8000)
    table, _ = measure(write_map(codes, crs="EPSG:32633", transform=place))
    geod, to = Geod(ellps="WGS84"), Transformer.from_crs(32633, 4326, always_xy=True)
    for row, left in zip(table.rows[:2], (0, 100), strict=True):
        e = np.linspace(0, 1, 300)
        x = 500_000 + 8000 * np.concatenate([left + 100 * e, 0 * e + left + 100,
                                             left + 100 - 100 * e, 0 * e + left])  # fmt: skip
        y = 6_000_000 - 8000 * 40 * np.concatenate([0 * e, e, 0 * e + 1, 1 - e])
        expected = abs(geod.polygon_area_perimeter(*to.transform(x, y))[0]) / 10_000
        assert row.hectares == pytest.approx(expected, rel=1e-3)
