"""Writing features: the same bytes each time, and nothing that no reader could place."""

import json

import numpy as np
import pytest
import shapely
from agri_core.files.errors import InputError
from agri_core.vector.crs import LONLAT, crosses_meridian, move, move_all, parse_crs
from agri_core.vector.reader import read_layer
from agri_core.vector.writer import Part, check_suffix, decimals, to_lonlat, write_features

UTM = parse_crs("EPSG:32633")
SQUARE = shapely.box(500_000, 5_000_000, 500_100, 5_000_100)


def part(*shapes, layer="fields", kind="Polygon", **columns):
    fields = {name: np.array(values) for name, values in columns.items()}
    return Part(np.array([*shapes, None], object)[:-1], fields, layer, kind)


@pytest.mark.parametrize("name", ["a.gpkg", "a.geojson"])
def test_written_twice_is_equal_and_comes_back(tmp_path, name):
    path = tmp_path / name
    crs = UTM if name.endswith("gpkg") else LONLAT
    shapes = [SQUARE] if crs == UTM else to_lonlat([SQUARE], UTM)
    written = []
    for _ in range(2):
        parts = (
            part(*shapes, n=[number], share=[value]) for number, value in ((1, 0.5), (2, np.nan))
        )
        write_features(path, parts, crs)
        written.append(path.read_bytes())
    assert written[0] == written[1]
    layer = read_layer(path)
    assert [record["n"] for record in layer.records] == [1, 2]
    assert layer.records[0]["share"] == 0.5
    assert layer.records[1]["share"] is None or np.isnan(layer.records[1]["share"])
    back = move(layer.geometries[1], layer.crs, UTM)
    assert back.hausdorff_distance(SQUARE) < 0.02


def test_geojson_is_of_rfc_7946(tmp_path):
    clockwise = shapely.Polygon([(15, 45), (15, 46), (16.123456789, 46), (15, 45)])
    write_features(tmp_path / "a.geojson", [part(clockwise, name=["půda"])], LONLAT)
    content = json.loads((tmp_path / "a.geojson").read_text())
    assert set(content) == {"type", "features"}
    (feature,) = content["features"]
    assert feature["properties"] == {"name": "půda"}
    ring = feature["geometry"]["coordinates"][0]
    assert shapely.LinearRing(ring).is_ccw
    assert [16.1234568, 46] in ring
    write_features(tmp_path / "none.geojson", [], LONLAT)
    assert json.loads((tmp_path / "none.geojson").read_text())["features"] == []


def test_layers_of_a_geopackage(tmp_path):
    import pyogrio

    line = shapely.LineString([(500_000, 5_000_000), (500_100, 5_000_000)])
    parts = [
        part(SQUARE, n=[1]),
        part(line, n=[2], layer="lines", kind="MultiLineString"),
        part(SQUARE, n=[3]),
    ]
    write_features(tmp_path / "a.gpkg", parts, UTM)
    found = {str(name): str(kind) for name, kind in pyogrio.list_layers(tmp_path / "a.gpkg")}
    assert found == {"fields": "Polygon", "lines": "MultiLineString"}
    assert len(read_layer(tmp_path / "a.gpkg", "fields").geometries) == 2


def test_what_no_reader_could_place_is_not_written(tmp_path):
    bad = shapely.Polygon([(0, 0), (np.inf, 0), (1, 1), (0, 0)])
    with pytest.raises(InputError, match="no numbers"):
        write_features(tmp_path / "a.gpkg", [part(bad, n=[1])], UTM)
    with pytest.raises(InputError, match="longitude and latitude, got WGS 84 / UTM"):
        write_features(tmp_path / "a.geojson", [part(SQUARE, n=[1])], UTM)
    with pytest.raises(InputError, match=r"ending in \.gpkg or \.geojson, got .*a\.shp"):
        check_suffix(tmp_path / "a.shp")
    with pytest.raises(InputError, match="180th meridian"):
        to_lonlat([shapely.box(800_000, 0, 900_000, 9)], parse_crs("EPSG:32660"))
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_someone_else_is_kept(tmp_path):
    path = tmp_path / "a.geojson"
    path.write_text('{"type":"FeatureCollection","features":[]}')
    with pytest.raises(InputError, match="was not written by"):
        write_features(path, [], LONLAT)


def test_moving_many_leaves_out_what_has_no_place():
    mercator = parse_crs("EPSG:3857")
    pole = shapely.box(0, 94, 1, 95)
    moved = move_all([shapely.box(0, 0, 180, 1), None, pole], LONLAT, mercator)
    assert moved[1] is None and moved[2] is None
    # Half the equator of a sphere of 6 378 137 m.
    assert moved[0].bounds[2] == pytest.approx(np.pi * 6_378_137)
    with pytest.raises(InputError, match=r"beyond where WGS 84 / Pseudo-Mercator is defined"):
        move(pole, LONLAT, mercator)


def test_what_crosses_the_180th_meridian():
    shapes = np.array([shapely.box(-179, 0, 179, 1), shapely.box(170, 0, 180, 1)])
    assert crosses_meridian(shapes).tolist() == [True, False]


def test_decimals_follow_the_pixel():
    assert [decimals(side) for side in (10.0, 0.1, 0.02)] == [7, 7, 9]
