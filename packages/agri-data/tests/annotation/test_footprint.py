"""Outlines of chips in longitude and latitude."""

from __future__ import annotations

import json

import pytest
from agri_data.annotation.footprint import feature_collection, footprint
from pyproj import Transformer


def test_a_footprint_is_the_outline_in_degrees():
    # 64 pixels of 10 m: 640 m east and south of the upper left corner.
    ring = footprint("EPSG:32633", "10 0 500000 0 -10 5000000", 64)
    to_degrees = Transformer.from_crs("EPSG:32633", "EPSG:4326", always_xy=True).transform
    corners = [(500000, 5000000), (500000, 4999360), (500640, 4999360), (500640, 5000000)]
    for found, corner in zip(ring, corners, strict=False):
        assert found == pytest.approx(to_degrees(*corner), abs=2e-7)
    assert ring[0] == ring[-1] and len(ring) == 5
    # 500 000 m east is the central meridian of zone 33: 15 degrees.
    assert ring[0][0] == 15


def test_rings_run_anticlockwise_whatever_way_rows_run():
    north_up = footprint("EPSG:4326", "0.5 0 10 0 -0.5 50", 2)
    assert north_up == [[10, 50], [10, 49], [11, 49], [11, 50], [10, 50]]
    # Rows run north: (10, 50), (10, 51), (11, 51), (11, 50) is clockwise, so it is turned round.
    south_up = footprint("EPSG:4326", "0.5 0 10 0 0.5 50", 2)
    assert south_up == [[11, 50], [11, 51], [10, 51], [10, 50], [11, 50]]


def test_the_collection_is_geojson():
    content = feature_collection([(footprint("EPSG:4326", "1 0 0 0 -1 1", 1), {"chip_id": "a"})])
    again = json.loads(json.dumps(content))
    assert again["type"] == "FeatureCollection"
    (feature,) = again["features"]
    assert feature["properties"] == {"chip_id": "a"}
    assert feature["geometry"]["coordinates"] == [[[0, 1], [0, 0], [1, 0], [1, 1], [0, 1]]]
