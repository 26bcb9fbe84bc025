import numpy as np
import pytest
from agri_cluster.data.scaling import Scaling, make_scaling
from agri_core.files.errors import InputError
from agri_data.store.info import BandStats

STATS = {
    "B04": BandStats(mean=400, std=200, minimum=0, maximum=1000, p02=100, p98=900, count=10),
    "flat": BandStats(mean=7, std=0, minimum=7, maximum=7, p02=7, p98=7, count=10),
}
VALID = np.ones((1, 1, 3), bool)


def pixels(*values):
    return np.array(values, np.float32).reshape(1, 1, -1, 1)


def scaled(scaling, values, valid=VALID):
    return scaling.apply(values, valid).ravel().tolist()


def test_standard_subtracts_the_mean_and_divides_by_the_deviation():
    scaling = make_scaling("standard", STATS, ["B04"], "dn")
    # (0 - 400) / 200, (400 - 400) / 200, (900 - 400) / 200
    assert scaled(scaling, pixels(0, 400, 900)) == [-2.0, 0.0, 2.5]


def test_photo_stretches_from_p02_to_p98_and_clips():
    scaling = make_scaling("photo", STATS, ["B04"], "dn")
    # 500 is halfway between 100 and 900
    assert scaled(scaling, pixels(50, 500, 2000)) == pytest.approx([0.0, 127.5, 255.0])


def test_photo_leaves_uint8_as_it_is():
    scaling = make_scaling("photo", STATS, ["B04"], "uint8")
    assert scaled(scaling, np.array([0, 17, 255], np.uint8).reshape(1, 1, 3, 1)) == [0, 17, 255]


@pytest.mark.parametrize(("scale", "fill"), [("standard", 0.0), ("photo", 255 * 300 / 800)])
def test_gaps_and_nan_become_the_mean(scale, fill):
    scaling = make_scaling(scale, STATS, ["B04"], "dn")
    valid = np.array([[[True, False, True]]])
    out = scaled(scaling, pixels(400, 0, np.nan), valid)
    assert out == pytest.approx([fill, fill, fill])


@pytest.mark.parametrize("scale", ["standard", "photo"])
def test_a_constant_band_becomes_zero_and_stays_so_on_other_data(scale):
    scaling = make_scaling(scale, STATS, ["flat"], "dn")
    assert scaled(scaling, pixels(7, 7, 9000)) == [0.0, 0.0, 0.0]


def test_the_record_gives_the_same_scaling_again():
    scaling = make_scaling("photo", STATS, ["flat", "B04"], "dn")
    assert Scaling.from_json(scaling.to_json()) == scaling


@pytest.mark.parametrize(
    "change",
    [
        {"offset": [1.0, 2.0]},
        {"factor": ["much"]},
        {"fill": [float("nan")]},
        {"scale": "loud"},
        {"bands": 3},
    ],
)
def test_a_garbled_record_is_refused(change):
    record = make_scaling("standard", STATS, ["B04"], "dn").to_json()
    with pytest.raises(InputError):
        Scaling.from_json(record | change)


def test_a_record_without_a_key_names_it():
    record = make_scaling("standard", STATS, ["B04"], "dn").to_json()
    del record["factor"]
    with pytest.raises(InputError, match="factor"):
        Scaling.from_json(record)


def test_an_unknown_scale_is_refused():
    with pytest.raises(InputError, match=r"standard, photo.*'loud'"):
        make_scaling("loud", STATS, ["B04"], "dn")
