"""Legends of class maps: ours, tags of other programs, colour tables, nothing."""

import json

import numpy as np
import pytest
import rasterio
from agri_core.files.errors import InputError
from agri_core.legend import Legend, colour
from agri_core.raster.naming import LEGEND, Naming, read_legend, read_naming

CODES = np.array([[[0, 2]]], np.uint8)
OURS = Legend.of({"land": "#aaaaaa", "water": "#0000ff"})


@pytest.fixture
def state(write):
    """Write a map with tags of the dataset and of its band, and a colour table."""

    def run(tags=None, band_tags=None, table=None):
        path = write(CODES)
        with rasterio.open(path, "r+") as sink:
            sink.update_tags(**tags or {})
            sink.update_tags(1, **band_tags or {})
            if table:
                sink.write_colormap(1, table)
        return rasterio.open(path)

    return run


def refuse():
    raise AssertionError("the values of a map with a legend are not read")
    yield


def test_our_legend_wins(state) -> None:
    tags = {LEGEND: json.dumps(OURS.to_list()), "CLASS_0": "other"}
    with state(tags) as dataset:
        assert read_legend(dataset, refuse()) == OURS
        naming = read_naming(dataset)
    assert dict(naming.names) == {0: "land", 1: "water"} and naming.colours[1] == "#0000ff"


def test_tags_and_colour_table(state) -> None:
    tables = {0: (1, 2, 3, 255), 1: (255, 0, 16, 255)}
    with state({"CLASS_0": "dataset"}, {"CLASS_0": "band", "CLASS_x": "no"}, tables) as dataset:
        naming = read_naming(dataset)
        assert naming.names == {0: "band"}
        assert (naming.colours[0], naming.colours[1]) == ("#010203", "#ff0010")
        legend = read_legend(dataset, [0, 2, 255])
    assert legend.names == ("band", "class 1", "class 2")
    assert legend.classes[1].colour == "#ff0010"


def test_nothing_is_stated(state) -> None:
    with state() as dataset:
        assert read_naming(dataset) == Naming()
        legend = read_legend(dataset, [2])
    assert legend.names == ("class 0", "class 1", "class 2")
    assert [item.colour for item in legend.classes] == [colour(code) for code in range(3)]


@pytest.mark.parametrize("text", ["{", "[]", '[{"id": 0}]', "7"])
def test_a_damaged_legend_is_named(state, text: str) -> None:
    with (
        state({LEGEND: text}) as dataset,
        pytest.raises(InputError, match="AGRI_LEGEND tag"),
    ):
        read_legend(dataset, [])
