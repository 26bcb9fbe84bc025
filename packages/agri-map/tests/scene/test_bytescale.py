"""Wider values to 8 bits, and what a scene read so looks like."""

import numpy as np
import pytest
from agri_core.files.errors import InputError
from agri_map.scene.bytescale import to_bytes
from agri_map.scene.scene import open_scene
from agri_map.scene.unit import check_scene


def test_literal():
    # 275 * 255 / 2750 = 25.5 and 825 * 255 / 2750 = 76.5 go up; 264 gives 24.48, 270 gives 25.04.
    values = np.array([-3, 0, 264, 270, 275, 825, 2749, 2750, 2751, 9000], np.int16)
    assert to_bytes(values, 2750).tolist() == [0, 0, 24, 25, 26, 77, 255, 255, 255, 255]
    # 0.1 * 255 / 0.275 = 92.7
    assert to_bytes(np.array([0.1, 0.3], np.float32), 0.275).tolist() == [93, 255]


def test_every_number_is_the_nearest():
    values = np.arange(65_536, dtype=np.uint16)
    exact = np.floor(np.minimum(values.astype(np.float64), 2750) * 255 / 2750 + 0.5)
    assert np.array_equal(to_bytes(values, 2750), exact)


def test_what_is_not_valid_is_0():
    values, valid = np.array([[np.nan, 5.0, np.inf]]), np.array([[False, True, False]])
    assert to_bytes(values, 5, valid).tolist() == [[0, 255, 0]]


def test_a_scene_read_so(write_scene, smooth):
    image = smooth(40, 30)
    image[:, 3, 4] = 0
    path, bands = write_scene(image, nodata=0), ("B04", "B02")
    with open_scene(path, bands, scale=2750) as scene:
        assert scene.dtype == np.uint8 and scene.scale == 2750
        for room in (None, scene.blank(40, 30)):
            values, valid = scene.read((0, 40), (0, 30), room)
            assert values.dtype == np.uint8 and not valid[3, 4] and valid.sum() == 40 * 30 - 1
            assert np.array_equal(values[..., 0], to_bytes(image[2], 2750))
        inside, _ = scene.read((-2, 40), (0, 30))
        assert np.array_equal(inside[0], values[2])


@pytest.mark.parametrize("scale", [0.0, -1.0, float("inf"), float("nan")])
def test_no_scale(write_scene, smooth, scale):
    with pytest.raises(InputError, match="scale must be above 0, for example 2750"):
        open_scene(write_scene(smooth(30, 30)), ("B02",), scale=scale)


def test_8_bits_already(write_scene, smooth):
    path = write_scene((smooth(30, 30) // 20).astype(np.uint8))
    with pytest.raises(InputError, match="8-bit values already"):
        open_scene(path, ("B02",), scale=2750)


def check(path, spec, scale):
    with open_scene(path, spec.bands, scale=scale) as scene:
        check_scene(scene, spec)


def test_check(write_scene, smooth, make_spec, capsys):
    image, spec = smooth(300, 300), make_spec(unit="uint8", task="classify")
    path = write_scene(image)
    with pytest.raises(InputError, match=r"looks like dn .* --scale 2750 as for EuroSAT"):
        check(path, spec, None)
    check(path, spec, 2750)
    assert capsys.readouterr().err == ""
    with pytest.raises(InputError, match="8-bit values, but the bundle tiny was fitted on dn"):
        check(path, make_spec(), 2750)
    floats = write_scene((image / 10_000).astype(np.float32), "f.tif")
    with pytest.raises(InputError, match=r"looks like reflectance .* --scale 0.275 as"):
        check(floats, spec, None)
    with pytest.raises(InputError, match=r"black at a scale of 2750: .* 0.275 for reflectance"):
        check(floats, spec, 2750)
    with pytest.raises(InputError, match=r"white at a scale of 0.275: .* 2750 for digital numbers"):
        check(path, spec, 0.275)
    check(path, spec, 1000)
    assert "are cut off at the scale of 1000" in capsys.readouterr().err


def test_the_advice_is_for_patches_only(write_scene, smooth, make_spec):
    with pytest.raises(InputError, match=r"use imagery of the same kind$"):
        check(write_scene(smooth(90, 90)), make_spec(unit="uint8"), None)


def test_the_offset_is_seen_through_the_scale(write_scene, make_spec, capsys):
    rng = np.random.default_rng(0)
    clear = (rng.gamma(2.0, 250.0, (4, 200, 200)) + 20).astype(np.uint16)
    spec = make_spec(unit="uint8", task="classify")
    check(write_scene(clear), spec, 2750)
    assert "offset" not in capsys.readouterr().err
    check(write_scene(clear + 1000), spec, 2750)
    assert "offset of -1000" in capsys.readouterr().err
