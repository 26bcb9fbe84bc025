"""Masks as PNG, read back by Pillow."""

import tempfile
from pathlib import Path

import numpy as np
from agri_annotate.masks.png import write_png
from agri_annotate.masks.runs import Runs
from agri_core.legend import Legend
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 9), st.integers(1, 9), st.data())
def test_what_is_written_is_the_array_of_the_runs(
    height: int, width: int, data: st.DataObject
) -> None:
    places = st.integers(1, height * (width + 1) - 1)
    cuts = data.draw(st.sets(places, max_size=8)) if height * width > 1 else set()
    edges = np.array([0, *sorted(cuts), height * (width + 1)], np.int64)
    values = data.draw(st.lists(st.sampled_from([-1, 0, 3, 255]), min_size=len(edges) - 1,
                                max_size=len(edges) - 1))  # fmt: skip
    runs = Runs(height, width, edges, np.array(values, np.int16))
    # Place by place: the first of a row belongs to no pixel, -1 is background.
    flat = np.repeat(np.maximum(values, 0), np.diff(edges)).reshape(height, width + 1)
    assert runs.array().tolist() == flat[:, 1:].tolist()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "m.png")
        write_png(path, runs, bytes(768))
        with Image.open(path) as image:
            assert image.mode == "P"
            assert np.asarray(image).tolist() == flat[:, 1:].tolist()


def test_pillow_reads_values_and_colours(tmp_path: Path) -> None:
    # Two rows of three pixels after a place each: 0 1 1 255 | 0 2 2 2.
    runs = Runs(2, 3, np.array([0, 1, 3, 4, 5, 8]), np.array([-1, 1, 255, -1, 2], np.int16))
    write_png(tmp_path / "m.png", runs, Legend.of(["none", "soil", "water"]).palette())
    with Image.open(tmp_path / "m.png") as image:
        image.load()
        assert image.mode == "P" and image.size == (3, 2)
        assert np.asarray(image).tolist() == [[1, 1, 255], [2, 2, 2]]
        assert image.convert("RGB").getpixel((2, 0)) == (230, 230, 230)
        assert image.convert("RGB").getpixel((0, 0)) == (0xE8, 0xC5, 0x47)
    assert (runs.array() == [[1, 1, 255], [2, 2, 2]]).all()
    assert runs.pixels() == {1: 2, 2: 3, 255: 1}
