"""A first convolution of three channels on other bands: literal filters, one number a channel."""

import pytest
import torch
from agri_train.network.stem import adapt_input

RGB = torch.tensor([1.0, 2.0, 6.0]).reshape(1, 3, 1, 1)  # red 1, green 2, blue 6, their mean 3


@pytest.mark.parametrize(
    ("bands", "filters"),
    [
        (("B04", "B03", "B02"), [1, 2, 6]),
        (("B02", "B03", "B04"), [6, 2, 1]),
        (("B03", "B02", "B04"), [2, 6, 1]),
        (("red", "green", "blue"), [1, 2, 6]),
        (("blue", "green", "red"), [6, 2, 1]),
        (("Blue", "GREEN", "r"), [6, 2, 1]),
        (("b2", "B3", "b04"), [6, 2, 1]),
        (("B2 (blue)", "B3 (green)", "B4 (red)"), [6, 2, 1]),
        (("B08", "B04", "B03"), [3, 1, 2]),  # colour-infrared
        (("nir", "red", "green"), [3, 1, 2]),
        (("B12", "B8A", "B04"), [3, 3, 1]),  # short-wave infrared
        (("left", "middle", "right"), [1, 2, 6]),  # no band that it knows: in their order
        (("B08", "B11", "B12"), [1, 2, 6]),
        (("B02", "B03", "B04", "B08"), [4.5, 1.5, 0.75, 2.25]),  # times 3 / 4
        (("B04",), [3]),  # times 3
        (("B08", "B04"), [4.5, 1.5]),  # times 3 / 2
        (3, [1, 2, 6]),
        (4, [0.75, 1.5, 4.5, 0.75]),
    ],
)
def test_published_filters_go_by_name(bands, filters):
    assert adapt_input(RGB, bands).flatten().tolist() == pytest.approx(filters)


@pytest.mark.parametrize(
    ("trained", "bands", "filters"),
    [
        (("B02", "B03", "B04"), ("B02", "B03", "B04"), [1, 2, 6]),  # its own filters, as they are
        (("B02", "B03", "B04"), ("B04", "B03", "B02"), [6, 2, 1]),
        (("B02", "B03", "B04"), ("red", "green", "blue"), [6, 2, 1]),
        (("B08", "B04", "B03"), ("B03", "B08", "B11"), [6, 1, 3]),
        (("B08", "B04", "B03"), ("B08",), [3]),
    ],
)
def test_a_network_of_known_bands_gives_each_band_its_own_filter(trained, bands, filters):
    assert adapt_input(RGB, bands, trained).flatten().tolist() == pytest.approx(filters)
