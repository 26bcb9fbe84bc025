"""Unannotated pixels: the background, another class, or not known."""

import json

import numpy as np
import pytest
from agri_annotate.cli import main
from agri_annotate.masks.mask import Rules, draw
from agri_annotate.masks.naming import Naming
from agri_annotate.model.project import Picture, Region
from agri_annotate.model.shape import Rect
from agri_core.legend import Legend
from PIL import Image

LEGEND = Legend.of(["arable", "water"])
NAMING = Naming(LEGEND, "class")
PICTURE = Picture(
    "a.png",
    regions=(
        Region(Rect(0, 0, 4, 2), {"class": "arable"}),
        Region(Rect(1, 1, 5, 3), {"class": "water"}, 1),
    ),
)


@pytest.mark.parametrize("undrawn", [0, 1, 255])
def test_what_nobody_drew(undrawn):
    drawn = draw(PICTURE, 5, 6, NAMING, Rules(undrawn=undrawn))
    expected = np.full((5, 6), undrawn, np.uint8)
    expected[0:2, 0:4] = 0
    expected[1:4, 1:6] = 1
    assert drawn.mask.tolist() == expected.tolist()
    # 4 of row 0 and 1 of row 1 stay arable, 15 are water: 10 of 30 are not drawn.
    counts = {0: 5, 1: 15}
    counts[undrawn] = counts.get(undrawn, 0) + 10
    assert drawn.pixels == counts
    # The 3 pixels of arable under the water are overwritten, what nobody drew is not.
    assert drawn.overwritten == {0: 3}


def test_an_empty_picture_is_not_known():
    drawn = draw(Picture("a.png"), 3, 2, NAMING, Rules(undrawn=255))
    assert drawn.mask.tolist() == [[255, 255]] * 3


@pytest.mark.parametrize(("said", "value"), [("ignore", 255), ("water", 1), (None, 0)])
def test_the_option_and_a_report_elsewhere(tmp_path, monkeypatch, said, value):
    Image.new("RGB", (6, 5)).save(tmp_path / "a.png")
    region = {"shape_attributes": {"name": "rect", "x": 0, "y": 0, "width": 4, "height": 2},
              "region_attributes": {"class": "arable"}}  # fmt: skip
    entry = {"filename": "a.png", "size": -1, "regions": [region], "file_attributes": {}}
    (tmp_path / "d.json").write_text(json.dumps({"a.png-1": entry}))
    (tmp_path / "classes.json").write_text(LEGEND.to_json())
    argv = ["agri-annotate", "masks", "d.json", "--pictures", ".", "--out", "out",
            "--classes", "classes.json", "--report", "said"]  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", argv + (["--undrawn", said] if said else []))
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code
    with Image.open("out/masks/a.png") as image:
        assert np.asarray(image)[4, 5] == value and np.asarray(image)[0, 0] == 0
    assert sorted(path.name for path in (tmp_path / "said").glob("[!.]*")) == [
        "report.html", "report.json",
    ]  # fmt: skip
    assert not (tmp_path / "out/report.html").exists()


def test_an_unknown_class_for_the_rest(tmp_path, monkeypatch, capsys):
    (tmp_path / "d.json").write_text("{}")
    argv = ["agri-annotate", "check", str(tmp_path / "d.json"), "--pictures", str(tmp_path),
            "--single", "arable", "--undrawn", "wood"]  # fmt: skip
    monkeypatch.setattr("sys.argv", argv)
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert "no class is called 'wood'" in capsys.readouterr().err
