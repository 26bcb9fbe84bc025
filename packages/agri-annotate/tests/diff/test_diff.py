import json

import pytest
from agri_annotate.cli import app
from agri_annotate.diff.diff import Options, compare, compare_files
from agri_annotate.diff.difference import stated, table, to_json
from agri_annotate.diff.matching import Drawn, drawn, iou, match
from agri_annotate.formats.write import write_project
from agri_annotate.model.project import Attribute, Picture, Project, Region
from agri_annotate.model.shape import Circle, Point, Polygon, Rect
from agri_core.files.errors import InputError
from PIL import Image
from typer.testing import CliRunner

SIZES = {"a.png": (100, 100), "b.png": (100, 100)}


def region(shape, label="crop"):
    return Region(shape, {"class": label} if label else {})


def project(**pictures):
    made = tuple(
        Picture(
            f"{name}.png",
            10,
            tuple(Region(r.shape, r.attributes, n) for n, r in enumerate(regions)),
        )
        for name, regions in pictures.items()
    )
    options = {"background": "background", "crop": "Crop", "soil": "Bare soil"}
    return Project("via2-project", made, (Attribute("class", "dropdown", options),))


def changes(before, after):
    return compare(project(a=before), project(a=after), Options(), SIZES).changes


def of(**counts):
    return {"kept": 0, "moved": 0, "relabelled": 0, "added": 0, "removed": 0} | counts


def test_a_file_against_itself_is_untouched():
    same = project(a=[region(Rect(0, 0, 10, 10)), region(Circle(50, 50, 20), "soil")], b=[])
    found = compare(same, same, Options(), SIZES)
    assert found.changes == of(kept=2)
    assert found.untouched == 2
    assert found.iou == {"background": 1.0, "crop": 1.0, "soil": 1.0}


@pytest.mark.parametrize(
    ("shift", "expected"),
    [
        # A 20 x 10 rectangle moved by n columns: IoU = (20 - n) / (20 + n).
        (0, of(kept=1)),
        (1, of(moved=1)),  # 19 / 21 = 0.905
        (6, of(moved=1)),  # 14 / 26 = 0.538
        (7, of(added=1, removed=1)),  # 13 / 27 = 0.481
        (40, of(added=1, removed=1)),
    ],
)
def test_what_a_shift_is(shift, expected):
    assert (
        changes([region(Rect(10, 10, 20, 10))], [region(Rect(10 + shift, 10, 20, 10))]) == expected
    )


def test_half_is_not_enough():
    """10 x 10 of 20 x 10 pixels is an IoU of 0.5, which is not above it."""
    before, after = [region(Rect(0, 0, 20, 10))], [region(Rect(0, 0, 10, 10))]
    assert changes(before, after) == of(added=1, removed=1)


def test_another_class_is_relabelled_even_if_moved():
    before = [region(Rect(10, 10, 20, 10)), region(Rect(60, 60, 10, 10))]
    after = [region(Rect(11, 10, 20, 10), "soil"), region(Rect(60, 60, 10, 10), None)]
    assert changes(before, after) == of(relabelled=2)


def test_the_highest_iou_is_matched_first():
    before = [region(Rect(0, 0, 10, 10)), region(Rect(0, 0, 10, 9))]
    after = [region(Rect(0, 0, 10, 9))]
    # 90 / 100 with the first, 1 with the second.
    found = compare(project(a=before), project(a=after), Options(), SIZES)
    assert found.changes == of(kept=1, removed=1)


def test_of_equal_shapes_the_class_decides():
    shape = Rect(0, 0, 10, 10)
    before, after = [region(shape), region(shape, "soil")], [region(shape, "soil"), region(shape)]
    assert changes(before, after) == of(kept=2)


def test_iou_per_class_by_hand():
    """Crop 10 x 10 becomes 10 x 20 rows: 100 of 200; the background 9900 and 9800: 9800 of 9900."""
    before, after = project(a=[region(Rect(0, 0, 10, 10))]), project(a=[region(Rect(0, 0, 10, 20))])
    found = compare(before, after, Options(), SIZES)
    assert found.iou == {
        "background": pytest.approx(9800 / 9900),
        "crop": pytest.approx(0.5),
        "soil": None,
    }
    assert to_json(found)["classes"]["soil"]["iou"] is None


def test_iou_is_pooled_over_pictures():
    """100 of 200 pixels in one picture and 100 of 100 in the other: 200 of 300."""
    before = project(a=[region(Rect(0, 0, 10, 10))], b=[region(Rect(0, 0, 10, 10))])
    after = project(a=[region(Rect(0, 0, 10, 20))], b=[region(Rect(0, 0, 10, 10))])
    found = compare(before, after, Options(), SIZES)
    assert found.iou["crop"] == pytest.approx(2 / 3)
    assert found.untouched == 1


def test_counts_by_class():
    before = [region(Rect(0, 0, 10, 10)), region(Rect(50, 50, 9, 9), "soil")]
    after = [region(Rect(0, 0, 10, 10), "soil"), region(Rect(80, 80, 9, 9))]
    found = compare(project(a=before), project(a=after), Options(), SIZES)
    assert found.by_class("crop") == of(relabelled=1, added=1)
    assert found.by_class("soil") == of(removed=1)


def test_no_time_is_invented():
    before = project(a=[region(Rect(0, 0, 10, 10)), region(Rect(20, 20, 10, 10))])
    after = project(a=[region(Rect(0, 0, 10, 10)), region(Rect(50, 20, 10, 10))])
    found = compare(before, after, Options(), SIZES)
    assert "stated" not in to_json(found)
    assert to_json(found)["times"] == "the files hold none"
    assert "none are known" in table(found)
    # One kept, one added, one removed: 2 regions to draw again, 2 changes, at 30 s.
    assert stated(found.changes, 30) == {
        "seconds_per_region": 30,
        "minutes_to_draw_all": 1.0,
        "minutes_to_draw_changed": 1.0,
    }
    said = compare(before, after, Options(seconds=30), SIZES)
    assert "30 s per region that you state" in table(said)
    for wrong in (0, -1, float("nan"), float("inf")):
        with pytest.raises(InputError):
            Options(seconds=wrong)


def test_points_need_a_radius_to_be_measured():
    before, after = project(a=[region(Point(50, 50))]), project(a=[region(Point(51, 50))])
    without = compare(before, after, Options(), SIZES)
    assert without.changes == of(added=1, removed=1)
    assert any("covers nothing" in problem.what for problem in without.problems)
    assert compare(before, before, Options(), SIZES).changes == of(kept=1)
    assert compare(before, after, Options(radius=10), SIZES).changes == of(moved=1)


def test_without_a_size_the_regions_say_it():
    same = project(a=[region(Rect(0, 0, 30, 20))])
    found = compare(same, same, Options(), {})
    assert found.iou["crop"] == 1.0
    assert "30 x 20" in found.problems[0].what


def test_pictures_of_one_file_alone_are_listed():
    found = compare(project(a=[], b=[]), project(a=[]), Options(attribute="class"), SIZES)
    assert [(problem.where, problem.severity) for problem in found.problems] == [("b.png", "note")]
    with pytest.raises(InputError, match="no picture"):
        compare(project(a=[]), project(b=[]), Options(), SIZES)


def test_regions_beyond_the_border_and_bow_ties():
    bow = Polygon(((10, 10), (30, 30), (30, 10), (10, 30)))
    before = [region(Circle(100, 100, 20)), region(bow), region(Rect(200, 200, 5, 5))]
    assert changes(before, before) == of(kept=3)


def test_iou_of_windows_equals_iou_of_pictures():
    shapes = [Rect(5, 5, 30, 20), Circle(30, 20, 12), Polygon(((0, 0), (40, 10), (10, 40)))]
    made = [drawn(shape, None, 50, 60) for shape in shapes]
    for first in made:
        for second in made:
            one, other = full(first), full(second)
            expected = (one & other).sum() / (one | other).sum()
            assert iou(first, second) == pytest.approx(expected)


def full(region: Drawn):
    import numpy as np

    canvas = np.zeros((50, 60), bool)
    canvas[region.cover.window] = region.cover.inside
    return canvas


def test_every_region_is_counted_once():
    first = [drawn(Rect(i, 0, 10, 10), "crop", 50, 60) for i in range(5)]
    second = [drawn(Rect(i, 1, 10, 10), "crop", 50, 60) for i in range(7)]
    found = match(first, second)
    assert sorted(each.before for each in found if each.before is not None) == list(range(5))
    assert sorted(each.after for each in found if each.after is not None) == list(range(7))
    assert sum(each.change == "added" for each in found) == 2


def test_the_text_of_an_option_is_the_option(tmp_path):
    """COCO keeps "Bare soil" and not its id "soil"."""
    before = project(a=[region(Rect(0, 0, 10, 10), "soil"), region(Rect(20, 0, 10, 10), None)])
    after = project(a=[region(Rect(0, 0, 10, 10), "Bare soil"), region(Rect(20, 0, 10, 10), None)])
    found = compare(before, after, Options(), SIZES)
    assert found.changes == of(kept=2)
    assert found.names == ("background", "crop", "soil")
    assert found.by_class("") == of(kept=1)
    assert "(none)" in table(found)


def test_the_command(tmp_path):
    (tmp_path / "images").mkdir()
    Image.new("RGB", (100, 100)).save(tmp_path / "images" / "a.png")
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    write_project(project(a=[region(Rect(0, 0, 10, 10))]), "via2-project", before)
    write_project(project(a=[region(Rect(0, 0, 10, 20))]), "via2-project", after)
    command = ["diff", str(before), str(after), "--pictures", str(tmp_path / "images")]
    out = tmp_path / "out" / "diff.json"
    done = CliRunner().invoke(app, [*command, "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "0.9899" in done.stdout  # 9800 / 9900 of the background
    assert json.loads(out.read_text())["regions"] == of(added=1, removed=1)
    first = out.read_bytes()
    CliRunner().invoke(app, [*command, "--out", str(out)])
    assert out.read_bytes() == first


def test_an_option_that_no_legend_has_is_lost(tmp_path):
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    write_project(project(a=[region(Rect(0, 0, 10, 10))]), "via2-project", before)
    write_project(project(a=[region(Rect(0, 0, 10, 10), "water")]), "via2-project", after)
    found = compare_files(before, after, Options())
    assert found.changes == of(relabelled=1)
    assert found.names == ("background", "crop", "soil", "water")
    legend = tmp_path / "classes.json"
    legend.write_text('[{"id": 0, "name": "background"}, {"id": 1, "name": "crop"}]')
    done = CliRunner().invoke(app, ["diff", str(before), str(after), "--classes", str(legend)])
    assert done.exit_code == 3
    assert "water" in done.stderr


def test_a_ticked_class_is_a_class_without_definitions():
    ticked = Region(Rect(0, 0, 9, 9), {"class": ("crop",)})
    same = Project("via2-json", (Picture("a.png", None, (ticked,)),))
    found = compare(same, same, Options(), SIZES)
    assert found.names == ("background", "crop") and not found.problems


def test_a_class_cannot_write_over_the_terminal():
    same = Project("via2-json", (Picture("a.png", None, (region(Rect(0, 0, 9, 9), "a\x1b[31m"),)),))
    said = table(compare(same, same, Options(), SIZES))
    assert "\x1b" not in said and "a\\x1b[31m" in said


def test_a_file_without_the_class_attribute_is_refused():
    def project_of(*regions, attributes=()):
        return Project("via2-project", (Picture("a.png", 10, regions),), attributes)

    shape = Rect(0, 0, 4, 4)
    defined = (Attribute("class", "dropdown", {"crop": "Crop"}),)
    before = project_of(Region(shape, {"class": "crop"}), attributes=defined)
    after = project_of(Region(shape, {"note": "a", "plant": "kudzu"}))
    message = r"corrected has no region attribute 'class' .* the file has 'note', 'plant'\. State"
    with pytest.raises(InputError, match=message):
        compare(before, after, Options(), SIZES)
    assert compare(before, project_of(), Options(), SIZES).changes == of(removed=1)
