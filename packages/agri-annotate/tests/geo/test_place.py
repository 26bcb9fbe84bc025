"""Ground under shapes, on the ellipsoid."""

import itertools
import math

import pytest
import shapely
from affine import Affine
from agri_annotate.geo.place import Place
from agri_annotate.masks.outline import outline
from agri_annotate.model.shape import Circle, Ellipse, Polygon, Rect
from agri_core.files.errors import InputError
from agri_core.vector.crs import move, parse_crs
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

EQUAL_AREA = CRS.from_epsg(3035)
TEN = Affine(10, 0, 4_500_000, 0, -10, 3_000_000)


def ellipsoid(south: float, north: float) -> float:
    """Square metres per radian of longitude between parallels, Snyder 1987 eq. 3-12, WGS 84."""
    a, f = 6378137.0, 1 / 298.257223563
    e = math.sqrt(f * (2 - f))
    b = a * (1 - f)

    def area(latitude: float) -> float:
        s = math.sin(math.radians(latitude))
        return b**2 / 2 * (s / (1 - e**2 * s**2) + math.atanh(e * s) / e)

    return area(north) - area(south)


def test_ten_by_ten_pixels_of_ten_metres_are_a_hectare():
    # 10 x 10 pixels of 10 m x 10 m = 100 m x 100 m = 1 ha
    place = Place(100, 100, EQUAL_AREA, TEN)
    assert place.hectares(outline(Rect(20, 30, 10, 10))) == pytest.approx(1.0, rel=1e-7)


def test_feet_are_feet():
    # 100 US survey feet = 30.480061 m; squared 929.0341 m2; the zone is 1 / 10 000 off at most
    feet = Place(10, 10, CRS.from_epsg(2229), Affine(10, 0, 6_500_000, 0, -10, 1_800_000))
    got = feet.hectares(shapely.box(0, 0, 10, 10))
    assert got == pytest.approx((100 * 1200 / 3937) ** 2 / 1e4, rel=2e-4)


def test_a_turned_grid_keeps_its_area():
    c, s = 10 * math.cos(0.6), 10 * math.sin(0.6)
    turned = Affine(c, -s, 4_500_000, -s, -c, 3_000_000)
    assert Place(99, 99, EQUAL_AREA, turned).hectares(shapely.box(0, 0, 10, 10)) == pytest.approx(
        1.0
    )


def test_degrees_are_measured_on_the_ellipsoid():
    # 10 x 10 pixels of 0.01 degrees from 50 N down to 49.9 N
    place = Place(100, 100, CRS.from_epsg(4326), Affine(0.01, 0, 10, 0, -0.01, 50))
    expected = ellipsoid(49.9, 50.0) * math.radians(0.1) / 1e4
    assert place.hectares(shapely.box(0, 0, 10, 10)) == pytest.approx(expected, rel=1e-5)


def test_mercator_is_measured_on_the_ellipsoid():
    # At 60 N Mercator stretches lengths about twice, so its plane area is about four times wrong.
    lonlat = Place(100, 100, CRS.from_epsg(4326), Affine(0.001, 0, 10, 0, -0.001, 60))
    box = shapely.box(0, 0, 10, 10)
    corner = move(lonlat.to_ground(box), lonlat.crs, CRS.from_epsg(3857))
    west, south, east, north = corner.bounds
    grid = Affine((east - west) / 10, 0, west, 0, (south - north) / 10, north)
    mercator = Place(100, 100, CRS.from_epsg(3857), grid)
    assert mercator.hectares(box) == pytest.approx(lonlat.hectares(box), rel=1e-6)
    assert box.area * abs(grid.determinant) / 1e4 > 3.5 * mercator.hectares(box)


def test_a_hole_is_not_counted():
    ring = shapely.box(0, 0, 10, 10) - shapely.box(2, 2, 4, 4)  # 100 - 4 pixels
    assert Place(9, 9, EQUAL_AREA, TEN).hectares(ring) == pytest.approx(0.96)
    degrees = Place(9, 9, CRS.from_epsg(4326), Affine(0.01, 0, 10, 0, -0.01, 50))
    whole, hole = (
        degrees.hectares(shapely.box(0, 0, 10, 10)),
        degrees.hectares(shapely.box(2, 2, 4, 4)),
    )
    assert degrees.hectares(ring) == pytest.approx(whole - hole, rel=1e-6)


def test_a_grid_without_area_is_refused():
    with pytest.raises(InputError, match="without area"):
        Place(9, 9, EQUAL_AREA, Affine(10, 0, 0, 10, 0, 0))


def test_a_crs_that_is_none_is_refused():
    with pytest.raises(InputError, match="EPSG:32632"):
        parse_crs("EPSG:nothing")


@given(r=st.floats(0.5, 5000), ratio=st.floats(0.05, 1), theta=st.floats(-7, 7))
def test_curves_have_their_area_and_their_extent(r, ratio, theta):
    ring = outline(Ellipse(40, 50, r, r * ratio, theta))
    assert ring.area == pytest.approx(math.pi * r * r * ratio, rel=1e-9)
    # Half extents of a turned ellipse: sqrt((rx cos)^2 + (ry sin)^2) across, likewise down.
    across = math.hypot(r * math.cos(theta), r * ratio * math.sin(theta))
    down = math.hypot(r * math.sin(theta), r * ratio * math.cos(theta))
    expected = (40 - across, 50 - down, 40 + across, 50 + down)
    assert ring.bounds == pytest.approx(expected, abs=0.003 * r)


def test_theta_turns_clockwise_on_screen():
    # Turned a quarter of a half circle, the long axis points right and down: y grows downwards.
    ring = outline(Ellipse(0, 0, 10, 1, math.pi / 4))
    assert ring.contains(shapely.Point(6, 6))
    assert not ring.contains(shapely.Point(6, -6))


def test_a_circle_is_not_coarse():
    ring = outline(Circle(0, 0, 100))
    reach = [math.hypot(x, y) for x, y in ring.exterior.coords]
    chords = [shapely.LineString(p).interpolate(0.5, normalized=True) for p in _pairs(ring)]
    assert max(reach) - min(math.hypot(p.x, p.y) for p in chords) < 0.1


def _pairs(ring):
    points = list(ring.exterior.coords)
    return list(itertools.pairwise(points))


def test_a_bow_tie_is_its_two_halves():
    # Two triangles of 10 x 5 / 2 = 25 each
    bow = outline(Polygon(((0, 0), (10, 10), (10, 0), (0, 10))))
    assert bow.is_valid
    assert bow.area == pytest.approx(50)
