"""Ground under pixels: against pyproj's geodesic polygons, in every kind of CRS."""

import numpy as np
import pytest
import shapely
from affine import Affine
from agri_core.files.errors import InputError
from agri_core.raster.geodesy import ground_area
from agri_core.raster.grid import Grid, to_ground
from agri_core.raster.pixel_area import (
    MAX_STRIPS,
    METRES_PER_DEGREE,
    PixelArea,
    measure_pixel_area,
    pixel_metres,
)
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS as ProjCRS
from pyproj import Geod, Transformer
from rasterio.crs import CRS
from rasterio.transform import from_bounds, from_origin

WGS84 = Geod(ellps="WGS84")
GOOGLE = (
    "+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +k=1 +units=m "
    "+nadgrids=@null +wktext +no_defs"
)
SYSTEMS = {
    "degrees": "EPSG:4326",
    "degrees of ETRS89": "EPSG:4258",
    "web mercator": "EPSG:3857",
    "old web mercator": GOOGLE,
    "mercator": "EPSG:3395",
    "plate carree": "EPSG:4087",
    "equirectangular": "+proj=eqc +lat_ts=30 +lon_0=0 +datum=WGS84 +units=m",
    "sinusoidal of MODIS": "+proj=sinu +lon_0=0 +R=6371007.181 +units=m +no_defs",
    "EASE-Grid 2": "EPSG:6933",
    "Lambert equal area": "EPSG:3035",
    "UTM": "EPSG:32633",
    "Lambert conformal": "EPSG:3034",
    "Miller": "+proj=mill +lon_0=0 +datum=WGS84 +units=m",
    "polar": "EPSG:3995",
    "UTM, three zones off": "EPSG:32630",
    "UTM with heights": "EPSG:32633+5773",
    "web mercator with heights": "EPSG:3857+5773",
    "Cassini": "+proj=cass +lat_0=52 +lon_0=13 +datum=WGS84 +units=m",
    "mercator bound to WGS 84": "+proj=merc +ellps=WGS84 +towgs84=0,0,0,0,0,0,0 +units=m",
}


def grid(crs: str, transform: Affine, height: int = 4, width: int = 3) -> Grid:
    return Grid(CRS.from_user_input(crs), transform, height, width)


def outline_area(place: Grid, left: float, right: float, steps: int = 400) -> float:
    """Area under columns `left` to `right` of a grid: a dense outline in lon and lat, by pyproj."""
    e = np.linspace(0, 1, steps + 1)
    cols = np.concatenate([left + (right - left) * e, np.full_like(e, right),
                           right + (left - right) * e, np.full_like(e, left)])  # fmt: skip
    rows = np.concatenate([0 * e, place.height * e, 0 * e + place.height, place.height * (1 - e)])
    to_lonlat = Transformer.from_crs(place.crs.to_wkt(), "EPSG:4326", always_xy=True)
    lon, lat = to_lonlat.transform(*to_ground(place.transform, cols, rows))
    return abs(WGS84.polygon_area_perimeter(lon, lat)[0])


def cell(text: str, size: float = 0.05, pixels: int = 40) -> Grid:
    """A grid over the ground from 15 E, 60 N, `size` degrees a side."""
    to_map = Transformer.from_crs("EPSG:4326", text, always_xy=True)
    bounds = to_map.transform_bounds(15, 60, 15 + size, 60 + size, densify_pts=21)
    crs = CRS.from_user_input(text)
    return Grid(crs, from_bounds(*bounds, pixels, pixels), pixels, pixels)


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_crs_against_pyproj(name: str) -> None:
    place = cell(SYSTEMS[name])
    ground = measure_pixel_area(place)
    assert ground.method == "geodesic"
    assert ground.rows.sum() * place.width == pytest.approx(outline_area(place, 0, 40), rel=1e-5)


@pytest.mark.parametrize("name", SYSTEMS)
def test_maps_and_drawings_agree(name: str) -> None:
    place = cell(SYSTEMS[name])
    corners = place.corners[[0, 2, 3, 1]]
    drawn = ground_area(shapely.Polygon(corners), place.crs)
    assert drawn == pytest.approx(measure_pixel_area(place).rows.sum() * place.width, rel=1e-5)


@pytest.mark.parametrize(
    "name", ["UTM, three zones off", "polar", "Cassini", "Lambert conformal", "UTM"]
)
def test_the_scale_across_a_wide_raster(name: str) -> None:
    # 5 degrees of longitude a side: classes in the west and in the east both come out right.
    place = cell(SYSTEMS[name], size=5, pixels=300)
    ground = measure_pixel_area(place)
    for left, right in ((0, 60), (120, 180), (240, 300)):
        found = sum(
            areas.sum() * len(range(*columns.indices(300))[max(0, left - columns.start):
                              max(0, right - columns.start)])
            for columns, areas in ground.strips(0, place.height)
        )  # fmt: skip
        assert found == pytest.approx(outline_area(place, left, right), rel=1e-3)


def test_middle_of_a_utm_zone() -> None:
    # The scale on the central meridian is 0.9996: 100 m2 / 0.9996^2 = 100.080 m2.
    ground = measure_pixel_area(grid("EPSG:32633", from_origin(500_000, 5_500_000, 10, 10)))
    assert ground.mean == pytest.approx(100 / 0.9996**2, rel=1e-7)


@pytest.mark.parametrize("code", [3035, 6933])
def test_equal_area_pixels_have_their_area(code: int) -> None:
    ground = measure_pixel_area(grid(f"EPSG:{code}", from_origin(4_500_000, 3_000_000, 10, 10)))
    assert ground.areas == pytest.approx(np.full((4, 1), 100), rel=1e-7)


def test_feet() -> None:
    # US survey feet, 1 ft = 1200 / 3937 m; New York's cone is 1 / 10 000 off at most.
    ground = measure_pixel_area(grid("EPSG:2263", from_origin(980_000, 200_000, 30, 30)))
    assert ground.mean == pytest.approx((30 * 1200 / 3937) ** 2, rel=1e-4)


def test_rotated_pixels() -> None:
    # |9.3 * -9.4 - 2.1 * 1.9| = 91.41 m2 of the plane
    transform = Affine(9.3, 2.1, 500_000, 1.9, -9.4, 5_500_000)
    ground = measure_pixel_area(grid("EPSG:32633", transform))
    assert ground.mean == pytest.approx(91.41 / 0.9996**2, rel=1e-6)


def test_rotated_degrees() -> None:
    place = grid("EPSG:4326", Affine(0.001, 0.0001, 15, 0.0001, -0.001, 50), 30, 30)
    total = measure_pixel_area(place).rows.sum() * 30
    assert total == pytest.approx(outline_area(place, 0, 30), rel=1e-6)


def geodesic(geod: Geod, west: float, east: float, south: float, north: float) -> float:
    """Area of a graticule cell by pyproj, its parallels drawn as many short geodesics."""
    across = np.linspace(west, east, 200)
    lon = np.concatenate([across, across[::-1]])
    lat = np.concatenate([np.full(200, south), np.full(200, north)])
    return abs(geod.polygon_area_perimeter(lon, lat)[0])


@pytest.mark.parametrize("latitude", [-89.9, -33.3, -0.001, 0.0, 49.6, 71.2])
def test_degrees_against_pyproj(latitude: float) -> None:
    step = 0.01
    ground = measure_pixel_area(grid("EPSG:4326", from_origin(15, latitude + 4 * step, step, step)))
    expected = [
        geodesic(WGS84, 15, 15 + step, latitude + (3 - i) * step, latitude + (4 - i) * step)
        for i in range(4)
    ]
    assert ground.rows == pytest.approx(expected, rel=2e-7)


def test_whole_earth() -> None:
    # The area of the WGS 84 ellipsoid, as GeographicLib gives it.
    ground = measure_pixel_area(grid("EPSG:4326", from_origin(-180, 90, 1, 1), 180, 360))
    assert 360 * ground.rows.sum() == pytest.approx(510_065_621_724_088.5, rel=1e-12)
    equal = ProjCRS("EPSG:6933").area_of_use.bounds
    bounds = Transformer.from_crs(4326, 6933, always_xy=True).transform_bounds(*equal)
    world = Grid(CRS.from_epsg(6933), from_bounds(*bounds, 360, 180), 180, 360)
    plane = abs(world.transform.determinant)
    assert measure_pixel_area(world).areas == pytest.approx(np.full((180, 1), plane), rel=1e-6)


def test_across_the_date_line() -> None:
    west = cell("EPSG:3832")  # Pacific: 150 E is its middle
    moved = Grid(west.crs, from_origin(3_300_000, 5_000_000, 10_000, 10_000), 40, 40)
    east = Grid(west.crs, from_origin(1_000_000, 5_000_000, 10_000, 10_000), 40, 40)
    assert measure_pixel_area(moved).rows == pytest.approx(measure_pixel_area(east).rows, rel=1e-9)


def test_over_the_pole() -> None:
    # 400 km about the North Pole in polar stereographic, true at 71 N: 0.9728 of length there.
    place = grid("EPSG:3995", from_origin(-200_000, 200_000, 1000, 1000), 400, 400)
    total = measure_pixel_area(place).rows.sum() * 400
    cap = ground_area(shapely.box(-200_000, -200_000, 200_000, 200_000), place.crs)
    assert total == pytest.approx(cap, rel=1e-4)


def test_other_ellipsoids() -> None:
    step = 0.1
    ground = measure_pixel_area(grid("EPSG:4267", from_origin(-90, 40, step, step), 1))
    clarke = Geod(ellps="clrk66")
    assert ground.rows[0] == pytest.approx(
        geodesic(clarke, -90, -90 + step, 40 - step, 40), rel=1e-6
    )
    moon = measure_pixel_area(grid("IAU_2015:30100", from_origin(0, 1, 1, 1), 1, 1))
    # A sphere of 1737.4 km: R^2 * (sin 1 - sin 0) * 1 degree
    expected = 1_737_400**2 * np.sin(np.pi / 180) * np.pi / 180
    assert moon.mean == pytest.approx(expected, rel=1e-9)


def test_grads_and_paris() -> None:
    # NTF (Paris): 1 grad is 0.9 degrees; 100 grads are the pole.
    ground = measure_pixel_area(grid("EPSG:4807", from_origin(0, 55, 0.01, 0.01), 1))
    a, b = 6_378_249.2, 6_356_515.0
    expected = geodesic(Geod(a=a, b=b), 0, 0.009, 49.491, 49.5)
    assert ground.mean == pytest.approx(expected, rel=1e-6)


def test_pixels_off_the_earth_keep_their_plane() -> None:
    place = grid("ESRI:54030", from_bounds(-17e6, -8.6e6, 17e6, 8.6e6, 34, 17), 17, 34)
    assert np.isfinite(measure_pixel_area(place).areas).all()


@pytest.mark.parametrize(
    ("place", "match"),
    [
        (Grid(None, from_origin(0, 0, 1, 1), 1, 1), "--pixel 10"),
        (grid("EPSG:32633", Affine.identity()), "no transform; give --pixel METRES"),
        (grid('LOCAL_CS["site",UNIT["metre",1]]', from_origin(0, 0, 1, 1)), "neither projected"),
        (grid("EPSG:32633", Affine(1, 0, 0, 1, 0, 0)), "pixels without area"),
    ],
)
def test_what_cannot_be_measured(place: Grid, match: str) -> None:
    with pytest.raises(InputError, match=match):
        measure_pixel_area(place)


def test_a_given_pixel() -> None:
    ground = measure_pixel_area(Grid(None, Affine.identity(), 2, 3), 20)
    assert ground.areas.tolist() == [[400], [400]] and ground.method == "given"


def test_strips_and_sums() -> None:
    # Two rows, columns 0 1 | 2 3 4: the left strip has 1 and 10, the right one 100 and 1000.
    ground = PixelArea(np.array([[1.0, 100], [10, 1000]]), np.array([0, 2, 5]), "geodesic")
    assert ground.rows.tolist() == [(2 * 1 + 3 * 100) / 5, (2 * 10 + 3 * 1000) / 5]
    assert [(c.start, c.stop, a.tolist()) for c, a in ground.strips(1, 1)] == [
        (0, 2, [10]), (2, 5, [1000]),
    ]  # fmt: skip
    whole = ground.integral()
    rows, cols = np.array([0, 1, 1, 2, 2]), np.array([5, 1, 3, 2, 5])
    # Above row 1: 1; 1 + 1 + 100. Above row 2: 2 * 11; 2 * 11 + 3 * 1100.
    assert whole.at(rows, cols).tolist() == [0, 1, 102, 22, 3322]


@given(st.data())
def test_the_integral_sums_any_rectangle(data: st.DataObject) -> None:
    strips = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    areas = np.arange(1.0, 1 + 3 * len(strips)).reshape(3, -1) ** 2
    ground = PixelArea(areas, np.concatenate([[0], np.cumsum(strips)]), "geodesic")
    full = np.repeat(areas, strips, axis=1)
    top, bottom = sorted(data.draw(st.tuples(st.integers(0, 3), st.integers(0, 3))))
    span = st.integers(0, full.shape[1])
    left, right = sorted(data.draw(st.tuples(span, span)))
    at = ground.integral().at
    rows, cols = np.array([bottom, bottom, top, top]), np.array([right, left, right, left])
    assert at(rows, cols) @ [1, -1, -1, 1] == full[top:bottom, left:right].sum()


def test_memory_stays_bounded() -> None:
    place = grid("EPSG:3995", from_bounds(-9e6, -9e6, 9e6, 9e6, 5000, 5000), 5000, 5000)
    assert measure_pixel_area(place).areas.shape[1] <= MAX_STRIPS


def test_metres_of_a_pixel() -> None:
    utm = grid("EPSG:32633", from_origin(500_000, 5_500_000, 10, 20))
    assert pixel_metres(utm) == pytest.approx(200**0.5, abs=1e-12)  # named, not 100.04 % of it
    assert pixel_metres(Grid(None, Affine.identity(), 3, 3)) is None
    feet = grid("EPSG:2263", from_origin(980_000, 200_000, 30, 30))
    assert pixel_metres(feet) == pytest.approx(30 * 1200 / 3937)
    degrees = grid("EPSG:4326", from_origin(0, 0.0005, 0.001, 0.001), 1, 1)
    # At the equator: 0.001 degrees of latitude are 110.574 m, of longitude 111.319 m.
    assert pixel_metres(degrees) == pytest.approx((110.574 * 111.319) ** 0.5, rel=1e-5)
    mercator = cell("EPSG:3857")
    plane = mercator.pixel
    assert pixel_metres(mercator) == pytest.approx(plane * np.cos(np.radians(60.025)), rel=5e-3)


def test_a_degree() -> None:
    # A hundredth of a degree along the equator, by pyproj.
    assert WGS84.inv(0, 0, 0.01, 0)[2] == pytest.approx(METRES_PER_DEGREE / 100, rel=1e-9)
