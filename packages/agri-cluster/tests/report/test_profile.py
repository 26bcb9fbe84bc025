import numpy as np
import pytest
from agri_cluster.data.pictures import StoreSource
from agri_cluster.report.profile import MOST, profiles
from agri_cluster.report.spectrum import highest, spectrum
from agri_core.bands import make_bands
from agri_core.pages.render import render

RNG = np.random.default_rng


class Made:
    """Two tiles of 1 x 2 pixels held in memory."""

    def __init__(self, values, names, unit, valid=None):
        self.bands = make_bands(names, unit)
        self._values = np.asarray(values)
        self._valid = np.ones(self._values.shape[:3], bool) if valid is None else np.asarray(valid)
        self.ids = [str(place) for place in range(len(self._values))]

    def read(self, ids):
        rows = [int(name) for name in ids]
        return self._values[rows], self._valid[rows]


def test_reflectance_and_ndvi_of_a_store(four_bands):
    found = profiles(
        StoreSource(four_bands), four_bands.table["chip_id"], np.arange(24) % 3, 4, RNG(0)
    )
    assert found.unit == "reflectance"
    assert found.mean[0] == pytest.approx([0.03, 0.05, 0.04, 0.36], abs=2e-4)
    # NDVI: (3600 - 400) / 4000 = 0.8, (2400 - 1600) / 4000 = 0.2, (100 - 300) / 400 = -0.5.
    assert found.ndvi[:3, 0] == pytest.approx([0.8, 0.2, -0.5], abs=0.01)
    assert np.isnan(found.mean[3]).all()
    assert np.isnan(found.ndvi[3]).all()
    assert found.tiles.tolist() == [8, 8, 8, 0]


def test_means_and_deviations_leave_out_what_is_no_data():
    # Cluster 0: pixels 1 and 3, mean 2, deviation 1. Cluster 1: 7; the other pixel is no data.
    values = np.array([[[[1], [3]]], [[[7], [99]]]], np.uint8)
    valid = [[[True, True]], [[True, False]]]
    found = profiles(
        Made(values, ["grey"], "uint8", valid), ["0", "1"], np.array([0, 1]), 2, RNG(0)
    )
    assert found.mean.tolist() == [[2], [7]]
    assert found.deviation.tolist() == [[1], [0]]
    assert found.ndvi is None
    assert found.unit == "0 to 255"


def test_a_single_nan_is_left_out_of_its_band():
    values = np.array([[[[0.1, np.nan], [0.3, 0.5]]]], np.float32)
    found = profiles(Made(values, ["a", "b"], "reflectance"), ["0"], np.array([0]), 1, RNG(0))
    assert found.mean[0] == pytest.approx([0.2, 0.5])


def test_bands_come_in_order_of_wavelength():
    values = np.array([[[[1, 2, 3, 4]]]], np.uint8)
    found = profiles(
        Made(values, ["B8A", "B02", "B04", "B11"], "uint8"), ["0"], np.array([0]), 1, RNG(0)
    )
    assert [band.name for band in found.bands] == ["B02", "B04", "B8A", "B11"]
    assert found.mean[0].tolist() == [2, 3, 1, 4]
    assert found.ndvi[0, 0] == pytest.approx((1 - 3) / (1 + 3))


def test_numbers_of_unknown_bands_stay_as_stored():
    found = profiles(Made(np.full((1, 1, 1, 1), 5000, np.uint16), ["grey"], "dn"), ["0"],
                     np.array([0]), 1, RNG(0))  # fmt: skip
    assert (found.unit, found.mean[0, 0]) == ("as stored", 5000)


def test_a_large_cluster_is_sampled():
    count = MOST + 50
    source = Made(np.zeros((count, 1, 1, 1), np.uint8), ["grey"], "uint8")
    found = profiles(source, source.ids, np.zeros(count, np.int64), 1, RNG(0))
    assert found.tiles.tolist() == [MOST]


def test_the_drawing_has_one_axis_for_all_cards():
    values = np.array([[[[10, 20]]], [[[60, 110]]]], np.uint8)
    found = profiles(Made(values, ["<a>", "b"], "uint8"), ["0", "1"], np.array([0, 1]), 2, RNG(0))
    assert highest(found) == 150  # the next round number above 110
    drawn = spectrum(found, 0, found.mean.mean(axis=0), 150)
    # On an axis from y = 108 up to y = 10: 108 - 98 * 10 / 150 = 101.5, 108 - 98 * 20 / 150 = 94.9.
    # The mean of all tiles is 35 and 65: 85.1 and 65.5. x from 34 + 12 to 262 - 8.
    assert (drawn.mean, drawn.overall) == ("M46.0 101.5L254.0 94.9", "M46.0 85.1L254.0 65.5")
    assert drawn.deviation == "M46.0 101.5L254.0 94.9L254.0 94.9L46.0 101.5Z"  # one pixel: 0
    assert drawn.ticks == ((108.0, 0.0), (59.0, 75.0), (10.0, 150.0))
    assert [name for _, name in drawn.names] == ["<a>", "b"] and not drawn.crowded
    text = render("agri_cluster.report", "spectrum.svg", spectrum=drawn)
    assert "&lt;a&gt;" in text and "<a>" not in text
    assert 'cy="101.5"' in text and ">150</text>" in text


def test_a_cluster_without_a_pixel_has_no_drawing():
    values = np.array([[[[10, 20]]]], np.uint8)
    found = profiles(Made(values, ["a", "b"], "uint8"), ["0"], np.array([0]), 2, RNG(0))
    assert spectrum(found, 1, np.zeros(2), 1.0) is None
