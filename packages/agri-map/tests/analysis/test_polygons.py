"""Polygons: exact areas and means, valid shapes, sieving, simplifying, both formats."""

import json
import sqlite3

import geopandas
import numpy as np
import pytest
import shapely
from agri_core.files.errors import InputError
from agri_core.raster.grid import Grid
from agri_map.analysis.area import measure
from agri_map.analysis.polygons import (
    add_confidence,
    load_map,
    pick,
    sieve,
    simplify,
    to_map,
    trace,
)
from agri_map.analysis.vector import write_polygons
from agri_map.maps.mapfile import open_map, read_blocks
from agri_map.maps.write import Layout, raster_sink
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from rasterio.crs import CRS
from rasterio.features import rasterize
from rasterio.transform import Affine, from_origin

#  0 0 1 1
#  0 2 1 1     the 2 touches its twin only by a corner
#  0 0 2 255
CODES = np.array([[0, 0, 1, 1], [0, 2, 1, 1], [0, 0, 2, 255]], np.uint8)


@pytest.fixture
def blobs():
    rows, cols = np.mgrid[:160, :150]
    codes = (np.sin(rows / 17) + np.cos(cols / 23) + np.sin((rows + cols) / 31)) * 1.4 + 1.5
    codes = np.clip(codes, 0, 2).astype(np.uint8)
    codes[np.random.default_rng(0).random(codes.shape) < 0.03] = 1
    codes[20:40, 90:130] = 255
    return codes


def load(write_map, codes, **place):
    return load_map(write_map(codes, **place))


def test_literal(write_map):
    parcels = trace(load(write_map, CODES))
    found = sorted(zip(parcels.codes.tolist(), parcels.pixels.tolist(), strict=True))
    assert found == [(0, 5), (1, 4), (2, 1), (2, 1)]
    assert parcels.hectares.sum() == pytest.approx(0.11)


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)),
                  elements=st.sampled_from([0, 1, 2, 255])))  # fmt: skip
def test_any_map(write_map, codes):
    source = load(write_map, codes)
    parcels = trace(source)
    assert shapely.is_valid(parcels.shapes).all()
    assert np.array_equal(parcels.pixels, shapely.area(parcels.shapes).round())
    for code in (0, 1, 2):
        assert parcels.pixels[parcels.codes == code].sum() == (codes == code).sum()
    moved = to_map(parcels.shapes, source.grid)
    assert shapely.area(moved).sum() == pytest.approx(parcels.hectares.sum() * 10_000)


def test_area_is_the_rasters(write_map, blobs):
    path = write_map(blobs)
    parcels = trace(load_map(path))
    for row in measure(path)[0].rows[:3]:
        own = parcels.codes == row.class_id
        assert parcels.pixels[own].sum() == row.pixels
        assert parcels.hectares[own].sum() == pytest.approx(row.hectares)


def test_degrees(write_map, blobs):
    path = write_map(blobs, crs="EPSG:4326", transform=from_origin(15, 60, 0.001, 0.001))
    parcels = trace(load_map(path))
    for row in measure(path)[0].rows[:3]:
        assert parcels.hectares[parcels.codes == row.class_id].sum() == pytest.approx(row.hectares)


@pytest.fixture
def write_confidence(tmp_path, legend):
    def write(values, exact=True):
        path = tmp_path / "confidence.tif"
        place = Grid(CRS.from_epsg(3035), from_origin(4_500_000, 3_000_000, 10, 10), *values.shape)
        layout = Layout("confidence", legend, exact)
        with raster_sink(path, place, layout, {}) as sink:
            sink.put(0, values[None].astype(np.float32), np.ones(values.shape, bool))
        return path

    return write


@pytest.mark.parametrize("exact", [True, False])
def test_mean_confidence(write_map, write_confidence, blobs, exact):
    values = np.random.default_rng(0).integers(0, 101, blobs.shape) / 100
    source = load(write_map, blobs)
    parcels = add_confidence(trace(source), write_confidence(values, exact), source.grid)
    labels = rasterize(
        zip(parcels.shapes, range(1, len(parcels.shapes) + 1), strict=True), blobs.shape
    )
    expected = np.bincount(labels.ravel(), values.ravel()) / np.bincount(labels.ravel())
    assert np.abs(parcels.confidence - expected[1:]).max() < 1e-6


def test_confidence_must_fit(write_map, write_confidence, write_scene):
    source = load(write_map, CODES)
    parcels = trace(source)
    with pytest.raises(InputError, match="not on the grid"):
        add_confidence(parcels, write_confidence(np.ones((3, 5))), source.grid)
    other = write_scene(CODES[None], "other.tif", bands=None)
    with pytest.raises(InputError, match="is no confidence raster"):
        add_confidence(parcels, other, source.grid)


def test_sieve(write_map, blobs):
    source = load(write_map, blobs)
    sieved = sieve(source, 0.05)  # 5 pixels of 0.01 ha
    assert np.array_equal(sieved.codes == 255, blobs == 255)
    small = trace(sieved).pixels < 5
    assert (trace(source).pixels < 5).sum() > 100 and small.sum() == 0
    assert sieve(source, 0) is source
    assert (source.codes == blobs).all()


def test_simplified_is_a_coverage(write_map, blobs):
    source = load(write_map, blobs)
    parcels = trace(sieve(source, 0.2))
    simple = simplify(parcels, 1.5)
    assert shapely.is_valid(simple.shapes).all() and shapely.coverage_is_valid(simple.shapes)
    assert shapely.get_num_coordinates(simple.shapes).sum() < 0.6 * (
        shapely.get_num_coordinates(parcels.shapes).sum()
    )
    for code in (0, 1, 2):
        own = parcels.codes == code
        before, after = (shapely.area(p.shapes[own]).sum() for p in (parcels, simple))
        assert after == pytest.approx(before, rel=0.01)
    assert np.array_equal(simple.hectares, parcels.hectares)


def test_gpkg(write_map, tmp_path, blobs, legend, monkeypatch):
    monkeypatch.setattr("agri_map.analysis.vector.CHUNK", 150)
    source = load(write_map, blobs)
    parcels = trace(source)
    path = tmp_path / "map.gpkg"
    write_polygons(path, parcels, source.grid, legend)
    frame = geopandas.read_file(path)
    assert frame.crs == "EPSG:3035" and len(frame) == len(parcels.shapes) and frame.is_valid.all()
    assert list(frame.columns[:5]) == ["class", "class_id", "area_ha", "pixels", "colour"]
    assert np.abs(frame.area / 10_000 - frame.area_ha).max() < 1e-4
    assert set(zip(frame["class"], frame.colour, strict=True)) == {
        ("other", "#c8c8c8"), ("arable", "#e8c547"), ("water", "#2a7fba"),
    }  # fmt: skip
    with sqlite3.connect(path) as database:
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
    before = path.read_bytes()
    write_polygons(path, parcels, source.grid, legend)  # an earlier output may be replaced
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("crs", "transform"),
    [("EPSG:32633", from_origin(500_000, 5_500_000, 10, 10)),
     ("EPSG:32733", Affine(9.3, 2.1, 321_000.5, 1.9, -9.4, 6_100_000.25)),
     ("EPSG:4326", from_origin(15, 50, 0.0001, 0.0001))],
)  # fmt: skip
def test_geojson(write_map, tmp_path, blobs, legend, crs, transform, monkeypatch):
    monkeypatch.setattr("agri_map.analysis.vector.CHUNK", 150)
    source = load(write_map, blobs, crs=crs, transform=transform)
    parcels = trace(source)
    path = tmp_path / "map.geojson"
    write_polygons(path, parcels, source.grid, legend)
    record = json.loads(path.read_text())
    assert record["type"] == "FeatureCollection" and "crs" not in record
    frame = geopandas.read_file(path)
    assert frame.crs == "EPSG:4326" and len(frame) == len(parcels.shapes) and frame.is_valid.all()
    for shape in shapely.from_geojson([json.dumps(f["geometry"]) for f in record["features"]]):
        assert shapely.is_ccw(shape.exterior)  # RFC 7946, 3.1.6
    # Equal-area reference: the mapped hectares are those of the ground within 1 %.
    ground = frame.to_crs("EPSG:6933").area / 10_000
    assert ground.sum() == pytest.approx(frame.area_ha.sum(), rel=0.01)


def test_a_map_over_the_180th_meridian(write_map, tmp_path, legend):
    source = load(
        write_map, CODES, crs="EPSG:32660", transform=from_origin(808_000, 500_000, 3e4, 3e4)
    )
    parcels = trace(source)
    with pytest.raises(InputError, match=r"180th meridian, .*; write a \.gpkg"):
        write_polygons(tmp_path / "a.geojson", parcels, source.grid, legend)
    assert list(tmp_path.glob("*a.geojson*")) == []
    write_polygons(tmp_path / "a.gpkg", parcels, source.grid, legend)
    assert len(geopandas.read_file(tmp_path / "a.gpkg")) == len(parcels.shapes)


def test_pick(write_map, legend):
    parcels = trace(load(write_map, CODES))
    assert set(pick(parcels, legend, ["water"]).codes) == {2}
    assert pick(parcels, legend, []) is parcels
    with pytest.raises(InputError, match="no class is called 'maize'"):
        pick(parcels, legend, ["maize"])


@pytest.mark.parametrize("suffix", ["gpkg", "geojson"])
def test_empty_map(write_map, tmp_path, legend, suffix):
    source = load(write_map, np.full((3, 3), 255, np.uint8))
    parcels = trace(source)
    path = tmp_path / f"empty.{suffix}"
    write_polygons(path, simplify(parcels, 1), source.grid, legend)
    assert len(geopandas.read_file(path)) == 0


def test_somebody_elses_polygons_are_kept(write_map, tmp_path, legend):
    source = load(write_map, CODES)
    parcels = trace(source)
    mine = tmp_path / "mine.gpkg"
    table = geopandas.GeoDataFrame(geometry=list(parcels.shapes), crs="EPSG:32633")
    table.assign(owner="me").to_file(mine, layer="map")
    lonlat = tmp_path / "mine.geojson"
    lonlat.write_text('{"type":"FeatureCollection","features":[{"type":"Feature"}]}')
    both = tmp_path / "both.gpkg"
    write_polygons(both, parcels, source.grid, legend)
    table.to_file(both, layer="drawn by hand", mode="a")
    for path in (mine, lonlat, both):
        before = path.read_bytes()
        with pytest.raises(InputError, match=r"was not written by|was changed since"):
            write_polygons(path, parcels, source.grid, legend)
        assert path.read_bytes() == before


def test_a_full_disk_names_the_polygons(write_map, tmp_path, legend, monkeypatch):
    import pyogrio.raw

    def full(*arguments, **options):
        raise pyogrio.errors.DataSourceError("sqlite3_exec failed: disk I/O error")

    monkeypatch.setattr(pyogrio.raw, "write", full)
    source = load(write_map, CODES)
    with pytest.raises(OSError, match=r"cannot write .*/out\.gpkg, is the disk full\? \(sqlite3"):
        write_polygons(tmp_path / "out.gpkg", trace(source), source.grid, legend)
    assert not list(tmp_path.glob("[!.]*out*"))


def test_foreign_files_are_kept(write_map, tmp_path, legend):
    source = load(write_map, CODES)
    for name in ("a.gpkg", "a.geojson"):
        path = tmp_path / name
        path.write_text("my thesis")
        with pytest.raises(InputError, match=r"was not written by|was changed since"):
            write_polygons(path, trace(source), source.grid, legend)
        assert path.read_text() == "my thesis"
    with pytest.raises(InputError, match=r"ending in \.gpkg or \.geojson"):
        write_polygons(tmp_path / "a.shp", trace(source), source.grid, legend)


def test_blocks_are_whole_rows(write_map, blobs):
    with open_map(write_map(blobs)) as dataset:
        assert np.array_equal(np.concatenate([block for _, block in read_blocks(dataset)]), blobs)
