"""The legend, bands by name, atomic writing, and how errors reach a user."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from agri_data import atomic, bands, console
from agri_data.errors import InputError, MissingError
from agri_data.legend import EUROSAT, Legend


def test_legend_round_trip_and_colours() -> None:
    legend = Legend.of({"other": "#000000", "arable": "#ff8000"})
    assert Legend.from_list(legend.to_list()) == legend
    assert legend.rgb.tolist() == [[0, 0, 0], [255, 128, 0]]
    assert legend.index("arable") == 1


def test_eurosat_order_is_the_official_one() -> None:
    assert EUROSAT.names[0] == "AnnualCrop"
    assert EUROSAT.names[9] == "SeaLake"
    assert list(EUROSAT.names) == sorted(EUROSAT.names)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([{"id": 1, "name": "a", "colour": "#000000"}], "0, 1, 2"),
        ([{"id": 0, "name": "a", "colour": "red"}], "#1a9641"),
        ([{"id": 0, "name": "a"}], "id, name, colour"),
        ([{"id": True, "name": "a", "colour": "#000000"}], "whole number"),
        ([], "1 to 254"),
    ],
)
def test_bad_legends_are_named(items: list[dict[str, object]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Legend.from_list(items)


def test_bands_are_found_by_name_in_any_order() -> None:
    assert bands.band_indices(["B04", "B08", "B02"], ["B02", "B04"]) == [2, 0]


def test_a_missing_band_is_named_with_what_there_is() -> None:
    with pytest.raises(MissingError, match=r"no band B11; it has B02, B03"):
        bands.band_indices(["B02", "B03"], ["B02", "B11"])


def test_eurosat_tiffs_hold_b8a_last() -> None:
    assert bands.EUROSAT_TIFF_ORDER[-1] == "B8A"
    assert len(set(bands.EUROSAT_TIFF_ORDER)) == 13


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    atomic.write_json(target, {"n": 1})
    with pytest.raises(ValueError, match="Out of range"):
        atomic.write_json(target, {"n": float("nan")})
    assert target.read_text() == '{\n  "n": 1\n}\n'
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with pytest.raises(RuntimeError), atomic.replacing_dir(target, "done") as folder:
        (folder / "done").touch()
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with atomic.replacing_dir(target, "done") as folder:
        (folder / "done").write_text("1")
    with atomic.replacing_dir(target, "done") as folder:
        (folder / "done").write_text("2")
    assert (target / "done").read_text() == "2"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_folder_of_the_users_own_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with (
        pytest.raises(InputError, match="not an earlier output"),
        atomic.replacing_dir(tmp_path, "dataset.json"),
    ):
        pass
    assert (tmp_path / "thesis.txt").exists()


WRITER = """
import sys
from pathlib import Path
from agri_data import atomic
with atomic.replacing_file(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    print("begun", flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_run_left_is_removed_by_the_next_but_not_what_one_still_writes(
    tmp_path: Path,
) -> None:
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "a.txt")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]  # fmt: skip
    dead, alive = runs
    for run in runs:
        assert run.stdout is not None and run.stdout.readline() == b"begun\n"
    (tmp_path / ".partial-a.txt-notes").write_text("of somebody else")
    dead.kill()
    dead.wait()
    assert len(list(tmp_path.glob(".partial-*/a.txt"))) == 2
    atomic.write_text(tmp_path / "b.txt", "another place")
    assert len(list(tmp_path.glob(".partial-*/a.txt"))) == 2
    atomic.write_text(tmp_path / "a.txt", "whole")
    assert (tmp_path / "a.txt").read_text() == "whole"
    assert len(list(tmp_path.glob(".partial-*/a.txt"))) == 1
    assert alive.communicate(timeout=60)[0] == b"" and alive.returncode == 0
    assert (tmp_path / "a.txt").read_text() == "half"
    assert sorted(p.name for p in tmp_path.iterdir()) == [".partial-a.txt-notes", "a.txt", "b.txt"]
    assert dead.stdin is not None and dead.stdout is not None
    dead.stdin.close()
    dead.stdout.close()


def test_files_are_added_all_or_none_and_nothing_foreign_is_replaced(tmp_path: Path) -> None:
    out = tmp_path / "report"
    with pytest.raises(RuntimeError), atomic.adding_files(out, "done.json") as folder:
        (folder / "a.txt").write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    for text in ("1", "2"):
        with atomic.adding_files(out, "done.json") as folder:
            (folder / "a.txt").write_text(text)
            (folder / "done.json").write_text(text)
        (out / "notes.md").write_text("mine")
        assert [p.read_text() for p in sorted(out.iterdir())] == [text, text, "mine"]
    (out / "done.json").unlink()
    with (
        pytest.raises(InputError, match=r"a\.txt exists and .*report holds no done\.json"),
        atomic.adding_files(out, "done.json") as folder,
    ):
        (folder / "a.txt").write_text("3")
    assert (out / "a.txt").read_text() == "2"
    with (
        pytest.raises(InputError, match="not a folder"),
        atomic.adding_files(out / "a.txt", "done.json"),
    ):
        pass


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (InputError("size is 0, expected 1 or more"), "error: size is 0, expected 1 or more"),
        (MissingError("no file x.tif"), "error: no file x.tif"),
        (OSError(errno.ENOSPC, "No space left on device"), "error: the disk is full"),
        (MemoryError("Unable to allocate 2 TiB"), "error: not enough memory (Unable to allocate"),
        (PermissionError(errno.EACCES, "denied", "/x"), "error: no permission"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_code_2(
    error: Exception, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = typer.Typer()

    @app.command()
    def fail() -> None:
        raise error

    monkeypatch.setattr("sys.argv", ["agri-x"])
    with pytest.raises(SystemExit) as stop:
        console.run(app)
    text = capsys.readouterr().err
    assert stop.value.code == console.USER_ERROR
    assert text.startswith(line)
    assert text.count("\n") == 1


def test_our_own_faults_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command()
    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("sys.argv", ["agri-x"])
    with pytest.raises(ZeroDivisionError):
        console.run(app)
