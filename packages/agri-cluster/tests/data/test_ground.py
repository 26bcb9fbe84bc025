"""Outlines of chips on the ground."""

import pytest
from agri_cluster.data.ground import outline
from agri_core.vector.crs import parse_crs
from agri_core.vector.writer import to_lonlat
from pyproj import Transformer


def test_an_outline_has_the_corners_of_the_chip():
    # 64 pixels of 10 m: 640 m east and south of the upper left corner.
    square = outline("10 0 500000 0 -10 5000000", 64)
    assert square.bounds == (500_000, 4_999_360, 500_640, 5_000_000)
    ring = to_lonlat([square], parse_crs("EPSG:32633"))[0].exterior.coords
    to_degrees = Transformer.from_crs("EPSG:32633", "EPSG:4326", always_xy=True).transform
    corners = [(500000, 5000000), (500000, 4999360), (500640, 4999360), (500640, 5000000)]
    for found, corner in zip(ring, corners, strict=False):
        assert found == pytest.approx(to_degrees(*corner), abs=1e-9)
    # 500 000 m east is the central meridian of zone 33: 15 degrees.
    assert ring[0][0] == pytest.approx(15)


def test_a_rotated_chip():
    square = outline("0 2 10 3 0 20", 5)
    assert set(square.exterior.coords) == {(10, 20), (20, 20), (20, 35), (10, 35)}
