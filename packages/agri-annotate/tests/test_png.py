"""PNG files against zlib and Pillow."""

import zlib
from pathlib import Path

import numpy as np
import pytest
from agri_annotate.legend import Legend
from agri_annotate.png import adler, deflate, write_png
from agri_annotate.runs import Runs
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

bytes_and_lengths = st.lists(
    st.tuples(
        st.integers(0, 255),
        st.one_of(st.integers(1, 5), st.integers(1, 1000), st.integers(257, 262)),
    ),
    min_size=1,
    max_size=60,
)  # fmt: skip


@given(bytes_and_lengths)
def test_zlib_reads_what_is_written(runs: list) -> None:
    values = np.array([value for value, _ in runs], np.uint8)
    edges = np.concatenate([[0], np.cumsum([length for _, length in runs])])
    plain = b"".join(bytes([value]) * length for value, length in runs)
    assert zlib.decompress(b"".join(deflate(edges, values))) == plain
    assert adler(edges, values) == zlib.adler32(plain)


@pytest.mark.parametrize("length", range(1, 520))
def test_each_length_of_a_run(length: int) -> None:
    edges, values = np.array([0, 1, 1 + length]), np.array([200, 7], np.uint8)
    assert zlib.decompress(b"".join(deflate(edges, values))) == b"\xc8" + b"\x07" * length


def test_a_picture_of_many_pieces_is_one_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agri_annotate.png.STEP", 1000)
    rng = np.random.default_rng(0)
    lengths, values = rng.integers(1, 5000, 300), rng.integers(0, 256, 300).astype(np.uint8)
    edges = np.concatenate([[0], np.cumsum(lengths)])
    plain = np.repeat(values, lengths).tobytes()
    assert zlib.decompress(b"".join(deflate(edges, values))) == plain


def test_the_check_sum_of_a_thousand_million_bytes_does_not_overflow() -> None:
    edges, values = np.array([0, 10**9]), np.array([255], np.uint8)
    # a = 1 + 255 n, b = n + 255 n (n + 1) / 2, modulo 65521, with whole numbers of any size.
    n = 10**9
    a, b = (1 + 255 * n) % 65521, (n + 255 * n * (n + 1) // 2) % 65521
    assert adler(edges, values) == b << 16 | a


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
