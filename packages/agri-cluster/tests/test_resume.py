import json
import shutil

import numpy as np
import pytest
from agri_cluster.dec.settings import FitSettings
from agri_cluster.fit import STARTED, TileSource, _begin
from agri_core.files.errors import InputError
from PIL import Image


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "tiles"
    folder.mkdir()
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 255, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def begin(tmp_path, pictures, seed=0, resume=True, **settings):
    source = TileSource(pictures)
    made = FitSettings(**{"weights": str(tmp_path / "w.h5")} | settings)
    _begin(tmp_path / "work", source, source.open("convae"), made, seed, resume)


@pytest.fixture
def started(tmp_path, pictures):
    (tmp_path / "w.h5").write_bytes(b"one")
    begin(tmp_path, pictures, resume=False)
    (tmp_path / "work" / "refine.npz").write_bytes(b"checkpoint")


def test_the_same_run_goes_on_from_another_place_too(started, tmp_path, pictures, capsys):
    shutil.copytree(pictures, tmp_path / "moved")
    begin(tmp_path, tmp_path / "moved")
    assert (tmp_path / "work" / "refine.npz").exists()
    assert capsys.readouterr().err == ""


def _other_pixels(pictures):
    Image.fromarray(np.full((16, 16, 3), 9, np.uint8)).save(pictures / "1.png")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_other_pixels, "changed since: the content of the tiles;"),
        (lambda pictures: (pictures / "2.png").unlink(), "the content of the tiles"),
        (lambda pictures: (pictures / "2.png").rename(pictures / "9.png"), "content of the tiles"),
        (
            lambda pictures: (pictures.parent / "w.h5").write_bytes(b"two"),
            "changed since: the content of the weights file;",
        ),
    ],
)
def test_other_content_at_a_path_is_another_run(started, tmp_path, pictures, change, message):
    change(pictures)
    with pytest.raises(InputError, match=message):
        begin(tmp_path, pictures)
    # Without --resume it starts again, and the old checkpoint is gone.
    begin(tmp_path, pictures, resume=False)
    assert not (tmp_path / "work" / "refine.npz").exists()


def test_a_changed_setting_is_named_with_both_values(started, tmp_path, pictures):
    with pytest.raises(InputError, match=r"seed \(was 0, now 5\), --epochs \(was 50, now 7\);"):
        begin(tmp_path, pictures, seed=5, epochs=7)


def test_other_threads_go_on_with_a_warning(started, tmp_path, pictures, capsys, monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "77")
    begin(tmp_path, pictures)
    assert "'operations': 77" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["[]", "{", "[" * 100_000, '{"settings": 3}'])
def test_a_damaged_mark_is_refused(started, tmp_path, pictures, text):
    (tmp_path / "work" / STARTED).write_text(text)
    with pytest.raises(InputError):
        begin(tmp_path, pictures)


def test_threads_are_kept(started, tmp_path):
    mark = json.loads((tmp_path / "work" / STARTED).read_text())
    assert set(mark["threads"]) == {"operations", "openmp"}
