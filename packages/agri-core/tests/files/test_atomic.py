"""Output that is there whole or not at all, and what a killed run leaves behind."""

import contextlib
import itertools
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from agri_core.files import atomic
from agri_core.files.atomic import adding_files, replacing_dir, replacing_file, write_text
from agri_core.files.errors import InputError
from agri_core.files.record import RECORD

# A run that begins to write the output argv[2] and holds it, half written, until its input closes.
HOLD = """
import sys
from pathlib import Path
from agri_core.files import atomic
with getattr(atomic, sys.argv[1])(Path(sys.argv[2])) as new:
    (new / "marker" if new.is_dir() else new).write_text("half")
    print("begun", flush=True)
    sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX locks and signals")


@contextlib.contextmanager
def held(function: str, out: Path) -> Iterator[subprocess.Popen[str]]:
    """Yield a process that has begun to write `out` through `function`, and wait for its end."""
    command = [sys.executable, "-c", HOLD, function, str(out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None and run.stdin is not None
        assert run.stdout.readline() == "begun\n"
        try:
            yield run
        finally:
            run.stdin.close()  # the run ends here, unless it was killed


def build(out: Path) -> None:
    with replacing_dir(out) as new:
        (new / "marker").write_text("whole")


def names(folder: Path) -> list[str]:
    """List what lies in a folder, but for the record of its outputs."""
    return sorted(item.name for item in folder.iterdir() if item.name != RECORD)


def test_the_next_run_sweeps_up_after_a_killed_one(tmp_path: Path) -> None:
    with held("replacing_dir", tmp_path / "out") as run:
        run.send_signal(signal.SIGKILL)
    assert [name[:13] for name in names(tmp_path)] == [".partial-out-"]
    build(tmp_path / "out")
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out" / "marker").read_text() == "whole"


def test_a_file_sweeps_up_too(tmp_path: Path) -> None:
    left = tmp_path / ".partial-a.json-0a_9zzzz"
    left.mkdir()
    (left / "a.json").write_text("{")
    write_text(tmp_path / "a.json", "{}")
    assert names(tmp_path) == ["a.json"]


def test_what_a_running_process_owns_stays(tmp_path: Path) -> None:
    with held("replacing_dir", tmp_path / "out") as run:
        build(tmp_path / "out")
        (partial,) = [name for name in names(tmp_path) if name != "out"]
        assert (tmp_path / partial / "out" / "marker").read_text() == "half"
        run.kill()
    build(tmp_path / "out")
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("moved", [False, True])
def test_a_run_killed_between_the_two_moves_of_a_swap_loses_nothing(
    tmp_path: Path, moved: bool
) -> None:
    build(tmp_path / "out")
    home = tmp_path / ".replaced-out-0a_9zzzz"
    home.mkdir()
    (tmp_path / "out").replace(home / "out")
    if moved:
        build(tmp_path / "out")
    else:
        (home / "out" / "marker").write_text("changed by hand")
        with pytest.raises(InputError, match="was changed since"):
            build(tmp_path / "out")
        assert (tmp_path / "out" / "marker").read_text() == "changed by hand"
    assert names(tmp_path) == ["out"]


def test_a_changed_output_that_a_killed_run_moved_away_stays_where_it_is(tmp_path: Path) -> None:
    build(tmp_path / "out")
    home = tmp_path / ".replaced-out-0a_9zzzz"
    home.mkdir()
    (tmp_path / "out").replace(home / "out")
    (home / "out" / "marker").write_text("changed by hand")
    (tmp_path / "out").mkdir()
    build(tmp_path / "out")
    assert (home / "out" / "marker").read_text() == "changed by hand"


KILLED = """
import os, sys
from pathlib import Path
from agri_core.files import atomic, ownership
steps = [int(sys.argv[1])]
def counted(function):
    def call(*args, **values):
        if not steps[0]:
            os._exit(9)
        steps[0] -= 1
        return function(*args, **values)
    return call
Path.replace = counted(Path.replace)
Path.write_text = counted(Path.write_text)
ownership.sha256_file = counted(ownership.sha256_file)
with atomic.adding_files(Path(sys.argv[2])) as folder:
    for name in ("a.txt", "b.txt"):
        (folder / name).write_bytes(sys.argv[3].encode())
"""


def test_a_run_killed_at_any_step_is_run_again(tmp_path: Path) -> None:
    def make(out: Path, text: str) -> None:
        with adding_files(out) as folder:
            for name in ("a.txt", "b.txt"):
                (folder / name).write_text(text)

    killed = []
    for step in itertools.count():
        out = tmp_path / str(step) / "out"
        make(out, "first")
        command = [sys.executable, "-c", KILLED, str(step), str(out), "second"]
        code = subprocess.run(command, check=False).returncode
        make(out, "third")
        assert {name: (out / name).read_text() for name in names(out)} == {
            "a.txt": "third", "b.txt": "third",
        }  # fmt: skip
        assert names(out.parent) == ["out"]
        if code == 0:
            break
        killed.append(step)
    assert len(killed) >= 10  # two hashes each, two records in two steps, two moves


def test_what_is_no_leftover_of_this_output_stays(tmp_path: Path) -> None:
    kept = [".partial-out-notes", ".partial-out-2-abcdefgh", ".replaced-out-abcdefgh"]
    for name in kept:
        (tmp_path / name).mkdir()
    (tmp_path / ".replaced-out-abcdefgh" / "notes.txt").write_text("a person's file")
    (tmp_path / ".partial-out-abcdefgh").write_text("a person's file")
    (tmp_path / "real").mkdir()
    (tmp_path / ".partial-out-aaaaaaaa").symlink_to(tmp_path / "real")
    before = names(tmp_path)
    build(tmp_path / "out")
    assert names(tmp_path) == sorted([*before, "out"])


def test_an_error_leaves_the_old_output_and_nothing_else(tmp_path: Path) -> None:
    build(tmp_path / "out")
    write_text(tmp_path / "a.json", "old")
    with pytest.raises(KeyError), replacing_dir(tmp_path / "out") as new:
        (new / "marker").write_text("half")
        raise KeyError
    with pytest.raises(KeyError), replacing_file(tmp_path / "a.json") as path:
        path.write_text("half")
        raise KeyError
    assert names(tmp_path) == ["a.json", "out"]
    assert (tmp_path / "out" / "marker").read_text() == "whole"
    assert (tmp_path / "a.json").read_text() == "old"


def test_an_interrupted_swap_puts_the_old_output_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(tmp_path / "out")
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if self.parent.name.startswith(".partial-"):
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "out")
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out" / "marker").read_text() == "whole"


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    atomic.write_json(target, {"n": 1})
    with pytest.raises(ValueError, match="Out of range"):
        atomic.write_json(target, {"n": float("nan")})
    assert target.read_text() == '{\n  "n": 1\n}\n'
    assert names(tmp_path) == ["a.json"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with pytest.raises(RuntimeError), atomic.replacing_dir(target) as folder:
        (folder / "done").touch()
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with atomic.replacing_dir(target) as folder:
        (folder / "done").write_text("1")
    with atomic.replacing_dir(target) as folder:
        (folder / "done").write_text("2")
    assert (target / "done").read_text() == "2"
    assert names(tmp_path) == ["out"]


def test_a_folder_of_the_users_own_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with (
        pytest.raises(InputError, match="was not written by"),
        atomic.replacing_dir(tmp_path),
    ):
        pass
    assert (tmp_path / "thesis.txt").exists()


def test_what_a_killed_run_left_is_removed_by_the_next_but_not_what_one_still_writes(
    tmp_path: Path,
) -> None:
    out = tmp_path / "a.txt"
    (tmp_path / ".partial-a.txt-notes").write_text("of somebody else")
    with held("replacing_file", out) as dead, held("replacing_file", out) as alive:
        dead.kill()
        dead.wait()
        assert len(list(tmp_path.glob(".partial-*/a.txt"))) == 2
        atomic.write_text(tmp_path / "b.txt", "another place")
        assert len(list(tmp_path.glob(".partial-*/a.txt"))) == 2
        atomic.write_text(out, "whole")
        assert out.read_text() == "whole"
        assert len(list(tmp_path.glob(".partial-*/a.txt"))) == 1
    assert alive.returncode == 0
    assert out.read_text() == "half"
    assert names(tmp_path) == [".partial-a.txt-notes", "a.txt", "b.txt"]


def test_files_are_added_all_or_none_and_nothing_foreign_is_replaced(tmp_path: Path) -> None:
    out = tmp_path / "report"
    with pytest.raises(RuntimeError), atomic.adding_files(out) as folder:
        (folder / "a.txt").write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    for text in ("1", "2"):
        with atomic.adding_files(out) as folder:
            (folder / "a.txt").write_text(text)
            (folder / "done.json").write_text(text)
        (out / "notes.md").write_text("mine")
        assert {n: (out / n).read_text() for n in names(out)} == {
            "a.txt": text, "done.json": text, "notes.md": "mine",
        }  # fmt: skip
    with (
        pytest.raises(InputError, match=r"notes\.md exists and was not written by"),
        atomic.adding_files(out) as folder,
    ):
        (folder / "a.txt").write_text("3")
        (folder / "notes.md").write_text("3")
    assert (out / "a.txt").read_text() == "2" and (out / "notes.md").read_text() == "mine"
    with (
        pytest.raises(InputError, match="not a folder"),
        atomic.adding_files(out / "a.txt"),
    ):
        pass
