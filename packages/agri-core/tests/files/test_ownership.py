"""What a command may replace: only what it wrote itself and nobody changed since."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from agri_core.files.atomic import adding_files, replacing_dir, write_text
from agri_core.files.errors import InputError
from agri_core.files.hashing import sha256_text
from agri_core.files.ownership import (
    Run,
    check_file,
    is_own,
    remove_file,
    remove_folder,
    running,
    updating_files,
)
from agri_core.files.record import RECORD, Written, read_record, record_text

MASKS, DIFF = Run("agri-annotate masks"), Run("agri-annotate diff")


def fill(out: Path, **files: str) -> None:
    with replacing_dir(out) as folder:
        for name, text in files.items():
            (folder / name).write_text(text)


def test_a_file_is_replaced_by_the_command_that_wrote_it(tmp_path: Path) -> None:
    with running(MASKS):
        write_text(tmp_path / "a.json", "1")
        write_text(tmp_path / "a.json", "2")
    assert (tmp_path / "a.json").read_text() == "2"


@pytest.mark.parametrize("run", [MASKS, DIFF, Run("python")])
def test_a_users_file_is_never_replaced(tmp_path: Path, run: Run) -> None:
    (tmp_path / "drawings.json").write_text("hours of work")
    with running(run), pytest.raises(InputError, match=f"not written by '{run.command}'"):
        write_text(tmp_path / "drawings.json", "{}")
    assert (tmp_path / "drawings.json").read_text() == "hours of work"


def test_another_commands_file_is_not_replaced(tmp_path: Path) -> None:
    with running(MASKS):
        write_text(tmp_path / "a.json", "1")
    with running(DIFF), pytest.raises(InputError, match="by 'agri-annotate masks', not by"):
        write_text(tmp_path / "a.json", "2")
    assert (tmp_path / "a.json").read_text() == "1"


def test_a_corrected_file_is_not_replaced(tmp_path: Path) -> None:
    with running(MASKS):
        write_text(tmp_path / "a.json", "1")
        (tmp_path / "a.json").write_text("corrected by hand")
        with pytest.raises(InputError, match="was changed since 'agri-annotate masks' wrote it"):
            write_text(tmp_path / "a.json", "2")
    assert (tmp_path / "a.json").read_text() == "corrected by hand"


def test_a_file_that_the_user_made_while_the_command_ran_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not written by"), replacing_dir(tmp_path / "out") as new:
        (new / "a.txt").write_text("ours")
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "a.txt").write_text("mine")
    assert (tmp_path / "out" / "a.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["notes.txt", "images/photo.txt", "masks/a.txt"])
def test_a_folder_with_a_users_file_is_not_replaced(tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    fill(out, a="1")
    (out / name).parent.mkdir(exist_ok=True)
    (out / name).write_text("mine")
    with pytest.raises(InputError, match=f"{name} exists and was not written by"):
        fill(out, a="2")
    assert (out / name).read_text() == "mine" and (out / "a").read_text() == "1"


def test_a_folder_with_a_link_of_the_users_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    fill(tmp_path / "out", a="1")
    (tmp_path / "out" / "link").symlink_to(tmp_path / "photos")
    with pytest.raises(InputError, match="link exists and was not written by"):
        fill(tmp_path / "out", a="2")


def test_an_edited_file_in_a_folder_keeps_it(tmp_path: Path) -> None:
    fill(tmp_path / "out", a="1", b="1")
    (tmp_path / "out" / "b").write_text("edited")
    with pytest.raises(InputError, match="b was changed since 'python' wrote it"):
        fill(tmp_path / "out", a="2")
    assert (tmp_path / "out" / "b").read_text() == "edited"


def test_what_a_file_manager_left_is_no_hindrance(tmp_path: Path) -> None:
    fill(tmp_path / "out", a="1")
    (tmp_path / "out" / ".DS_Store").write_bytes(b"\0")
    fill(tmp_path / "out", a="2")
    assert (tmp_path / "out" / "a").read_text() == "2"


def test_a_linked_folder_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    fill(tmp_path / "out", a="1")
    assert (tmp_path / "out").is_symlink() and (tmp_path / "disk" / "a").read_text() == "1"


def test_an_input_is_never_an_output(tmp_path: Path) -> None:
    with running(Run("agri-annotate convert")):
        write_text(tmp_path / "a.json", "1")
    (tmp_path / "same.json").hardlink_to(tmp_path / "a.json")
    for given in (tmp_path / "a.json", tmp_path / "x" / ".." / "a.json", tmp_path / "same.json"):
        with (
            running(Run("agri-annotate convert", (given,))),
            pytest.raises(InputError, match="is an input of this command"),
        ):
            write_text(tmp_path / "a.json", "2")
    assert (tmp_path / "a.json").read_text() == "1"


def test_a_folder_that_holds_an_input_is_not_replaced(tmp_path: Path) -> None:
    fill(tmp_path / "out", a="1")
    with (
        running(Run("python", (tmp_path / "out" / "a",))),
        pytest.raises(InputError, match=r"out would be replaced, and .*a, an input"),
    ):
        fill(tmp_path / "out", a="2")


def test_added_files_spare_the_users_and_retire_our_own(tmp_path: Path) -> None:
    with adding_files(tmp_path) as folder:
        (folder / "page.html").write_text("1")
        (folder / "map.png").write_text("1")
    with adding_files(tmp_path, retired=("map.png", "never.png")) as folder:
        (folder / "page.html").write_text("2")
    assert not (tmp_path / "map.png").exists()
    (tmp_path / "map.png").write_text("mine")
    with (
        pytest.raises(InputError, match=r"map\.png was changed since"),
        adding_files(tmp_path, retired=("map.png",)) as folder,
    ):
        (folder / "page.html").write_text("3")
    assert (tmp_path / "map.png").read_text() == "mine"
    assert (tmp_path / "page.html").read_text() == "2"


def test_the_record_of_an_output_folder_holds_for_the_folders_in_it(tmp_path: Path) -> None:
    with running(MASKS):
        with replacing_dir(tmp_path / "out") as folder:
            (folder / "masks").mkdir()
            (folder / "masks" / "a.png").write_text("1")
        check_file(tmp_path / "out" / "masks" / "a.png")
    with running(DIFF), pytest.raises(InputError, match="was written by 'agri-annotate masks'"):
        check_file(tmp_path / "out" / "masks" / "a.png")
    (tmp_path / "out" / "masks" / "b.png").write_text("1")
    with running(MASKS), pytest.raises(InputError, match=r"b\.png exists and was not written"):
        check_file(tmp_path / "out" / "masks" / "b.png")


def test_what_is_still_being_made_may_be_written_twice(tmp_path: Path) -> None:
    with adding_files(tmp_path / "out") as folder:
        (folder / "plain.png").write_text("1")
        write_text(folder / "plain.png", "2")
        write_text(folder / "plain.png", "3")
    assert (tmp_path / "out" / "plain.png").read_text() == "3"
    assert set(read_record(tmp_path / "out")) == {"plain.png"}


def test_files_changed_in_place_by_a_command_stay_their_first_writers(tmp_path: Path) -> None:
    with running(Run("agri-data chips")):
        fill(tmp_path / "store", table="1", info="1")
    new = {"table": "2", "info": "1", "waiting": "2"}
    with running(Run("agri-data split")), updating_files(tmp_path / "store", new):
        (tmp_path / "store" / "waiting").write_text("2")
        (tmp_path / "store" / "waiting").replace(tmp_path / "store" / "table")
    assert read_record(tmp_path / "store") == {
        name: Written("agri-data chips", sha256_text(text))
        for name, text in (("table", "2"), ("info", "1"))
    }
    with running(Run("agri-data chips")):
        fill(tmp_path / "store", table="3")
    (tmp_path / "store" / "table").write_text("by hand")
    with (
        running(Run("agri-data split")),
        updating_files(tmp_path / "store", {"table": "by hand, split"}),
    ):
        (tmp_path / "store" / "table").write_text("by hand, split")
    with running(Run("agri-data chips")), pytest.raises(InputError, match="was changed since"):
        fill(tmp_path / "store", table="4")


def test_only_own_files_and_folders_are_removed(tmp_path: Path) -> None:
    write_text(tmp_path / "run" / "a.ckpt", "1")
    write_text(tmp_path / "run" / "b.ckpt", "1")
    (tmp_path / "run" / "best.ckpt").write_text("mine")
    remove_file(tmp_path / "run" / "a.ckpt")
    remove_file(tmp_path / "run" / "a.ckpt")
    with pytest.raises(InputError, match=r"best\.ckpt exists and was not written by"):
        remove_folder(tmp_path / "run")
    assert (tmp_path / "run" / "b.ckpt").exists()
    (tmp_path / "run" / "best.ckpt").unlink()
    remove_folder(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_threads_write_in_the_name_of_their_command(tmp_path: Path) -> None:
    with running(MASKS):
        thread = threading.Thread(target=write_text, args=(tmp_path / "a", "1"))
        thread.start()
        thread.join()
        assert is_own(tmp_path / "a")


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{", "[" * 100_000, '{"version": 2, "files": {}}', '{"version": 1, "files": []}',
        '{"version": 1, "files": {"a": {"command": "python"}}}',
        '{"version": 1, "files": {"a": {"command": "python", "sha256": 1}}}',
        '{"version": 1, "files": {"../a": {"command": "python", "sha256": ""}}}',
    ],
)  # fmt: skip
def test_a_damaged_record_protects_everything(tmp_path: Path, text: str) -> None:
    write_text(tmp_path / "a", "1")
    (tmp_path / RECORD).write_text(text)
    assert read_record(tmp_path) == {}
    with pytest.raises(InputError, match="not written by"):
        check_file(tmp_path / "a")


def test_a_record_is_the_same_whatever_the_order() -> None:
    one, two = Written("a", "00"), Written("b", "11")
    assert record_text({"x": one, "y": two}) == record_text({"y": two, "x": one})
    assert json.loads(record_text({"x": one})) == {
        "version": 1, "files": {"x": {"command": "a", "sha256": "00"}},
    }  # fmt: skip


def test_the_record_forgets_files_that_are_gone(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "1")
    (tmp_path / "a").unlink()
    write_text(tmp_path / "b", "1")
    assert list(read_record(tmp_path)) == ["b"]
