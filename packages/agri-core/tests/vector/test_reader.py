"""Reading people's files of polygons."""

import json

import numpy as np
import pyogrio
import pytest
import shapely
from agri_core.files.errors import InputError, MissingError
from agri_core.vector.layer import areas, plain
from agri_core.vector.reader import is_layer, read_layer
from pyogrio.raw import write
from pyproj import CRS

SQUARE = shapely.box(500_000, 5_000_000, 500_100, 5_000_100)


def table(path, shapes, layer=None, crs="EPSG:32633", driver="GPKG", kind="Polygon", **columns):
    geometries = shapely.to_wkb(np.array([*shapes, None], object)[:-1])
    fields = [np.array(values, object) for values in columns.values()]
    more = {"layer": layer, "append": path.exists()} if layer else {}
    write(
        str(path), geometries, fields, list(columns), crs=crs, geometry_type=kind, driver=driver,
        **more,
    )  # fmt: skip
    return path


def collection(path, *features, **members):
    content = {"type": "FeatureCollection", **members, "features": list(features)}
    path.write_text(json.dumps(content))
    return path


def feature(geometry, **properties):
    given = None if geometry is None else json.loads(shapely.to_geojson(geometry))
    return {"type": "Feature", "properties": properties, "geometry": given}


@pytest.mark.parametrize(("driver", "name"), [("GPKG", "a.gpkg"), ("ESRI Shapefile", "a.shp")])
def test_null_geometries_and_heights(tmp_path, driver, name):
    high = shapely.force_3d(SQUARE, 12.0)
    path = table(
        tmp_path / name, [high, None], driver=driver, kind="Polygon Z", crop=["rye", "oats"]
    )
    assert is_layer(path)
    layer = read_layer(path)
    assert layer.crs == CRS.from_epsg(32633)
    assert layer.geometries[1] is None and not layer.geometries[0].has_z
    assert layer.geometries[0].equals(SQUARE)
    assert [record["crop"] for record in layer.records] == ["rye", "oats"]
    shapes, faults = areas(layer)
    assert shapes[1] is None
    assert [(fault.feature, fault.lost) for fault in faults] == [(2, True)]


def test_a_layer_is_asked_for_by_name_where_there_is_doubt(tmp_path):
    path = table(tmp_path / "two.gpkg", [SQUARE.buffer(9)], "study_area", number=["1"])
    table(path, [SQUARE, SQUARE], "fields", crop=["rye", "oats"])
    with pytest.raises(InputError, match=r"2 layers .*: study_area \(number\); fields \(crop\)"):
        read_layer(path)
    assert len(read_layer(path, "fields").geometries) == 2
    with pytest.raises(MissingError, match=r"no layer 'field'; .*did you mean 'fields'\?"):
        read_layer(path, "field")


def test_layers_with_the_same_columns_are_one(tmp_path):
    path = table(tmp_path / "a.gpkg", [SQUARE], "regions", crop=["rye"])
    east = shapely.transform(SQUARE, lambda xy: xy - [400_000, 0])
    table(path, [east], "more", crs="EPSG:32634", crop=["oats"])
    layer = read_layer(path)
    assert layer.crs == CRS.from_epsg(32633)
    assert [record["crop"] for record in layer.records] == ["rye", "oats"]
    # 400 km west of zone 34's meridian is some 70 km east of zone 33's.
    assert 560_000 < layer.geometries[1].centroid.x < 580_000
    assert layer.geometries[1].area == pytest.approx(SQUARE.area, rel=0.01)


def test_a_table_without_geometries_is_no_layer(tmp_path):
    path = table(tmp_path / "styled.gpkg", [SQUARE], "fields", crop=["rye"])
    write(
        str(path), None, [np.array(["x"], object)], ["style"], layer="layer_styles", driver="GPKG",
        append=True, geometry_type=None, crs=None,
    )  # fmt: skip
    assert {str(name) for name, _ in pyogrio.list_layers(path)} == {"fields", "layer_styles"}
    assert len(read_layer(path).geometries) == 1


def test_a_file_without_crs_is_refused(tmp_path):
    path = table(tmp_path / "a.shp", [SQUARE], driver="ESRI Shapefile", crs=None, crop=["rye"])
    with pytest.raises(InputError, match="no coordinate reference system"):
        read_layer(path)


def test_geojson_in_degrees_or_as_its_crs_member_says(tmp_path):
    place = shapely.box(15, 45, 15.1, 45.1)
    layer = read_layer(collection(tmp_path / "a.geojson", feature(place, n=1), feature(None, n=2)))
    assert layer.crs == CRS.from_epsg(4326)
    assert layer.geometries[0].equals(place) and layer.geometries[1] is None
    assert layer.columns == ("n",)
    member = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32633"}}
    old = collection(tmp_path / "old.geojson", feature(SQUARE), crs=member)
    assert read_layer(old).crs == CRS.from_epsg(32633)
    one = tmp_path / "one.geojson"
    one.write_bytes(b"\xef\xbb\xbf" + json.dumps(feature(place)).encode())
    assert len(read_layer(one).geometries) == 1
    with pytest.raises(InputError, match=r"one layer without a name, not 'x'"):
        read_layer(one, "x")


def test_metres_without_a_crs_are_told(tmp_path):
    path = collection(tmp_path / "a.geojson", feature(SQUARE))
    with pytest.raises(InputError, match=r"such as 500000, 5e\+06|such as 500100"):
        read_layer(path)


def test_what_is_no_polygon_is_told_and_a_bow_tie_mended(tmp_path):
    bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    shapes, faults = areas(
        read_layer(
            collection(
                tmp_path / "a.geojson",
                feature(bow),
                feature(shapely.Point(1, 2)),
                feature(shapely.Polygon()),
                feature(shapely.box(0, 0, 1, 1)),
            )
        )
    )
    assert [shape and shape.area for shape in shapes] == [50, None, None, 1]
    assert [(fault.feature, fault.lost) for fault in faults] == [(1, False), (2, True), (3, True)]
    assert "got Point" in faults[1].what and "an empty Polygon" in faults[2].what


def test_files_that_hold_no_features(tmp_path):
    path = tmp_path / "a.geojson"
    for content in (b"", b"{}", b"[1]", b"<OGRVRTDataSource/>", b"SQLite format 3\0 cut"):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"a\.geojson"):
            read_layer(path)
    with pytest.raises(MissingError):
        is_layer(tmp_path / "none.gpkg")


def test_text_of_a_cell():
    assert [plain(value) for value in (3.0, 3.5, 3, "a", None, np.nan)] == [
        "3", "3.5", "3", "a", "", "",
    ]  # fmt: skip
