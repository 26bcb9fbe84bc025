import json

import numpy as np
import pytest
import rasterio
from agri_annotate.cli import app
from agri_annotate.formats.read import read_project
from agri_annotate.vectorise.draft import Options
from agri_annotate.vectorise.prelabel import prelabel, to_json
from agri_core.files.errors import InputError, MissingError
from PIL import Image
from rasterio.transform import from_origin
from typer.testing import CliRunner

PLACE = from_origin(500_000, 5_000_000, 10, 10)
SHAPE = (40, 60)


def field(shape=SHAPE):
    """A field of class 1, rows 5 to 24 and columns 10 to 39, with a hut of class 2 in it."""
    mask = np.zeros(shape, np.uint8)
    mask[5:25, 10:40] = 1
    mask[10:20, 20:30] = 2
    return mask


def picture(path, shape=SHAPE):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.full((*shape, 3), 90, np.uint8)).save(path)
    return path


def grey(path, mask):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(mask).save(path)
    return path


def raster(path, bands, transform=PLACE, crs="EPSG:32633", **more):
    path.parent.mkdir(exist_ok=True)
    bands = bands if bands.ndim == 3 else bands[None]
    count, height, width = bands.shape
    profile = {"count": count, "height": height, "width": width, "dtype": bands.dtype, **more}
    with rasterio.open(path, "w", "GTiff", transform=transform, crs=crs, **profile) as file:
        file.write(bands)
    return path


def labels(path, number=0):
    project, problems = read_project(path)
    assert [problem for problem in problems if problem.severity != "note"] == []
    return [region.attributes["class"] for region in project.pictures[number].regions]


@pytest.fixture
def made(tmp_path):
    picture(tmp_path / "images" / "a.jpg")
    grey(tmp_path / "maps" / "a.png", field())
    return tmp_path


def test_the_project_is_what_via_opens(made):
    palette = Image.fromarray(field())
    palette.putpalette([0, 0, 0, 16, 32, 48, 255, 0, 0])
    palette.save(made / "maps" / "a.png")
    out = made / "guess.json"
    outcome = prelabel(made / "maps", made / "images", out, Options(path="images"))
    content = json.loads(out.read_text())
    size = (made / "images" / "a.jpg").stat().st_size
    assert content["_via_image_id_list"] == [f"a.jpg{size}"]
    entry = content["_via_img_metadata"][f"a.jpg{size}"]
    assert (entry["filename"], entry["size"]) == ("a.jpg", size)
    first, second = entry["regions"]
    shape = first["shape_attributes"]
    assert shape["name"] == "polygon"
    corners = set(zip(shape["all_points_x"], shape["all_points_y"], strict=True))
    assert corners == {(10, 5), (40, 5), (40, 25), (10, 25)}
    assert first["region_attributes"] == {"class": "class 1"}
    assert second["region_attributes"] == {"class": "class 2"}
    dropdown = content["_via_attributes"]["region"]["class"]
    assert dropdown["type"] == "dropdown"
    assert list(dropdown["options"]) == ["background", "class 1", "class 2"]
    assert "class 1 #102030, class 2 #ff0000" in dropdown["description"]
    settings = content["_via_settings"]
    assert settings["ui"]["image"]["region_color"] == "class"
    assert settings["ui"]["image"]["region_label"] == "class"
    assert settings["core"]["default_filepath"] == "images/"
    assert outcome.regions == {"background": 0, "class 1": 1, "class 2": 1}
    assert (outcome.vertices, outcome.corners, outcome.lost) == (8, 8, False)
    json.dumps(to_json(outcome), allow_nan=False)


def test_again_it_is_equal_byte_for_byte(made):
    for name in ("one.json", "two.json", "one.json"):
        prelabel(made / "maps", made / "images", made / name, Options())
    assert (made / "one.json").read_bytes() == (made / "two.json").read_bytes()


def test_the_legend_beside_the_maps_names_classes(made):
    legend = [{"id": i, "name": n} for i, n in enumerate(["nothing", "crop", "hut"])]
    (made / "maps" / "classes.json").write_text(json.dumps(legend))
    outcome = prelabel(made / "maps", made / "images", made / "o.json", Options())
    assert labels(made / "o.json") == ["crop", "hut"]
    assert any("'nothing'" in problem.what for problem in outcome.problems)


def test_a_value_that_is_no_class_is_lost_and_the_rest_is_drawn(made):
    legend = made / "two.json"
    legend.write_text(json.dumps([{"id": 0, "name": "background"}, {"id": 1, "name": "crop"}]))
    outcome = prelabel(made / "maps", made / "images", made / "o.json", Options(), classes=legend)
    assert labels(made / "o.json") == ["crop"]
    assert outcome.lost
    assert "holds 2 in 100 pixels" in outcome.problems[0].what


def test_one_bad_picture_does_not_stop_the_rest(made):
    picture(made / "images" / "b.png", (10, 10))
    grey(made / "maps" / "b.png", field())
    (made / "images" / "c.png").write_bytes(b"no picture")
    grey(made / "maps" / "c.png", field())
    picture(made / "images" / "d.png")
    (made / "maps" / "d.tif").write_bytes(b"no map")
    raster(made / "maps" / "e.tif", np.zeros((3, *SHAPE), np.uint8))
    picture(made / "images" / "e.png")
    raster(made / "maps" / "f.tif", np.zeros(SHAPE, np.float32))
    picture(made / "images" / "f.png")
    grey(made / "maps" / "g.png", field())
    picture(made / "images" / "h.png")
    outcome = prelabel(made / "maps", made / "images", made / "o.json", Options())
    assert outcome.pictures == 1
    said = {problem.where: problem for problem in outcome.problems}
    assert "60 x 40 pixels, its picture 10 x 10" in said["b.png"].what
    assert "3 bands" in said["e.png"].what
    assert "float32" in said["f.png"].what
    assert "no picture" in said["g.png"].what
    assert {said[f"{name}.png"].severity for name in "bcdefg"} == {"lost"}
    assert said["h.png"].severity == "note"


def test_two_pictures_of_one_stem_are_not_guessed(made):
    picture(made / "images" / "a.png")
    with pytest.raises(InputError, match=r"a\.jpg, a\.png"):
        prelabel(made / "maps", made / "images", made / "o.json", Options())


def test_a_table_pairs_maps_with_pictures(made):
    grey(made / "maps" / "other.png", field())
    rows = ["image,mask", "a.jpg,other.png", "b.jpg,other.png", "a.jpg,../../secret.png"]
    table = made / "maps" / "masks.csv"
    table.write_text("\n".join(rows))
    outcome = prelabel(table, made / "images", made / "o.json", Options())
    assert outcome.pictures == 1
    assert labels(made / "o.json") == ["class 1", "class 2"]
    assert {problem.where for problem in outcome.problems} == {"b.jpg", "../../secret.png"}
    table.write_text("picture,mask\na.jpg,other.png")
    with pytest.raises(InputError, match="image,mask"):
        prelabel(table, made / "images", made / "o.json", Options())


def test_confidence_of_percent_and_of_shares(made):
    percent = np.where(field() == 1, 80, 255).astype(np.uint8)  # the hut's is unknown
    share = np.where(field() == 1, 0.804, 0.5).astype(np.float32)
    for name, values in (("percent", percent), ("share", share)):
        raster(made / name / "a.tif", values, crs=None, transform=None)
        prelabel(made / "maps", made / "images", made / "o.json", Options(), confidence=made / name)
        regions = read_project(made / "o.json")[0].pictures[0].regions
        assert regions[0].attributes["confidence"] == "0.80"
        assert regions[1].attributes.get("confidence", "") == ("" if name == "percent" else "0.50")
    raster(made / "wrong" / "a.tif", share * 1000, crs=None, transform=None)
    outcome = prelabel(
        made / "maps", made / "images", made / "o.json", Options(), confidence=made / "wrong"
    )
    assert labels(made / "o.json") == ["class 1", "class 2"]
    assert "804" in next(p.what for p in outcome.problems if p.severity == "lost")


@pytest.mark.parametrize("where", [0, 1])
def test_a_map_of_a_scene_is_cut_where_the_chips_lie(tmp_path, where):
    scene = raster(tmp_path / "scene.tif", field(), nodata=255)
    with rasterio.open(scene, "r+") as file:
        file.update_tags(where, CLASS_1="crop", CLASS_2="hut")  # of the file, or of its band
    empty = np.zeros((3, 20, 30), np.uint8)
    # From row 5 and column 10 on, and half of it beyond the right border of the scene.
    raster(tmp_path / "chips" / "in.tif", empty, PLACE * PLACE.translation(10, 5))
    raster(tmp_path / "chips" / "over.tif", empty, PLACE * PLACE.translation(35, 5))
    raster(tmp_path / "chips" / "far.tif", empty, PLACE * PLACE.translation(500, 5))
    picture(tmp_path / "chips" / "plain.png")
    outcome = prelabel(scene, tmp_path / "chips", tmp_path / "o.json", Options(minimum=1))
    project, _ = read_project(tmp_path / "o.json")
    assert [each.name for each in project.pictures] == ["in.tif", "over.tif"]
    inside, over = (each.regions for each in project.pictures)
    assert [region.attributes["class"] for region in inside] == ["crop", "hut"]
    # The field is the whole of the first chip, the hut is 10 columns and 5 rows into it.
    assert set(inside[0].shape.points) == {(0, 0), (30, 0), (30, 20), (0, 20)}
    assert set(inside[1].shape.points) == {(10, 5), (20, 5), (20, 15), (10, 15)}
    assert set(over[0].shape.points) == {(0, 0), (5, 0), (5, 20), (0, 20)}
    said = {problem.where: problem for problem in outcome.problems}
    assert said["far.tif"].severity == "lost"
    assert said["plain.png"].severity == "note"
    # Columns 35 to 59 of the scene are 25 of the 30 of the chip: 5 * 20 pixels are unknown.
    assert "100 pixels to ignore" in said["over.tif"].what


def test_a_finer_chip_takes_the_nearest_pixel(tmp_path):
    scene = raster(tmp_path / "scene.tif", field())
    fine = PLACE * PLACE.scale(0.5)
    chip = raster(tmp_path / "chips" / "c.tif", np.zeros((3, 80, 120), np.uint8), fine)
    prelabel(scene, chip, tmp_path / "o.json", Options())
    regions = read_project(tmp_path / "o.json")[0].pictures[0].regions
    assert set(regions[0].shape.points) == {(20, 10), (80, 10), (80, 50), (20, 50)}


def test_masks_of_0_and_255_need_a_word(made):
    grey(made / "maps" / "a.png", np.where(field() > 0, 255, 0).astype(np.uint8))
    outcome = prelabel(made / "maps", made / "images", made / "o.json", Options())
    assert any("--binary" in problem.what for problem in outcome.problems)
    prelabel(made / "maps", made / "images", made / "o.json", Options(binary=True))
    assert labels(made / "o.json") == ["class 1"]


def test_nothing_is_replaced_that_is_no_annotation_file(made):
    (made / "notes.txt").write_text("mine")
    for out in (made / "notes.txt", made / "images"):
        with pytest.raises(InputError):
            prelabel(made / "maps", made / "images", out, Options())
    assert (made / "notes.txt").read_text() == "mine"


def test_what_is_missing_is_said(made):
    with pytest.raises(MissingError):
        prelabel(made / "none", made / "images", made / "o.json", Options())
    with pytest.raises(InputError, match="georeference"):
        prelabel(grey(made / "x.png", field()), made / "images", made / "o.json", Options())
    with pytest.raises(InputError, match="one map"):
        prelabel(made / "maps", made / "images" / "a.jpg", made / "o.json", Options())
    for wrong in ({"attribute": "confidence"}, {"attribute": " "}, {"background": "some"}):
        with pytest.raises(InputError):
            Options(**wrong)
    assert not (made / "o.json").exists()


def test_the_command_prints_vertices_and_exits_3_where_something_is_missing(made):
    command = ["prelabel", str(made / "maps"), "--pictures", str(made / "images")]
    done = CliRunner().invoke(app, [*command, "--out", str(made / "o.json")])
    assert done.exit_code == 0
    assert "vertices  8 of 8 corners of pixels, 4.0 a region" in done.stdout
    grey(made / "maps" / "z.png", field())
    done = CliRunner().invoke(app, [*command, "--out", str(made / "o.json")])
    assert done.exit_code == 3
    assert "lost: z.png" in done.stderr


def test_drawn_masks_are_the_maps(made):
    prelabel(made / "maps", made / "images", made / "o.json", Options())
    command = ["masks", str(made / "o.json"), "--pictures", str(made / "images")]
    done = CliRunner().invoke(app, [*command, "--out", str(made / "again")])
    assert done.exit_code == 0, done.output
    (mask,) = (made / "again").rglob("*.png")
    assert (np.asarray(Image.open(mask)) == field()).all()


def test_a_class_cannot_write_over_the_terminal(made):
    names = [{"id": 0, "name": "bare"}, {"id": 1, "name": "x\x1b[31m"}, {"id": 2, "name": "\ny"}]
    (made / "maps" / "classes.json").write_text(json.dumps(names))
    said = prelabel(made / "maps", made / "images", made / "o.json", Options()).summary()
    assert "\x1b" not in said and "x\\x1b[31m 1" in said
