"""Guessing the unit of a scene, and the offset that may be left in it."""

import numpy as np
from agri_map.scene.scene import open_scene
from agri_map.scene.unit import check_scene, offset_left


def test_offset_left():
    rng = np.random.default_rng(0)
    clear = rng.gamma(2.0, 250.0, (20_000, 3)) + 20  # dark soil and forest in the visible bands
    bands = ("B02", "B03", "B04")
    assert not offset_left(clear, bands)
    assert offset_left(clear + 1000, bands)
    assert not offset_left(clear + 4000, bands)  # haze or cloud: no dark pixels to judge by
    assert not offset_left(clear + 1000, ("B08", "B11", "B12"))


def test_warnings(write_scene, smooth, make_spec, capsys):
    image = smooth(300, 280, noise=0) // 2 + 1000
    with open_scene(write_scene(image.astype(np.uint16)), make_spec().bands) as scene:
        check_scene(scene, make_spec(pixel_size=60.0))
    text = capsys.readouterr().err
    assert "pixels of 10 m, the bundle was fitted on 60 m" in text
    assert "offset of -1000" in text


def test_undeclared_emptiness(write_scene, smooth, make_spec, capsys):
    image = smooth(100, 100)
    image[:, :50] = 0
    with open_scene(write_scene(image), make_spec().bands) as scene:
        check_scene(scene, make_spec())
    assert "are 0 in every band" in capsys.readouterr().err
    with open_scene(write_scene(image, nodata=0), make_spec().bands) as scene:
        check_scene(scene, make_spec())
    assert "0 in every band" not in capsys.readouterr().err
