"""Drawings to polygons on the ground, and back through the command."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
from affine import Affine
from agri_annotate.cli import app
from agri_annotate.formats.read import read_project
from agri_annotate.geo.export import write_layer
from agri_annotate.geo.overlay import OverlayOptions, draw_layer
from agri_annotate.geo.place import Place
from agri_annotate.geo.places import list_pictures, read_places
from agri_annotate.geo.vector import locate
from agri_annotate.masks.coverage import cover
from agri_annotate.model.pictures import Header
from agri_annotate.model.project import Picture, Problem, Project, Region
from agri_annotate.model.shape import Circle, Point, Polyline, Rect
from agri_core.files.errors import InputError
from agri_core.raster.grid import shifted
from agri_core.vector.layer import Layer
from agri_core.vector.reader import is_layer, read_layer
from hypothesis import given, settings
from hypothesis import strategies as st
from pyogrio.raw import read as read_table
from pyproj import CRS
from rasterio import features as raster
from typer.testing import CliRunner

EXPORTS = Path(__file__).parents[1] / "exports"
UTM = CRS.from_epsg(32632)
TEN = Affine(10, 0, 500_000, 0, -10, 5_800_000)
HECTARE = 1 / 0.9996**2
"""Ground under 100 pixels: UTM shows lengths at 0.9996 of themselves in the middle of a zone."""

PLACE = Place(480, 640, UTM, TEN)


def run(*arguments):
    """Run the command; only its own errors are let through."""
    result = CliRunner().invoke(app, ["vector", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def label(region, where):
    return str(region.attributes.get("label", ""))


def project(*shapes, name="a.tif"):
    regions = tuple(
        Region(shape, {"label": f"c{number}"}, number) for number, shape in enumerate(shapes)
    )
    return Project("via2-json", (Picture(name, regions=regions),))


@pytest.fixture
def folder(tmp_path):
    """The two pictures of the exports with world files: 10 m pixels, side by side."""
    target = tmp_path / "pictures"
    shutil.copytree(EXPORTS / "images", target)
    for number in (0, 1):
        # A world file names the centre of the first pixel: 5 m right of and below its corner.
        west = 500_005 + 6400 * number
        (target / f"field_{number}.pgw").write_text(f"10\n0\n0\n-10\n{west}\n5799995\n")
    return target


def picture(path, crs="EPSG:32632", transform=TEN, shape=(480, 640)):
    profile = {"driver": "GTiff", "height": shape[0], "width": shape[1], "count": 1}
    with rasterio.open(path, "w", dtype="uint8", crs=crs, transform=transform, **profile) as sink:
        sink.write(np.zeros(shape, np.uint8), 1)
    return path


def export(folder, out):
    """Write a real export, whose pictures have no CRS of their own, as a layer."""
    return run(
        EXPORTS / "via-2.0.11_annotations.json", "--pictures", folder, "--out", out,
        "--crs", "EPSG:32632", "--attribute", "label",
    )  # fmt: skip


def test_an_export_to_a_geopackage(folder, tmp_path):
    out = tmp_path / "fields.gpkg"
    result = export(folder, out)
    assert result.exit_code == 0
    assert sorted(name for name, _ in pyogrio.list_layers(out)) == ["lines", "points", "regions"]
    meta, _, shapes, fields = read_table(out, layer="regions")
    assert CRS.from_user_input(meta["crs"]) == UTM
    table = dict(zip(meta["fields"], fields, strict=True))
    assert table["region"].tolist() == [1, 2, 3, 4, 7, 8, 9]
    assert table["class"].tolist() == ["soil", *["crop"] * 6]
    assert set(table["picture"]) == {"field_0.png"}
    # A pixel is 0.01 ha: rect 100 x 70; circle pi 35^2; ellipse pi 70 40; the quad is 14100 px.
    hectares = dict(zip(table["region"].tolist(), table["hectares"].tolist(), strict=True))
    assert hectares[1] == pytest.approx(70 * HECTARE, rel=1e-6)
    assert hectares[2] == pytest.approx(math.pi * 35**2 / 100 * HECTARE, rel=1e-6)
    assert hectares[3] == pytest.approx(math.pi * 70 * 40 / 100 * HECTARE, rel=1e-6)
    assert hectares[4] == pytest.approx(141 * HECTARE, rel=1e-6)
    # The rect begins 200 m east and 200 m south of the corner and is 1000 m by 700 m.
    assert shapely.from_wkb(shapes[0]).bounds == (500_200, 5_799_100, 501_200, 5_799_800)
    assert "region 8: the circle reaches over the border of the picture" in result.stderr


def test_the_note_and_the_ticks_come_along(folder, tmp_path):
    out = tmp_path / "fields.geojson"
    run(
        EXPORTS / "via-2.0.11_annotations.json", "--pictures", folder, "--out", out,
        "--crs", "EPSG:32632", "--attribute", "label",
    )  # fmt: skip
    content = json.loads(out.read_text())
    by_region = {f["properties"]["region"]: f for f in content["features"]}
    assert by_region[2]["properties"]["flags"] == "blurred"
    assert by_region[3]["properties"]["note"] == 'a "quoted", note'
    assert by_region[5]["geometry"]["type"] == "LineString"
    assert by_region[5]["properties"]["hectares"] is None
    assert by_region[6]["geometry"]["type"] == "Point"
    # RFC 7946: longitude first, shells counter-clockwise
    ring = shapely.Polygon(by_region[1]["geometry"]["coordinates"][0]).exterior
    assert ring.is_ccw
    lon, lat = ring.coords[0]
    assert 8.9 < lon < 9.3
    assert 52.2 < lat < 52.5


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg"])
def test_a_second_run_is_equal_byte_for_byte(folder, tmp_path, suffix):
    out = tmp_path / f"fields{suffix}"
    written = []
    for _ in range(2):
        run(
            EXPORTS / "via-1.0.6_annotations.json",
            "--pictures", folder, "--out", out, "--crs", "EPSG:32632", "--single", "field",
        )  # fmt: skip
        written.append(out.read_bytes())
    assert written[0] == written[1]
    assert str(tmp_path).encode() not in written[0]
    assert list(tmp_path.glob(".partial-*")) == []


def test_there_and_back_keeps_the_masks(folder, tmp_path):
    for name in ("fields.gpkg", "fields.geojson"):
        out, back = tmp_path / name, tmp_path / "back.json"
        common = ["--pictures", folder, "--crs", "EPSG:32632", "--attribute"]
        run(EXPORTS / "via-2.0.11_annotations.json", *common, "label", "--out", out)
        result = run(out, *common, "class", "--out", back)
        assert result.exit_code == 3  # the line and the point are no polygons, and that is said
        assert result.stderr.count("expected a polygon") == 2
        first, _ = read_project(EXPORTS / "via-2.0.11_annotations.json")
        again, problems = read_project(back)
        assert problems == []
        areas = [r for r in first.pictures[0].regions if r.shape.kind not in ("polyline", "point")]
        drawn = again.pictures[0].regions
        assert [r.attributes["class"] for r in drawn] == [r.attributes["label"] for r in areas]
        for before, after in zip(areas, drawn, strict=True):
            assert iou(paint(before.shape), paint(after.shape)) > 0.995
        assert again.regions[0].kind == "dropdown"
        assert list(again.regions[0].options) == ["soil", "crop"]


def paint(shape, height=480, width=640):
    mask = np.zeros((height, width), bool)
    covered = cover(shape, height, width)
    mask[covered.window] = covered.inside
    return mask


def iou(one, other):
    return (one & other).sum() / max(1, (one | other).sum())


def test_what_reaches_over_the_border_is_cut():
    # Half of a 20 x 10 rect lies left of the picture: 10 x 10 pixels of 0.01 ha are left.
    features, problems = locate(project(Rect(-10, 0, 20, 10)), {"a.tif": PLACE}, label)
    assert features[0].hectares == pytest.approx(HECTARE)
    assert [(p.where, p.severity) for p in problems] == [("a.tif region 1", "changed")]


def test_what_lies_outside_is_lost_by_name():
    features, problems = locate(project(Circle(-50, 5, 10)), {"a.tif": PLACE}, label)
    assert features == []
    assert problems == [
        Problem("a.tif region 1", "the circle lies outside the picture of 640 x 480 pixels")
    ]


def test_flat_cuts_what_lies_below():
    # The second rect covers 5 x 10 of the first one's 10 x 10 pixels.
    drawn = project(Rect(0, 0, 10, 10), Rect(5, 0, 10, 10), Point(3, 3))
    apart, _ = locate(drawn, {"a.tif": PLACE}, label)
    flat, _ = locate(drawn, {"a.tif": PLACE}, label, flat=True)
    assert [f.hectares for f in apart] == [pytest.approx(HECTARE), pytest.approx(HECTARE), None]
    assert [f.hectares for f in flat] == [pytest.approx(HECTARE / 2), pytest.approx(HECTARE), None]
    assert [f.region for f in flat] == [1, 2, 3]


def test_flat_says_what_is_hidden():
    drawn = project(Rect(2, 2, 5, 5), Rect(0, 0, 10, 10))
    flat, problems = locate(drawn, {"a.tif": PLACE}, label, flat=True)
    assert [f.region for f in flat] == [2]
    assert problems == [Problem("a.tif region 1", "it is hidden whole by later regions", "changed")]


def test_a_line_cut_in_two_stays_a_line():
    # It leaves the picture below and comes back.
    line = Polyline(((10, 470), (20, 490), (30, 470)))
    features, _ = locate(project(line), {"a.tif": PLACE}, label)
    assert features[0].shape.geom_type == "MultiLineString"
    assert features[0].hectares is None


def test_a_region_without_class_is_a_problem_and_the_others_stay():
    def refuse(region, where):
        return Problem(where, "no class") if region.number == 0 else "crop"

    drawn = project(Rect(0, 0, 9, 9), Rect(20, 0, 9, 9))
    features, problems = locate(drawn, {"a.tif": PLACE}, refuse)
    assert [f.region for f in features] == [2]
    assert problems == [Problem("a.tif region 1", "no class")]


def test_a_picture_without_a_place_is_a_problem():
    features, problems = locate(project(Rect(0, 0, 9, 9)), {}, label)
    assert features == []
    assert problems[0].where == "a.tif"
    assert problems[0].severity == "lost"


def test_attributes_never_collide_with_columns(tmp_path):
    # In a GeoPackage names of columns that differ by case only are the same, "fid" is taken.
    said = {"Class": "a", "class": "b", "FID": "c", "": "d", "x\ny": "e", "\ud800": "f"}
    drawn = Project("via2-json", (Picture("a.tif", regions=(Region(Rect(0, 0, 9, 9), said),)),))
    features, _ = locate(drawn, {"a.tif": PLACE}, lambda region, where: "crop")
    write_layer(tmp_path / "a.gpkg", features)
    meta, _, _, fields = read_table(tmp_path / "a.gpkg")
    row = {name: column[0] for name, column in zip(meta["fields"], fields, strict=True)}
    assert row["class"] == "crop"
    assert {row["Class_2"], row["class_3"], row["FID_2"], row["attribute"]} == {"a", "b", "c", "d"}
    assert row["x y"] == "e"
    assert row["?"] == "f"


def test_another_crs_is_moved_to_the_first(tmp_path):
    east = Place(480, 640, CRS.from_epsg(32633), Affine(10, 0, 200_000, 0, -10, 5_800_000))
    two = Project(
        "via2-json",
        tuple(Picture(name, regions=(Region(Rect(0, 0, 10, 10)),)) for name in ("a.tif", "b.tif")),
    )
    features, _ = locate(two, {"a.tif": PLACE, "b.tif": east}, label)
    problems = write_layer(tmp_path / "a.gpkg", features)
    assert [(p.where, p.severity) for p in problems] == [("b.tif", "note")]
    meta, _, shapes, _ = read_table(tmp_path / "a.gpkg")
    assert CRS.from_user_input(meta["crs"]) == UTM
    # Far from its meridian zone 32 is some thousandths larger than zone 33 is.
    assert shapely.from_wkb(shapes[1]).area == pytest.approx(10_000, rel=0.01)


def test_the_180th_meridian_is_refused_by_name(tmp_path):
    place = Place(100, 100, CRS.from_epsg(32660), Affine(10_000, 0, 500_000, 0, -10_000, 500_000))
    features, _ = locate(project(Rect(10, 10, 50, 20), Rect(0, 0, 5, 5)), {"a.tif": place}, label)
    problems = write_layer(tmp_path / "a.geojson", features)
    assert [p.where for p in problems] == ["a.tif region 1"]
    assert "180th meridian" in problems[0].what
    assert len(json.loads((tmp_path / "a.geojson").read_text())["features"]) == 1


# From the ground to drawings


def ground(shape):
    return PLACE.to_ground(shape)


def layer(*geometries, crs=UTM, **columns):
    count = len(geometries)
    rows = tuple({key: value[i] for key, value in columns.items()} for i in range(count))
    return Layer(crs, geometries, rows or tuple({} for _ in geometries))


def burn(drawn, order, height=480, width=640):
    """Paint the regions of a project in order; class by its place in `order`."""
    mask = np.zeros((height, width), np.uint8)
    for region in drawn.regions:
        covered = cover(region.shape, height, width)
        mask[covered.window][covered.inside] = order.index(region.attributes["class"])
    return mask


def test_a_polygon_comes_back_in_pixels():
    shape = ground(shapely.box(10, 20, 30, 50))
    made, problems = draw_layer(
        layer(shape, **{"class": ["crop"]}), {"a.tif": PLACE}, OverlayOptions()
    )
    region = made.pictures[0].regions[0]
    assert set(region.shape.points) == {(10, 20), (30, 20), (30, 50), (10, 50)}
    assert region.attributes == {"class": "crop"}
    assert problems == []
    assert made.form == "via2-project"


def test_parts_become_regions():
    parts = shapely.multipolygons([shapely.box(0, 0, 9, 9), shapely.box(20, 0, 29, 9)])
    made, _ = draw_layer(
        layer(ground(parts), kind=["crop"]), {"a.tif": PLACE}, OverlayOptions("kind")
    )
    assert [r.number for r in made.pictures[0].regions] == [0, 1]
    assert [r.attributes["kind"] for r in made.pictures[0].regions] == ["crop", "crop"]


def test_an_island_in_a_hole_lies_above_the_hole_whatever_the_order():
    outer = shapely.box(0, 0, 90, 90) - shapely.box(20, 20, 70, 70)
    island = shapely.box(40, 40, 50, 50)
    for shapes, names in (((outer, island), ["a", "b"]), ((island, outer), ["b", "a"])):
        source = layer(*map(ground, shapes), **{"class": names})
        made, problems = draw_layer(source, {"a.tif": PLACE}, OverlayOptions())
        mask = burn(made.pictures[0], ["background", "a", "b"])
        # 90 x 90 - 50 x 50 = 5600 pixels of a, 10 x 10 of b
        assert np.bincount(mask.ravel(), minlength=3)[1:].tolist() == [5600, 100]
        assert [p.severity for p in problems] == ["note"]


def test_a_polygon_that_fills_the_hole_of_another_stays():
    outer = shapely.box(0, 0, 90, 90) - shapely.box(20, 20, 70, 70)
    source = layer(*map(ground, (shapely.box(20, 20, 70, 70), outer)), **{"class": ["b", "a"]})
    made, _ = draw_layer(source, {"a.tif": PLACE}, OverlayOptions())
    mask = burn(made.pictures[0], ["background", "a", "b"])
    assert np.bincount(mask.ravel(), minlength=3)[1:].tolist() == [5600, 2500]
    # Nothing of the hole is left to be background.
    assert [r.attributes["class"] for r in made.pictures[0].regions] == ["a", "b"]


def test_a_polygon_that_shows_through_a_hole_is_said():
    below = shapely.box(0, 0, 100, 100)
    above = shapely.box(10, 10, 90, 90) - shapely.box(20, 20, 70, 70)
    source = layer(*map(ground, (below, above)), **{"class": ["b", "a"]})
    _, problems = draw_layer(source, {"a.tif": PLACE}, OverlayOptions())
    assert [(p.where, p.severity) for p in problems] == [
        ("feature 2 on a.tif", "changed"), ("a.tif", "note"),
    ]  # fmt: skip


def test_polygons_in_another_crs_are_moved():
    from agri_core.vector.crs import LONLAT, move

    shape = move(ground(shapely.box(10, 20, 300, 400)), UTM, LONLAT)
    made, _ = draw_layer(layer(shape, crs=LONLAT), {"a.tif": PLACE}, OverlayOptions())
    corners = shapely.MultiPoint(made.pictures[0].regions[0].shape.points)
    for corner in ((10, 20), (300, 20), (300, 400), (10, 400)):
        assert corners.distance(shapely.Point(corner)) < 0.01
    assert iou(paint(made.pictures[0].regions[0].shape), paint(Rect(10, 20, 290, 380))) > 0.995


def test_a_polygon_over_two_pictures_is_cut_into_both():
    other = Place(480, 640, UTM, shifted(TEN, row=0, col=640))
    shape = ground(shapely.box(600, 0, 700, 50))
    made, problems = draw_layer(layer(shape), {"a.tif": PLACE, "b.tif": other}, OverlayOptions())
    areas = [shapely.Polygon(p.regions[0].shape.points).area for p in made.pictures]
    assert areas == pytest.approx([40 * 50, 60 * 50])
    assert [(p.where, p.severity) for p in problems] == [("a.tif", "changed"), ("b.tif", "changed")]


def test_a_polygon_that_names_its_picture_is_drawn_there_only():
    shape = ground(shapely.box(10, 20, 30, 50))
    source = layer(shape, picture=["b.tif"])
    made, _ = draw_layer(source, {"a.tif": PLACE, "b.tif": PLACE}, OverlayOptions())
    assert [len(p.regions) for p in made.pictures] == [0, 1]


def test_a_polygon_of_a_picture_that_is_not_there_is_drawn_where_it_lies():
    shape = ground(shapely.box(10, 20, 30, 50))
    made, _ = draw_layer(
        layer(shape, picture=["last year.tif"]), {"a.tif": PLACE}, OverlayOptions()
    )
    assert len(made.pictures[0].regions) == 1


def test_neighbours_that_only_touch_the_border_leave_no_slivers():
    shape = ground(shapely.box(640, 0, 700, 50))
    inside = ground(shapely.box(5, 5, 9, 9))
    made, problems = draw_layer(layer(shape, inside), {"a.tif": PLACE}, OverlayOptions())
    assert len(made.pictures[0].regions) == 1
    assert problems == [Problem("polygons", "1 of 2 lie on none of the pictures", "note")]


def test_no_polygon_on_any_picture_is_the_users_mistake():
    shape = shapely.box(0, 0, 1, 1)
    with pytest.raises(InputError, match="coordinate reference system"):
        draw_layer(layer(shape), {"a.tif": PLACE}, OverlayOptions())


def test_what_is_no_polygon_is_said():
    good = ground(shapely.box(5, 5, 9, 9))
    source = layer(good, shapely.Point(1, 1), None, shapely.Polygon())
    _, problems = draw_layer(source, {"a.tif": PLACE}, OverlayOptions())
    assert [(p.where, p.severity) for p in problems] == [
        ("feature 2", "lost"), ("feature 3", "lost"), ("feature 4", "lost"),
    ]  # fmt: skip


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**32 - 1),
    cell=st.integers(2, 9),
    turn=st.sampled_from([0.0, 17.0]),
    way=st.sampled_from([".gpkg", ".geojson"]),
)
def test_mask_to_polygons_to_mask(tmp_path_factory, seed, cell, turn, way):
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 3, (12, 15)).astype(np.uint8)
    mask = np.kron(coarse, np.ones((cell, cell), np.uint8))
    c, s = 10 * math.cos(math.radians(turn)), 10 * math.sin(math.radians(turn))
    place = Place(*mask.shape, UTM, Affine(c, -s, 500_000, -s, -c, 5_800_000))
    out = tmp_path_factory.mktemp("trip") / f"map{way}"
    polygons = [(shapely.geometry.shape(g), int(v)) for g, v in raster.shapes(mask, mask=mask > 0)]
    if not polygons:
        return
    crs = UTM
    shapes = [place.to_ground(shape) for shape, _ in polygons]
    names = np.array([f"c{code}" for _, code in polygons], object)
    pyogrio.raw.write(
        str(out), shapely.to_wkb(np.array(shapes, object)), [names], ["class"],
        crs=crs.to_wkt(), geometry_type="Polygon",
        driver="GPKG" if way == ".gpkg" else "GeoJSON",
        **({} if way == ".gpkg" else {"RFC7946": "YES", "COORDINATE_PRECISION": "9"}),
    )  # fmt: skip
    assert is_layer(out)
    made, _ = draw_layer(read_layer(out), {"a.tif": place}, OverlayOptions())
    back = burn(made.pictures[0], ["background", "c1", "c2"], *mask.shape)
    for code in (1, 2):
        assert iou(mask == code, back == code) >= 0.98


# What people bring


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b"{}", b'{"type":"FeatureCollection"}',
        b"SQLite format 3\0 cut", b"\xff\xfe", b"[" * 100_000,
        b'{"type":"FeatureCollection","features":[],"crs":{"type":"name","properties":'
        b'{"name":"/etc/passwd"}}}',
    ],
)  # fmt: skip
def test_files_that_are_no_polygons(tmp_path, content):
    path = tmp_path / "polygons.geojson"
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_layer(path)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)
kinds = st.sampled_from(["Polygon", "MultiPolygon", "Point", "GeometryCollection", "Nonsense"])


@given(
    st.lists(
        st.builds(
            lambda kind, inner, said: {
                "type": "Feature",
                "properties": said,
                "geometry": {"type": kind, "coordinates": inner},
            },
            kinds,
            json_values,
            json_values,
        )
        | json_values,
        max_size=4,
    )
)
def test_no_feature_makes_a_traceback(tmp_path_factory, items):
    path = tmp_path_factory.mktemp("bad") / "a.geojson"
    good = {"type": "Polygon", "coordinates": [[[9, 52], [9.1, 52], [9.1, 52.1], [9, 52]]]}
    features = [*items, {"type": "Feature", "properties": {}, "geometry": good}]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    place = Place(480, 640, CRS.from_epsg(4326), Affine(0.001, 0, 9, 0, -0.001, 52.2))
    made, problems = draw_layer(read_layer(path), {"a.tif": place}, OverlayOptions())
    assert len(made.pictures[0].regions) + len(problems) >= 1


def test_a_collection_in_metres_says_so(tmp_path):
    # Older programs write "crs"; without it the polygon would lie nowhere.
    path = tmp_path / "a.geojson"
    geometry = json.loads(shapely.to_geojson(ground(shapely.box(10, 20, 30, 50))))
    content = {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32632"}},
        "features": [{"type": "Feature", "properties": {"n": 3.0}, "geometry": geometry}],
    }
    path.write_text(json.dumps(content))
    made, _ = draw_layer(read_layer(path), {"a.tif": PLACE}, OverlayOptions("n"))
    assert made.pictures[0].regions[0].attributes == {"n": "3"}


def test_the_command_says_what_is_wrong(folder, tmp_path):
    drawings = EXPORTS / "via-2.0.11_annotations.json"
    cases = [
        (
            [drawings, "--pictures", folder, "--out", tmp_path / "a.shp"],
            "ending in .gpkg or",
        ),
        ([drawings, "--pictures", tmp_path / "none", "--out", tmp_path / "a.gpkg"], "no folder"),
        ([tmp_path / "none", "--pictures", folder, "--out", tmp_path / "a.gpkg"], "no file"),
        ([drawings, "--pictures", folder, "--out", tmp_path / "a.gpkg", "--crs", "x"], "EPSG"),
    ]
    for arguments, text in cases:
        with pytest.raises((InputError, FileNotFoundError), match=text):
            run(*arguments)
    # World files, but no CRS
    with pytest.raises(InputError, match="--crs"):
        run(drawings, "--pictures", folder, "--out", tmp_path / "a.gpkg", "--attribute", "label")
    assert not (tmp_path / "a.gpkg").exists()


def test_somebody_elses_file_is_not_overwritten(folder, tmp_path):
    out = tmp_path / "a.geojson"
    out.write_text('{"type":"FeatureCollection","features":[]}')
    with pytest.raises(InputError, match="was not written by"):
        run(
            EXPORTS / "via-2.0.11_annotations.json", "--pictures", folder, "--out", out,
            "--crs", "EPSG:32632", "--attribute", "label",
        )  # fmt: skip
    assert out.read_text() == '{"type":"FeatureCollection","features":[]}'


def test_polygons_to_a_project_through_the_command(tmp_path):
    folder = tmp_path / "scenes"
    folder.mkdir()
    path = picture(folder / "a.tif")
    polygons = tmp_path / "polygons.gpkg"
    names = np.array(["soil"], object)
    shape = ground(shapely.box(10, 20, 30, 50) - shapely.box(12, 22, 20, 30))
    pyogrio.raw.write(
        str(polygons), shapely.to_wkb(np.array([shape], object)), [names], ["crop"],
        crs="EPSG:32632", geometry_type="Polygon", driver="GPKG",
    )  # fmt: skip
    out = tmp_path / "drawings.json"
    result = run(
        polygons, "--pictures", folder, "--out", out, "--attribute", "crop",
        "--background", "bare",
    )  # fmt: skip
    assert result.exit_code == 0
    assert "2 regions on 1 picture:" in result.stdout
    content = json.loads(out.read_text())
    key = f"a.tif{path.stat().st_size}"
    regions = content["_via_img_metadata"][key]["regions"]
    assert [r["region_attributes"]["crop"] for r in regions] == ["soil", "bare"]
    assert content["_via_attributes"]["region"]["crop"]["options"] == {
        "soil": "soil",
        "bare": "bare",
    }
    first = out.read_bytes()
    run(
        polygons, "--pictures", folder, "--out", out, "--attribute", "crop",
        "--background", "bare",
    )  # fmt: skip
    assert out.read_bytes() == first


def test_a_picture_turned_by_exif_is_said(tmp_path, monkeypatch):
    turned = Header(480, 640, 9, rasterio.crs.CRS.from_epsg(32632), TEN, turned=True)
    monkeypatch.setattr("agri_annotate.geo.places.header", lambda path: turned)
    places, problems = read_places({"a.jpg": tmp_path / "a.jpg"})
    assert places == {"a.jpg": PLACE}
    assert [(p.where, p.severity) for p in problems] == [("a.jpg", "changed")]


def test_pictures_that_say_nothing_are_notes(tmp_path):
    (tmp_path / "bad.tif").write_bytes(b"II*")
    picture(tmp_path / "bare.tif", crs=None, transform=Affine.identity())
    picture(tmp_path / "flat.tif", transform=Affine(10, 0, 0, 10, 0, 0))
    picture(tmp_path / "good.tif")
    places, problems = read_places(list_pictures(tmp_path))
    assert list(places) == ["good.tif"]
    assert [p.where for p in problems] == ["bad.tif", "bare.tif", "flat.tif"]


def test_coordinates_that_are_no_numbers_are_no_polygon(tmp_path):
    shapes = np.array([ground(shapely.box(10, 20, 30, 50)), shapely.box(0, 0, np.inf, 1)], object)
    path = tmp_path / "a.gpkg"
    pyogrio.raw.write(
        str(path), shapely.to_wkb(shapes), [np.array([1.0, np.nan])], ["class"],
        crs="EPSG:32632", geometry_type="Polygon", driver="GPKG",
    )  # fmt: skip
    made, problems = draw_layer(read_layer(path), {"a.tif": PLACE}, OverlayOptions())
    assert [r.attributes for r in made.pictures[0].regions] == [{"class": "1"}]
    assert [p.where for p in problems] == ["feature 2"]


def test_a_bow_tie_on_the_ground_is_mended_and_said():
    bow = ground(shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)]))
    made, problems = draw_layer(layer(bow), {"a.tif": PLACE}, OverlayOptions())
    assert len(made.pictures[0].regions) == 2
    assert [(p.where, p.severity) for p in problems] == [("feature 1", "changed")]


def test_regions_without_class_are_written_and_counted(folder, tmp_path):
    out = tmp_path / "a.gpkg"
    result = export(folder, out)
    assert "1 of its regions have no class" in result.stderr  # the point
    meta, _, _, fields = read_table(out, layer="points")
    assert fields[list(meta["fields"]).index("class")].tolist() == [""]


def test_the_reason_is_that_no_picture_was_found(tmp_path):
    (tmp_path / "pictures").mkdir()
    drawings = tmp_path / "a.json"
    rect = {"name": "rect", "x": 1, "y": 1, "width": 5, "height": 5}
    regions = [
        {"shape_attributes": shape, "region_attributes": {"label": "crop"}}
        for shape in ({"name": "blob"}, rect)
    ]
    content = {"filename": "a.tif", "size": -1, "file_attributes": {}, "regions": regions}
    drawings.write_text(json.dumps({"a.tif-1": content}))
    with pytest.raises(InputError, match=r"picture; a\.tif: no such picture"):
        run(drawings, "--pictures", tmp_path / "pictures", "--out", tmp_path / "a.gpkg")
