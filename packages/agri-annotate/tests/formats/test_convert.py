"""`agri-annotate convert`: what is kept, what is listed, what is refused."""

import json
import os
import shutil
from pathlib import Path

import pytest
from agri_annotate.cli import app
from agri_annotate.formats.conversion import LISTED, convert_file, listed
from agri_annotate.model.project import Problem
from agri_core.files.errors import InputError, MissingError
from typer.testing import CliRunner

EXPORTS = Path(__file__).parents[1] / "exports"
PROJECT = EXPORTS / "via-2.0.11_project.json"


def test_convert_prints_what_was_kept(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out.json"
    result = CliRunner().invoke(
        app, ["convert", str(PROJECT), "--to", "via3-json", "--out", str(out)]
    )
    assert result.exit_code == 0
    assert result.stdout == (
        f"{out}: via3-json, from via2-project\n"
        "pictures  2 of 2\n"
        "regions   9 of 9: 2 circle, 1 point, 3 polygon, 1 polyline, 2 rect\n"
        "lost 0, changed 1, notes 1\n"
    )
    assert "changed: field_0.png region 3: a rotated ellipse became a polygon" in result.stderr


def test_a_loss_is_listed_and_the_exit_code_is_3(tmp_path: Path) -> None:
    arguments = ["convert", str(PROJECT), "--to", "coco", "--out", str(tmp_path / "coco.json")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 3
    assert "regions   8 of 9: 1 point, 5 polygon, 2 rect\n" in result.stdout
    assert result.stderr.splitlines()[0] == (
        "lost: field_0.png region 5: a polyline is not written: COCO holds areas and points"
    )
    assert "width and height of 'field_0.png', 'field_1.png' are unknown" in result.stderr


def test_pictures_give_coco_its_sizes(tmp_path: Path) -> None:
    """The real export says 640 x 480 and 300 x 200."""
    convert_file(PROJECT, "coco", tmp_path / "out", EXPORTS / "images")
    real = json.loads((EXPORTS / "via-2.0.11_coco.json").read_text())
    assert json.loads((tmp_path / "out").read_text())["images"] == real["images"]


def test_pictures_give_the_keys_and_a_missing_one_is_a_note(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    shutil.copy(EXPORTS / "images" / "field_0.png", folder)
    bare = tmp_path / "bare.csv"
    convert_file(PROJECT, "via3-csv", bare)  # no sizes
    done = convert_file(bare, "via2-project", tmp_path / "out", folder)
    size = (folder / "field_0.png").stat().st_size
    ids = json.loads((tmp_path / "out").read_text())["_via_image_id_list"]
    assert ids == [f"field_0.png{size}", "field_1.png-1"]
    assert not done.lost
    assert any(p.where == "field_1.png" and p.severity == "note" for p in done.problems)


def test_a_picture_that_is_none_is_a_note(tmp_path: Path) -> None:
    (tmp_path / "field_0.png").write_bytes(b"not a picture")
    shutil.copy(EXPORTS / "images" / "field_1.png", tmp_path)
    done = convert_file(PROJECT, "via2-csv", tmp_path / "out", tmp_path)
    assert ("field_0.png", "note") in [(p.where, p.severity) for p in done.problems]
    assert len(done.result.pictures) == 2


def test_what_a_file_has_lost_already_counts(tmp_path: Path) -> None:
    content = json.loads((EXPORTS / "via-2.0.11_annotations.json").read_text())
    content["field_0.png2095"]["regions"][0]["shape_attributes"]["name"] = "star"
    (tmp_path / "in.json").write_text(json.dumps(content))
    done = convert_file(tmp_path / "in.json", "via2-json", tmp_path / "out.json")
    assert done.lost
    assert "regions   8 of 8" in done.summary()
    assert [str(p).split(":")[0] for p in done.problems] == ["field_0.png region 1"]


def test_an_earlier_output_is_replaced_and_equal(tmp_path: Path) -> None:
    convert_file(PROJECT, "via1-csv", tmp_path / "out")
    before = (tmp_path / "out").read_bytes()
    convert_file(PROJECT, "via1-csv", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == before


@pytest.mark.parametrize("content", [b"my notes", b'{"a": 1}', b"\x00\xff", b""])
def test_a_file_of_somebody_else_is_not_replaced(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(content)
    with pytest.raises(InputError, match="no annotation file, so it is not replaced"):
        convert_file(PROJECT, "via1-csv", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == content


def test_the_source_and_a_folder_are_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "in.json"
    shutil.copy(PROJECT, file)
    (tmp_path / "link").hardlink_to(file)
    for out in (file, tmp_path / "link"):
        with pytest.raises(InputError, match="is the file to convert"):
            convert_file(file, "coco", out)
    with pytest.raises(InputError, match="is a folder"):
        convert_file(file, "coco", tmp_path)
    assert file.read_bytes() == PROJECT.read_bytes()


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="no regular file"):
        convert_file(PROJECT, "coco", tmp_path / "pipe")


def test_an_attribute_is_for_coco(tmp_path: Path) -> None:
    done = convert_file(PROJECT, "coco", tmp_path / "out", attribute="note")
    assert ('a "quoted", note') in (tmp_path / "out").read_text().replace("\\", "")
    assert done.lost
    with pytest.raises(InputError, match="for categories of coco, not for via2-csv"):
        convert_file(PROJECT, "via2-csv", tmp_path / "out", attribute="note")


def test_a_missing_file_and_an_unknown_form(tmp_path: Path) -> None:
    with pytest.raises(MissingError):
        convert_file(tmp_path / "none.json", "coco", tmp_path / "out")
    result = CliRunner().invoke(
        app, ["convert", str(PROJECT), "--to", "via4", "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 2
    assert "'via4' is not one of 'via1-json'" in result.output
    assert list(tmp_path.iterdir()) == []


def test_many_alike_are_counted_and_the_heavy_come_first() -> None:
    notes = [Problem(f"{i}.png", f"{i} bytes", "note") for i in range(LISTED + 2)]
    lines = list(listed([*notes, Problem("a\nb", "gone\x1b[2J")]))
    assert lines[0] == r"lost: a\nb: gone\x1b[2J"
    assert len(lines) == 1 + LISTED + 1
    assert lines[-1] == "note: 2 more like: # bytes"
