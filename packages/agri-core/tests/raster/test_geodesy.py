"""Areas of outlines on the ellipsoid."""

import pytest
import shapely
from agri_core.files.errors import InputError
from agri_core.raster import geodesy
from agri_core.raster.geodesy import geodetic_of, ground_area
from pyproj import CRS, Geod

UTM = CRS.from_epsg(32633)
WGS84 = Geod(ellps="WGS84")


@pytest.fixture(autouse=True)
def fresh() -> None:
    """Forget systems that an earlier test looked at."""
    geodesy._geodetic.cache_clear()


def test_a_hole_is_no_ground() -> None:
    # One degree, without the middle 0.2 degrees.
    square = shapely.box(10, 50, 11, 51)
    hole = shapely.box(10.4, 50.4, 10.6, 50.6)
    whole = ground_area(square, CRS.from_epsg(4326))
    # By pyproj along dense parallels.
    dense = shapely.segmentize(square, 0.001)
    assert whole == pytest.approx(abs(WGS84.geometry_area_perimeter(dense)[0]), rel=1e-6)
    left = ground_area(square - hole, CRS.from_epsg(4326))
    assert left == pytest.approx(whole - ground_area(hole, CRS.from_epsg(4326)), rel=1e-8)
    both = shapely.MultiPolygon([hole, shapely.box(20, 50.4, 20.2, 50.6)])
    assert ground_area(both, CRS.from_epsg(4326)) == pytest.approx(2 * (whole - left), rel=1e-6)


def test_no_outline_no_ground() -> None:
    assert ground_area(shapely.Polygon(), UTM) == 0


def test_an_outline_of_a_tenth_of_a_millimetre_is_measured() -> None:
    # Degrees: 1e-9 of one is 0.1 mm.
    tiny = shapely.box(10, 50, 10 + 1e-7, 50 + 1e-7)
    assert ground_area(tiny, CRS.from_epsg(4326)) == pytest.approx(1.11e-2 * 0.717e-2, rel=0.02)


def test_beyond_where_the_projection_is_defined() -> None:
    far = shapely.box(1e9, 0, 1e9 + 10, 10)
    with pytest.raises(InputError, match=r"^it reaches beyond where WGS 84 / UTM zone 33N is def"):
        ground_area(far, UTM)


@pytest.mark.parametrize("code", ["EPSG:32633+5773", "EPSG:3857+5773"])
def test_heights_take_no_part(code: str) -> None:
    flat = CRS(code.partition("+")[0])
    square = shapely.box(500_000, 5_000_000, 501_000, 5_001_000)
    assert ground_area(square, CRS(code)) == ground_area(square, flat)


def test_a_bound_system_counts_by_the_one_it_is_based_on() -> None:
    text = "+proj=utm +zone=33 +ellps=WGS84 {} +units=m +type=crs"
    bound = CRS(text.format("+towgs84=100,200,300"))
    assert bound.is_bound
    square = shapely.box(500_000, 5_000_000, 501_000, 5_001_000)
    plain = CRS(text.format(""))
    assert ground_area(square, bound) == ground_area(square, plain)


def test_degrees_need_no_way_back_and_rotated_ones_do() -> None:
    assert geodetic_of(CRS.from_epsg(4326)).transformer is None
    rotated = CRS("+proj=ob_tran +o_proj=longlat +o_lat_p=40 +o_lon_p=0 +lon_0=10 +type=crs")
    assert rotated.is_derived and geodetic_of(rotated).transformer is not None
    # A square about the origin of rotated degrees is a square degree of the equator.
    square = shapely.box(-0.5, -0.5, 0.5, 0.5)
    equator = ground_area(square, CRS.from_epsg(4326))
    assert ground_area(square, rotated) == pytest.approx(equator, rel=0.01)
