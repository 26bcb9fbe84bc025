import base64
import io

import numpy as np
import pandas as pd
import pytest
from agri_cluster.data.pictures import EMPTY, FolderSource, Pictures, StoreSource, open_source
from agri_cluster.report.gallery import jpeg_uri, mosaic, pick, thumbnails
from agri_core.files.errors import InputError, MissingError
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image


def _table(distance, margin, cluster):
    return pd.DataFrame({"cluster": cluster, "distance": distance, "margin": margin})


def test_nearest_least_certain_and_others():
    table = _table([5, 1, 3, 2, 4, 0], [0.1, 0.9, 0.8, 0.7, 0.05, 0.0], [1, 1, 1, 1, 1, 0])
    picks = pick(table, 1, 2, np.random.default_rng(0))
    assert picks.nearest.tolist() == [1, 3]  # distances 1 and 2
    assert picks.uncertain.tolist() == [4, 0]  # margins 0.05 and 0.1 of rows 0, 2, 4
    assert picks.chance.tolist() == [2]  # what is left


@given(st.integers(0, 40), st.integers(1, 9), st.integers(0, 5))
def test_picks_never_repeat_a_tile(count, each, seed):
    rng = np.random.default_rng(seed)
    table = _table(rng.random(count), rng.random(count), rng.integers(0, 2, count))
    picks = pick(table, 1, each, rng)
    every = np.concatenate([picks.nearest, picks.uncertain, picks.chance])
    assert len(set(every)) == len(every) == min(3 * each, int((table["cluster"] == 1).sum()))
    assert (table["cluster"].to_numpy()[every] == 1).all()


def test_mosaic_has_white_gaps_and_white_places():
    tiles = np.zeros((3, 4, 5, 3), np.uint8)
    out = mosaic(tiles, 2, 2)
    assert out.shape == (2 * 4 + 2, 2 * 5 + 2, 3)
    assert (out[4:6] == 255).all()  # the gap
    assert (out[6:, 7:] == 255).all()  # the fourth place
    assert (out[:4, :5] == 0).all()


def test_pictures_are_natural_colours_at_fixed_limits(four_bands):
    picture = Pictures(StoreSource(four_bands)).of(["t00", "t02"])
    # Vegetation, B04 400 DN: (0.04 / 0.22) ** (1 / 1.5) * 255 = 81.8; B03 500: 95.0; B02 300: 67.5.
    assert picture.shape == (2, 16, 16, 3)
    assert np.median(picture[0], axis=(0, 1)).tolist() == pytest.approx([82, 95, 68], abs=1)


def test_pixels_without_data_are_grey(four_bands, monkeypatch):
    source = StoreSource(four_bands)
    values, valid = source.read(["t00"])
    valid[0, :2] = False
    monkeypatch.setattr(source, "read", lambda ids: (values, valid))
    assert (Pictures(source).of(["t00"])[0, :2] == EMPTY).all()


def test_thumbnails_shrink_by_averaging_and_grow_by_whole_factors(four_bands):
    pictures = Pictures(StoreSource(four_bands))
    assert thumbnails(pictures, ["t00"], 8).shape == (1, 8, 8, 3)
    grown = thumbnails(pictures, ["t00"], 40)
    assert grown.shape == (1, 32, 32, 3)  # twice 16, since 3 times would be more than 40
    assert np.array_equal(grown[:, ::2, ::2], pictures.of(["t00"]))


def test_a_uri_is_a_jpeg():
    head, _, data = jpeg_uri(np.full((8, 8, 3), 90, np.uint8)).partition(",")
    assert head == "data:image/jpeg;base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        assert image.format == "JPEG"
        assert abs(int(np.asarray(image).mean()) - 90) <= 2


def test_a_folder_of_pictures(tmp_path):
    (tmp_path / "sub").mkdir()
    for name, value in (("a.png", 10), ("sub/b.png", 200)):
        Image.fromarray(np.full((6, 9, 3), value, np.uint8)).save(tmp_path / name)
    source = open_source(tmp_path)
    assert list(source.ids) == ["a.png", "sub/b.png"]
    pictures = Pictures(source).of(["sub/b.png", "a.png"])
    assert pictures.shape == (2, 6, 9, 3)
    assert pictures[:, 0, 0, 0].tolist() == [200, 10]
    assert thumbnails(Pictures(source), ["a.png"], 3).shape == (1, 2, 3, 3)


def test_sixteen_bits_of_no_known_band_are_stretched_alike(tmp_path):
    for name, value in (("a.png", 1000), ("b.png", 3000)):
        Image.fromarray(np.full((4, 4), value, np.uint16)).save(tmp_path / name)
    shown = Pictures(FolderSource(tmp_path)).of(["a.png", "b.png"])
    assert shown[:, 0, 0, 0].tolist() == [0, 255]


def test_a_tile_of_another_store_is_refused_by_name(four_bands):
    with pytest.raises(InputError, match=r"'zz'.*give the tiles it was fitted on"):
        Pictures(StoreSource(four_bands)).of(["t00", "zz"])


def test_no_tiles_at_all(tmp_path):
    with pytest.raises(InputError, match="neither a chip store nor a folder with pictures"):
        open_source(tmp_path)
    with pytest.raises(MissingError, match="no chip store and no folder"):
        open_source(tmp_path / "nowhere")


def test_pictures_of_unequal_size_are_refused(tmp_path):
    for name, side in (("a.png", 4), ("b.png", 5)):
        Image.fromarray(np.zeros((side, side, 3), np.uint8)).save(tmp_path / name)
    with pytest.raises(InputError, match=r"b\.png is of shape \(5, 5, 3\)"):
        FolderSource(tmp_path).read(["a.png", "b.png"])
