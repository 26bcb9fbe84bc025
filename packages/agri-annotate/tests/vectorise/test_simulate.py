"""A simulated hand: near the truth, never exactly it, and the same again."""

import json
from dataclasses import replace

import numpy as np
import pytest
import rasterio
from agri_annotate.formats.read import read_project
from agri_annotate.formats.write import write_project
from agri_annotate.vectorise.simulate import ATTRIBUTE, Hand, draw_by_hand, simulate
from agri_core.files.errors import InputError, MissingError
from agri_core.legend import Legend
from rasterio.features import rasterize
from rasterio.transform import from_origin

LEGEND = Legend.of(["other", "arable", "water"])
ORIGIN = (500_000, 5_000_000)


def make_truth() -> np.ndarray:
    """A map of 96 x 96: a field with a pond in it, a strip of unknown, a speck of 9 pixels."""
    truth = np.zeros((96, 96), np.uint8)
    truth[10:70, 20:80] = 1
    truth[30:50, 40:60] = 2
    truth[:, 90:] = 255
    truth[80:83, 5:8] = 2
    return truth


def write(path, array, driver, left=0, top=0, crs="EPSG:32633"):
    path.parent.mkdir(parents=True, exist_ok=True)
    transform = from_origin(ORIGIN[0] + 10 * left, ORIGIN[1] - 10 * top, 10, 10)
    with rasterio.open(
        path, "w", driver=driver, height=array.shape[0], width=array.shape[1], count=1,
        dtype="uint8", crs=crs, transform=transform if crs else None,
    ) as target:  # fmt: skip
        target.write(array, 1)


@pytest.fixture
def folders(tmp_path):
    write(tmp_path / "truth/north.tif", make_truth(), "GTiff")
    for top, left in ((0, 0), (32, 32)):
        name = f"pictures/north_r{top}_c{left}.png"
        write(tmp_path / name, np.zeros((64, 64), np.uint8), "PNG", left, top)
    return tmp_path / "truth", tmp_path / "pictures"


def redraw(regions, shape):
    """Paint regions in their order, what nobody drew is 255."""
    pairs = [
        ({"type": "Polygon", "coordinates": [[*r.shape.points, r.shape.points[0]]]},
         LEGEND.index(r.attributes[ATTRIBUTE]))
        for r in regions
    ]  # fmt: skip
    return rasterize(pairs, out_shape=shape, fill=255, dtype="uint8")


def agreement(truth, drawn, code):
    known = truth != 255
    both = ((truth == code) & (drawn == code) & known).sum()
    return both / (((truth == code) | (drawn == code)) & known).sum()


@pytest.mark.parametrize(("jitter", "least"), [(0.0, 0.99), (0.5, 0.93), (2.0, 0.6)])
def test_a_hand_is_as_near_as_its_slack(jitter, least):
    truth = make_truth()
    regions = draw_by_hand(truth, LEGEND, Hand(jitter=jitter), np.random.default_rng(1))
    drawn = redraw(regions, truth.shape)
    for code in (1, 2):
        assert agreement(truth, drawn, code) > least - 0.03
    exact = draw_by_hand(truth, LEGEND, Hand(jitter=0), np.random.default_rng(1))
    assert (jitter == 0) == (regions == exact)


def test_small_pieces_and_what_is_not_known_are_not_drawn():
    truth = make_truth()
    regions = draw_by_hand(truth, LEGEND, Hand(jitter=0), np.random.default_rng(0))
    drawn = redraw(regions, truth.shape)
    assert (drawn[80:83, 5:8] == 0).all()  # the speck of 9 pixels is drawn over
    assert (drawn[:, 91:] == 255).all()
    assert [r.attributes[ATTRIBUTE] for r in regions] == ["other", "arable", "water"]


def test_a_skipped_class_is_drawn_only_inside_another():
    truth = make_truth()
    truth[30:50, 40:60] = 0  # a clearing in the field, of the class nobody draws
    hand = Hand(jitter=0, skip=("other",))
    regions = draw_by_hand(truth, LEGEND, hand, np.random.default_rng(0))
    assert [r.attributes[ATTRIBUTE] for r in regions] == ["arable", "other"]
    drawn = redraw(regions, truth.shape)
    assert (drawn[31:49, 41:59] == 0).all() and (drawn[:9] == 255).all()


def test_pictures_are_drawn_from_the_map_of_their_scene(folders, tmp_path):
    project = simulate(*folders, LEGEND, Hand(jitter=0), seed=3)
    assert [picture.name for picture in project.pictures] == [
        "north_r0_c0.png",
        "north_r32_c32.png",
    ]
    truth = make_truth()
    for picture, part in zip(project.pictures, (np.s_[:64, :64], np.s_[32:96, 32:96]), strict=True):
        drawn = redraw(picture.regions, (64, 64))
        known = (truth[part] != 255) & (drawn != 255)
        assert (drawn == truth[part])[known].mean() > 0.99
    write_project(project, "via2-project", tmp_path / "d.json")
    back, problems = read_project(tmp_path / "d.json")
    assert (back.pictures, problems) == (project.pictures, [])
    (definition,) = back.regions
    assert definition.description == "simulated from the truth"


def test_the_same_seed_draws_the_same_whatever_other_pictures_there_are(folders):
    truth, pictures = folders
    whole = simulate(truth, pictures, LEGEND, Hand(), seed=3)
    assert whole == simulate(truth, pictures, LEGEND, Hand(), seed=3)
    assert whole != simulate(truth, pictures, LEGEND, Hand(), seed=4)
    (pictures / "north_r0_c0.png").unlink()
    alone = simulate(truth, pictures, LEGEND, Hand(), seed=3)
    assert alone == replace(whole, pictures=whole.pictures[1:])


def test_what_does_not_fit_is_named(folders, tmp_path):
    truth, pictures = folders
    with pytest.raises(MissingError, match="no pictures in"):
        simulate(truth, tmp_path / "truth", LEGEND, Hand(), 0)
    with pytest.raises(InputError, match=r"holds the values \[2\], which the legend"):
        simulate(truth, pictures, Legend.of(["other", "arable"]), Hand(), 0)
    with pytest.raises(InputError, match="the jitter is in pixels"):
        Hand(jitter=-1)
    write(pictures / "south_r0_c0.png", np.zeros((8, 8), np.uint8), "PNG")
    with pytest.raises(MissingError, match=r"has no map for south_r0_c0\.png"):
        simulate(truth, pictures, LEGEND, Hand(), 0)
    (pictures / "south_r0_c0.png").unlink()
    write(pictures / "north_r64_c64.png", np.zeros((64, 64), np.uint8), "PNG", 64, 64)
    with pytest.raises(InputError, match="does not lie within"):
        simulate(truth, pictures, LEGEND, Hand(), 0)
    write(pictures / "north_r64_c64.png", np.zeros((8, 8), np.uint8), "PNG", crs=None)
    (pictures / "north_r64_c64.png.aux.xml").unlink(missing_ok=True)
    with pytest.raises(InputError, match="has no georeference"):
        simulate(truth, pictures, LEGEND, Hand(), 0)


def test_the_command_says_that_nobody_drew(folders, tmp_path, capsys, monkeypatch):
    from agri_annotate.cli import main

    legend = tmp_path / "classes.json"
    legend.write_text(json.dumps(LEGEND.to_list()))
    monkeypatch.setattr(
        "sys.argv",
        ["agri-annotate", "simulate", str(folders[0]), "--pictures", str(folders[1]),
         "--classes", str(legend), "--out", str(tmp_path / "d.json")],
    )  # fmt: skip
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code
    assert "simulated, not drawn by a person" in capsys.readouterr().out
